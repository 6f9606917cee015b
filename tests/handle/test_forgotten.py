"""Submitting without waiting: it is carried out, and an error that nobody collects is logged, once."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

import pytest

from ray_router import Delivery, Route, RouterHandle, SessionKey
from ray_router.testing import wait_until
from ray_router.transport import PartitionBroken

from .scene import AWAY, HOME, HeldDoor, Scene, Stage, key_on, keys_on, until

KEY = "tg:bot:room"
FAILED = "a reply that nobody waited for failed"


@pytest.fixture
def failures(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The errors of forgotten replies that were logged so far."""
    gc.collect()  # what other tests have left is not this one's
    caplog.set_level(logging.ERROR, logger="ray_router")
    return lambda: [record.getMessage() for record in caplog.records if FAILED in record.getMessage()]


def test_what_nobody_waits_for_is_carried_out() -> None:
    """A write whose reply is dropped is a write; the next call sees it."""
    scene = Scene()
    scene.router.set(KEY, HOME)
    scene.router.report(KEY, HOME, Delivery.DELIVERED)
    assert scene.router.resolve(KEY).result().route == HOME
    assert scene.router.stats().result().traffic.reports == 1


def test_what_is_queued_and_forgotten_is_sent() -> None:
    """Whatever was queued leaves when the partition answers, with nobody waiting."""
    scene = Scene()
    scene.transport.freeze(0)
    for _ in range(3):
        scene.router.set(KEY, HOME)
    scene.transport.thaw(0)
    wait_until(lambda: scene.transport.sent[0] == 2)
    assert scene.router.stats().result().traffic.refreshed == 2


async def test_what_an_event_loop_forgets_is_sent() -> None:
    """In an event loop as well, before the router is known and after."""
    stage = Stage(HeldDoor)
    stage.router.set(KEY, HOME)
    stage.transport.let_in()
    await until(lambda: stage.transport.sent)
    stage.router.set(KEY, AWAY)
    assert (await stage.router.resolve(KEY)).route == AWAY
    assert (await stage.router.stats()).traffic.stored == 2


def test_an_answer_that_nobody_collects_is_not_logged(failures: Callable[[], list[str]]) -> None:
    """Success needs no reader."""
    scene = Scene()
    scene.router.set(KEY, HOME)
    assert scene.router.get(KEY).result() is not None
    assert failures() == []


def test_an_error_that_nobody_collects_is_logged(failures: Callable[[], list[str]]) -> None:
    """The log says which partition could not be written to."""
    scene = Scene(call_timeout_s=0.01)
    scene.transport.kill(0)
    scene.router.set(KEY, HOME)
    wait_until(lambda: bool(failures()))
    assert len(failures()) == 1
    assert "partition 0 is unavailable" in failures()[0]


def test_an_error_is_logged_once_however_many_partitions_failed(failures: Callable[[], list[str]]) -> None:
    """A write of a default concerns every partition; its reply is one reply."""
    scene = Scene(partitions=3)
    for partition in range(3):
        scene.transport.remove(partition)
    key = SessionKey("tg", "bot")
    for times in (1, 2):  # at first they might have been dismissed, then they are known to be down
        scene.router.set(key, HOME)
        wait_until(lambda times=times: len(failures()) >= times)  # type: ignore[misc]
        assert len(failures()) == times


def test_an_error_that_somebody_collects_is_not_logged(failures: Callable[[], list[str]]) -> None:
    """Whoever waits is told by the exception."""
    scene = Scene()
    scene.transport.remove(0)
    reply = scene.router.set(KEY, HOME)
    with pytest.raises(Exception, match="unavailable"):
        reply.result()
    del reply
    gc.collect()
    assert failures() == []


async def test_a_refused_wait_collects_nothing(failures: Callable[[], list[str]]) -> None:
    """A reply that could not be waited for in a running loop was not collected."""
    scene = Scene()
    scene.transport.remove(0)
    reply = scene.router.set(KEY, HOME)
    with pytest.raises(RuntimeError):
        reply.result()
    del reply
    wait_until(lambda: gc.collect() >= 0 and len(failures()) == 1)  # a traceback may hold it for a while


async def test_a_router_that_is_never_found_is_logged(failures: Callable[[], list[str]]) -> None:
    """What was submitted before the router was known, and forgotten, is logged when there is none."""
    stage = Stage(HeldDoor)
    stage.router.set(KEY, HOME)
    stage.transport.turn_away(PartitionBroken("another version"))
    await until(failures)
    assert failures() == [f"{FAILED}: the router does not answer: another version"]


def test_pruning_may_be_forgotten(failures: Callable[[], list[str]]) -> None:
    """A prune that nobody waits for is carried out; one that reaches nobody is logged."""
    scene = Scene()
    scene.router.set(KEY, HOME).result()
    scene.clock.advance(1_801)
    scene.transport.freeze(0)
    scene.router.prune()
    scene.transport.thaw(0)
    assert scene.router.stats().result().holdings.stale == 1
    scene.transport.remove(0)
    scene.router.prune()
    assert len(failures()) == 1


def test_a_whole_batch_may_be_forgotten(failures: Callable[[], list[str]]) -> None:
    """A batch over several partitions is seen through on each, and a down one is no error of it."""
    scene = Scene(partitions=2)
    scene.transport.remove(1)
    up, down = key_on(0, 2), key_on(1, 2)
    scene.router.set_many([(up, HOME), (down, HOME)])
    assert scene.router.get(up).result() is not None
    assert failures() == []


def test_forgetting_the_handle_too() -> None:
    """A handle used once, its reply dropped, leaves its write behind."""
    scene = Scene()
    keys = keys_on(0, 1, 20)
    for key in keys:
        scene.another().set(key, Route(str(key)))
    gc.collect()
    assert all(scene.router.resolve_many(keys).result())


def test_forgotten_by_an_event_loop_that_ends(failures: Callable[[], list[str]]) -> None:
    """A loop that ends at once after submitting loses neither the write nor an error."""
    scene = Scene(call_timeout_s=0.01)

    async def forget(router: RouterHandle) -> None:
        router.set(KEY, HOME)

    asyncio.run(forget(scene.router))
    assert scene.router.resolve(KEY).result().route == HOME
    scene.transport.kill(0)
    asyncio.run(forget(scene.router))
    wait_until(lambda: bool(failures()))
