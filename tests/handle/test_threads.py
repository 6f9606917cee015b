"""One handle in many threads and loops at once: every call is answered, once, with its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

from ray_router import FallbackReason, Origin, Route, SetOutcome
from ray_router.testing import wait_until

from .scene import AWAY, HOME, Scene, in_threads, key_on, keys_on

_THREADS, _CALLS = 8, 100


def test_threads_get_their_own_answers() -> None:
    """Each thread reads back exactly what it wrote, through batches that they share."""
    scene = Scene(partitions=3)

    def write_and_read(thread: int) -> None:
        for number in range(_CALLS):
            key, route = f"tg:bot:room_{thread}_{number}", Route(f"{thread}/{number}")
            assert scene.router.set(key, route).result().outcome is SetOutcome.STORED
            assert scene.router.resolve(key).result().route == route

    in_threads([lambda thread=thread: write_and_read(thread) for thread in range(_THREADS)])  # type: ignore[misc]
    traffic = scene.router.stats().result().traffic
    assert (traffic.stored, traffic.exact) == (_THREADS * _CALLS, _THREADS * _CALLS)
    assert traffic.refreshed == traffic.misses == 0


def test_threads_that_submit_before_they_wait() -> None:
    """However submissions and waits of many threads interleave, each reply has its own answer."""
    scene = Scene(partitions=2)
    keys = [*keys_on(0, 2, 10), *keys_on(1, 2, 10)]

    def submit_then_wait(thread: int) -> None:
        replies = [
            scene.router.resolve_many([key, f"tg:bot:{thread}"], [Route(f"{thread}/{key}")]) for key in keys
        ]
        for key, reply in zip(reversed(keys), reversed(replies), strict=True):
            answers = reply.result()
            assert [str(answer.key) for answer in answers] == [str(key), f"tg:bot:{thread}"]
            assert [answer.route for answer in answers] == [Route(f"{thread}/{key}")] * 2

    in_threads([lambda thread=thread: submit_then_wait(thread) for thread in range(_THREADS)])  # type: ignore[misc]


def test_threads_and_loops_write_one_key() -> None:
    """All writes to one key by all threads and loops are counted once each; the newest stands."""
    scene = Scene()
    key = key_on(0, 1)

    def in_a_thread() -> list[SetOutcome]:
        return [scene.router.set(key, HOME).result().outcome for _ in range(_CALLS)]

    async def in_tasks() -> list[SetOutcome]:
        results = await asyncio.gather(*[_awaited(scene.router.set(key, HOME)) for _ in range(_CALLS)])
        return [result.outcome for result in results]

    jobs: list[Any] = [in_a_thread] * 4 + [lambda: asyncio.run(in_tasks())] * 4
    outcomes = Counter(outcome for each in in_threads(jobs) for outcome in each)
    assert outcomes[SetOutcome.STORED] == 1
    assert outcomes.total() == 8 * _CALLS
    assert set(outcomes) <= {SetOutcome.STORED, SetOutcome.REFRESHED, SetOutcome.SUPERSEDED}
    scene.router.set(key, AWAY, origin=Origin.OPERATOR).result()
    assert scene.router.resolve(key).result().route == AWAY


def test_threads_that_forget() -> None:
    """Nothing that is submitted and forgotten is lost, or done twice."""
    scene = Scene(partitions=2)

    def forget(thread: int) -> None:
        for number in range(_CALLS):
            scene.router.set(f"tg:bot:room_{thread}_{number}", HOME)

    in_threads([lambda thread=thread: forget(thread) for thread in range(_THREADS)])  # type: ignore[misc]
    wait_until(lambda: scene.router.stats().result().traffic.stored == _THREADS * _CALLS)
    assert scene.router.stats().result().traffic.refreshed == 0


def test_a_partition_that_keeps_dying_under_traffic() -> None:
    """While one partition dies and comes back, its callers fall back, and the other never fails."""
    scene = Scene(partitions=2)
    steady, shaky = key_on(0, 2), key_on(1, 2)
    scene.router.set_many([(steady, HOME), (shaky, HOME)]).result()
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            here, there = scene.router.resolve_many([steady, shaky], [AWAY]).result()
            assert (here.route, here.reason) == (HOME, None)
            assert there.route in {HOME, AWAY}
            assert there.reason in {None, FallbackReason.MISS, FallbackReason.UNAVAILABLE}

    def trouble() -> None:
        try:
            for asked in (scene.transport.asked.get(1, 0) for _ in range(3)):
                scene.transport.kill(1)
                wait_until(lambda asked=asked: scene.transport.asked.get(1, 0) > asked)  # type: ignore[misc]
                scene.transport.revive(1)
                wait_until(lambda: _is_up(scene, shaky))
        finally:
            over.set()

    in_threads([trouble, call, call, call])
    assert scene.router.set(shaky, AWAY).result().outcome is SetOutcome.STORED


async def _awaited(reply: Any) -> Any:
    return await reply


def _is_up(scene: Scene, key: Any) -> bool:
    return scene.router.resolve(key, [AWAY]).result().reason is not FallbackReason.UNAVAILABLE
