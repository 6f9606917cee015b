"""Stamps: strictly increasing, never later than now, given once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf, nextafter

from hypothesis import given
from hypothesis import strategies as st

from ray_router.handle.stamps import Stamps
from ray_router.testing import ManualClock

from .scene import AWAY, HOME, Scene, in_threads

KEY = "tg:bot:room"
times = st.floats(min_value=0, max_value=1e12, allow_nan=False)


@given(st.lists(times, min_size=1))
def test_each_is_later_than_the_one_before(readings: list[float]) -> None:
    """Whatever the clock does, stands still or goes back, no two stamps are equal or out of order."""
    clock: Iterator[float] = iter(readings)
    stamps = Stamps(lambda: next(clock))
    given_out = [stamps.now() for _ in readings]
    assert all(before < after for before, after in pairwise(given_out))
    assert given_out[0] == readings[0]


@given(st.lists(times, min_size=1))
def test_none_is_ahead_of_the_latest_time_by_more_than_a_hair(readings: list[float]) -> None:
    """A stamp leads the latest time that was read by no more floats than there were stamps before it."""
    clock = iter(readings)
    stamps = Stamps(lambda: next(clock))
    latest = -inf
    for reading in readings:
        latest = max(nextafter(latest, inf), reading)
        assert stamps.now() == latest


@given(times, times)
def test_a_given_stamp_is_clamped_to_now(now: float, stamp: float) -> None:
    """An event cannot have happened later than now; one of the past keeps its time."""
    assert Stamps(lambda: now).at(stamp) == min(now, stamp)


def test_a_given_stamp_may_be_whole() -> None:
    """A stamp in whole seconds travels as any other."""
    stamp = Stamps(ManualClock(10.0)).at(7)
    assert (stamp, type(stamp)) == (7.0, float)


def test_threads_share_a_handle_s_stamps() -> None:
    """Stamps of many threads are all different, while the clock stands still."""
    stamps = Stamps(ManualClock())
    given_out = in_threads([lambda: [stamps.now() for _ in range(500)]] * 4)
    assert all(each == sorted(each) for each in given_out)
    assert len({stamp for each in given_out for stamp in each}) == 2_000


def test_writes_at_one_moment_are_in_order() -> None:
    """Of two writes that the clock cannot tell apart the one submitted last is the newer."""
    scene = Scene()
    for route in (HOME, AWAY, HOME):
        scene.router.set(KEY, route).result()
        assert scene.router.resolve(KEY).result().route == route
    scene.router.set_many([(KEY, HOME), (KEY, AWAY)]).result()
    assert scene.router.resolve(KEY).result().route == AWAY


def test_a_future_observation_is_clamped() -> None:
    """A route of tomorrow is one of now, and does not keep out what comes in an hour."""
    scene = Scene()
    scene.router.set(KEY, HOME, observed_at=scene.clock() + 86_400).result()
    record = scene.router.get(KEY).result()
    assert record is not None
    assert (record.observed_at, record.age_s) == (scene.clock(), 0)
    scene.clock.advance(3_600)
    scene.router.set(KEY, AWAY).result()
    assert scene.router.get(KEY).result().route == AWAY  # type: ignore[union-attr]


def test_the_stamp_is_that_of_the_submission() -> None:
    """A call is stamped when it is made, not when it leaves or arrives."""
    scene = Scene()
    scene.transport.freeze(0)
    scene.router.get(KEY)
    submitted_at = scene.clock()
    reply = scene.router.set(KEY, HOME)
    scene.clock.advance(60)
    scene.transport.thaw(0)
    reply.result()
    record = scene.router.get(KEY).result()
    assert record is not None
    assert (record.observed_at, record.age_s) == (submitted_at, 60)
