"""Partitions on a real Ray are killed and frozen under load: what was acknowledged is there, nothing raised.

They count and check, and assert no time; ``ray-router bench --chaos`` measures. Its test kills one partition
of each durability in every run of the tests. ``RAY_ROUTER_KILLS`` says how many there are here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random

import pytest

from ray_router import RouterConfig, RouterHandle, deploy, shutdown
from ray_router.bench.killing import Hunter, Kill
from ray_router.testing import wait_until
from ray_router.workload import LedgerLoad, lost

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("unmeasured")]

_KILLS = int(os.environ.get("RAY_ROUTER_KILLS", "100"))
_ALLOWED_S = 120.0


@contextmanager
def deployed(namespace: str, **settings: object) -> Iterator[tuple[RouterHandle, Hunter]]:
    """A router with standbys, and who kills its partitions."""
    usual = {"name": "kills", "replicas": 1, "call_timeout_s": 20.0, "max_restarts_in_window": 10_000}
    config = RouterConfig.build(**(usual | settings))
    router = deploy(config, namespace=namespace)
    try:
        hunter = Hunter(router, namespace)
        hunter.wait_until_whole()
        yield router, hunter
    finally:
        shutdown(config.name, namespace=namespace)


@contextmanager
def used(router: RouterHandle) -> Iterator[list[LedgerLoad]]:
    """Two callers, each with a ledger; both have something in it."""
    with ExitStack() as running:
        loads = [running.enter_context(LedgerLoad(router, number)) for number in range(2)]
        go_on(loads)
        yield loads


def go_on(loads: list[LedgerLoad], writes: int = 20) -> None:
    """Wait until so many more writes are acknowledged."""
    before = sum(load.acknowledged for load in loads)
    wait_until(lambda: sum(load.acknowledged for load in loads) >= before + writes, within_s=_ALLOWED_S)


def unanswered(loads: list[LedgerLoad]) -> list[str]:
    """Whatever was raised, or not answered."""
    return [why for load in loads for why in load.unanswered]


def lives_of(router: RouterHandle) -> list[tuple[int, int]]:
    """How often each partition was born, and its process."""
    return [(each.incarnation, each.pid) for each in router.stats().result().partitions]


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_kills_one_at_a_time_lose_nothing(ray_cluster: str, namespace: str, durability: str) -> None:
    """Each after the last recovery is complete; where copies follow, all but what is said to be lost."""
    random = Random(1)
    with deployed(namespace, durability=durability) as (router, hunter):
        kills: list[Kill] = []
        with used(router) as loads:
            for _ in range(_KILLS):
                go_on(loads)
                kills.append(hunter.kill_some(random))
        hunter.wait_until_whole(at_rest=True)
        missing = lost(router, loads)
        assert [each for each in missing if not any(kill.owns_up_to(each.at) for kill in kills)] == []
        assert unanswered(loads) == []
        assert sum(load.by_standby for load in loads) > 0
        if durability == "sync":
            assert missing == []
            assert {kill.lost_window_s for kill in kills} == {0.0}
            assert [answer for load in loads for answer in load.wrong] == []


def test_two_at_once_are_owned_up_to(ray_cluster: str, namespace: str) -> None:
    """What both keepers took with them is inside the window that their next lives speak of."""
    with deployed(namespace, durability="sync") as (router, hunter):
        for first in range(4):
            with used(router) as loads:
                before = hunter.wait_until_whole()
                victims = before[first], before[(first + 1) % 4]
                killed_at = time.time()
                for victim in victims:
                    os.kill(victim.pid, signal.SIGKILL)
                wait_until(
                    lambda was=victims: all(  # type: ignore[misc]
                        router.stats().result().partitions[each.partition].incarnation > each.incarnation
                        for each in was
                    ),
                    within_s=_ALLOWED_S,
                )
                after = hunter.wait_until_whole()
            windows = {each.partition: each.copies.lost_window_s for each in after if each.copies}
            owners = router.resolve_many([each.key for each in lost(router, loads)]).result()
            assert {windows[answer.partition] > time.time() - killed_at for answer in owners} <= {True}


def test_a_frozen_partition_is_restarted(ray_cluster: str, namespace: str) -> None:
    """By a peer; nothing is lost, and nobody is left without an answer."""
    with deployed(namespace, durability="sync", frozen_after_s=2.0) as (router, hunter):
        with used(router) as loads:
            victim = hunter.wait_until_whole()[1]
            os.kill(victim.pid, signal.SIGSTOP)
            wait_until(
                lambda: router.stats().result().partitions[1].incarnation > victim.incarnation,
                within_s=_ALLOWED_S,
            )
            hunter.wait_until_whole()
            go_on(loads)
        hunter.wait_until_whole()
        assert lost(router, loads) == []
        assert unanswered(loads) == []
