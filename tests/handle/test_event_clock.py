"""Handles at a time: ``at`` on a router with an event clock, where the caller says what time it is."""

from __future__ import annotations

import pytest

from ray_router import Delivery, InvalidCallError, ResolutionSource, SetOutcome

from .scene import AWAY, HOME, HeldDoor, Scene, Stage

KEY = "tg:bot:room"
START = 1_600_000_000.0


@pytest.fixture
def scene() -> Scene:
    """A router whose callers say what time it is; routes live for 100 s."""
    return Scene(clock="event", ttl_s=100)


def test_a_call_is_made_at_its_time(scene: Scene) -> None:
    """Ages, expiry and stamps count from the time of the handle, whatever the clock on the wall says."""
    scene.router.at(START).set(KEY, HOME).result()
    record = scene.router.at(START + 40).get(KEY).result()
    assert record is not None
    assert (record.observed_at, record.age_s, record.expires_in_s) == (START, 40, 60)
    assert scene.router.at(START + 100).resolve(KEY).result().route == HOME
    late = scene.router.at(START + 100.5).resolve(KEY, allow_stale=True).result()
    assert (late.source, late.stale) == (ResolutionSource.STALE, True)


def test_stamps_are_clamped_to_the_time_of_the_handle(scene: Scene) -> None:
    """What is said to have happened later than the handle's time happened then."""
    then = scene.router.at(START)
    then.set(KEY, HOME, observed_at=START + 50).result()
    record = then.get(KEY).result()
    assert record is not None
    assert record.observed_at == START
    then.report(KEY, HOME, Delivery.DELIVERED, at=START + 50).result()
    assert scene.router.at(START + 100).resolve(KEY).result().expires_in_s == 0


def test_calls_at_one_time_are_in_order(scene: Scene) -> None:
    """At one time the write submitted last is the newest, by a hair."""
    then = scene.router.at(START)
    for route in (HOME, AWAY, HOME, AWAY):
        then.set(KEY, route).result()
    assert then.resolve(KEY).result().route == AWAY
    assert then.delete(KEY).result() is True
    assert then.set(KEY, HOME, observed_at=START).result().outcome is SetOutcome.SUPERSEDED
    assert then.set(KEY, HOME).result().outcome is SetOutcome.STORED


def test_handles_at_many_times_share_what_is_known() -> None:
    """A handle at a time asks for no directory of its own, and its batches leave with the others'."""
    stage = Stage(HeldDoor, clock="event")
    stage.transport.let_in()
    stage.router.connect()
    stage.transport.freeze(0)
    replies = [stage.router.at(START + second).set(KEY, HOME) for second in range(10)]
    stage.transport.thaw(0)
    outcomes = [reply.result().outcome for reply in replies]
    assert outcomes == [SetOutcome.STORED] + [SetOutcome.REFRESHED] * 9
    assert (stage.transport.opened, stage.transport.sent) == (1, {0: 2})


def test_a_handle_at_a_time_may_be_set_to_another(scene: Scene) -> None:
    """``at`` of a handle at a time is at the new time."""
    scene.router.at(START).at(START + 7).set(KEY, HOME).result()
    record = scene.router.at(START).at(START + 10).get(KEY).result()
    assert record is not None
    assert record.age_s == 3


async def test_the_wrong_clock_is_refused_in_a_task(scene: Scene) -> None:
    """A call without its time, or with one that is not wanted, is refused before it is sent."""
    with pytest.raises(InvalidCallError, match=r"handle\.at\(now\)"):
        scene.router.set_many([(KEY, HOME)])
    wall = Scene()
    with pytest.raises(InvalidCallError, match="only a router with clock='event'"):
        await wall.router.at(START).resolve(KEY)
    assert scene.transport.sent == wall.transport.sent == {}


def test_pruning_needs_no_time(scene: Scene) -> None:
    """Pruning and stats take the time from the calls that were made."""
    scene.router.at(START).set(KEY, HOME).result()
    assert scene.router.prune().result().pruned == 0
    scene.router.at(START + 200).get("tg:bot:other").result()
    scene.router.prune().result()
    holdings = scene.router.stats().result().holdings
    assert (holdings.live, holdings.stale) == (0, 1)
