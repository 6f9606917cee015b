"""Killing partitions, and seeing when they are back; what else Ray restarts, beside them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import ray
from ray.actor import ActorHandle

from ray_router.bench.machine import resident_bytes
from ray_router.bench.watched import Watched
from ray_router.errors import RouterError
from ray_router.handle import RouterHandle
from ray_router.model import PartitionStats
from ray_router.runtime.naming import actor_name
from ray_router.transport import Control

_LOOK_EVERY_S = 0.02
_BACK_WITHIN_S = 120.0


class Kill(NamedTuple):
    """A partition that was killed, and came back.

    Args:
        at: epoch seconds, just before.
        took_s: from then until whoever looks from outside sees it complete.
        born_at: epoch seconds of its next life; at most a call's way too early.
        lost_window_s: how long before that what was acknowledged may be lost, as it says itself.
    """

    partition: int
    at: float
    took_s: float
    born_at: float
    lost_window_s: float

    def owns_up_to(self, at: float) -> bool:
        """Whether a write that was acknowledged then, epoch seconds, is in what it says may be lost."""
        return self.born_at - self.lost_window_s <= at <= self.born_at


class Hunter:
    """Kills partitions of a router, one at a time, each when all have recovered from the last.

    Works wherever in the cluster they live: each is made to kill itself.

    Args:
        namespace: the Ray namespace that the router lives in.
    """

    def __init__(self, router: RouterHandle, namespace: str) -> None:
        self._router = router
        self._namespace = namespace

    def kill(self, partition: int) -> Kill:
        """Kill this one, and wait until it is back and complete."""
        before = self.wait_until_whole()[partition]
        actor = self.actor(partition)
        at, began = time.time(), time.perf_counter()
        die(actor, concurrency_group="control")

        def complete(stats: PartitionStats) -> bool:
            copies = stats.copies
            return stats.incarnation > before.incarnation and (copies is None or copies.recovered)

        first_answer(lambda: actor.answer.remote(Control.STATS), complete)
        took_s = time.perf_counter() - began
        asked_at = time.time()
        stats: PartitionStats = ray.get(actor.answer.remote(Control.STATS))
        window_s = 0.0 if stats.copies is None else stats.copies.lost_window_s
        return Kill(partition, at, took_s, asked_at - stats.uptime_s, window_s)

    def kill_some(self, random: Random) -> Kill:
        """Kill one at random."""
        return self.kill(random.choice(self._router.stats().result().partitions).partition)

    def wait_until_whole(self, *, at_rest: bool = False) -> tuple[PartitionStats, ...]:
        """Wait until everybody has what they should, and owes nothing; what they say then.

        Where copies follow, and somebody writes, somebody always owes something: that is waited for only
        ``at_rest``, when nobody writes any more.

        Raises:
            RouterError: it does not come about.
        """
        until = time.monotonic() + _BACK_WITHIN_S
        while True:
            stats = self._router.stats().result()
            copies = [each.copies for each in stats.partitions if each.copies is not None]
            follow = self._router.config.durability == "async" and not at_rest
            if stats.recovered or (follow and not stats.down and all(each.recovered for each in copies)):
                return stats.partitions
            if time.monotonic() > until:
                raise RouterError(f"the router is not whole again after {_BACK_WITHIN_S:g} s")
            time.sleep(_LOOK_EVERY_S)

    def actor(self, partition: int) -> ActorHandle[Any]:
        """A partition's actor."""
        return ray.get_actor(actor_name(self._router.config.name, partition), namespace=self._namespace)

    def resident_bytes(self, partition: int) -> int:
        """The resident memory of a partition's process."""
        call = self.actor(partition).__ray_call__.options(concurrency_group="control")
        return int(ray.get(call.remote(_resident_bytes)))


class Restarted(Watched):
    """An actor that Ray restarts, and that has nothing else to do."""

    def pid(self) -> int:
        """Its process."""
        return os.getpid()


@contextmanager
def restarted_actor() -> Iterator[Callable[[], float]]:
    """Something that kills a bare actor, and returns the seconds until it is seen to answer again."""
    actor_class: Any = ray.remote(Restarted)
    actor = actor_class.options(num_cpus=0, max_restarts=-1).remote()

    def restart_s() -> float:
        former = ray.get(actor.pid.options(max_task_retries=-1).remote())
        began = time.perf_counter()
        die(actor)
        first_answer(actor.pid.remote, lambda pid: bool(pid != former))
        return time.perf_counter() - began

    try:
        ray.get(actor.pid.remote())
        yield restart_s
    finally:
        ray.kill(actor)


def die(actor: Any, **options: str) -> None:
    """Have an actor's process killed, by a SIGKILL to itself."""
    actor.__ray_call__.options(**options).remote(_kill_itself)


def first_answer(ask: Callable[[], Any], will_do: Callable[[Any], bool]) -> Any:
    """Ask over and over until there is an answer that will do.

    Ray keeps who called a dying actor waiting for more than a second, and answers who calls it anew as soon
    as it lives again: so nobody waits for a call here, and the next is made all the same.

    Raises:
        RouterError: there is none.
    """
    until = time.monotonic() + _BACK_WITHIN_S
    asked: list[Any] = []
    while time.monotonic() < until:
        asked.append(ask())
        answered, asked = ray.wait(asked, num_returns=len(asked), timeout=_LOOK_EVERY_S)
        for each in answered:
            try:
                answer = ray.get(each)
            except ray.exceptions.RayError:  # it was not there yet
                continue
            if will_do(answer):
                return answer
    raise RouterError(f"it is not back after {_BACK_WITHIN_S:g} s")


def _kill_itself(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _resident_bytes(_: object) -> int:
    return resident_bytes()
