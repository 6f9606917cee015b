"""Observers that fail: nothing breaks, one line says so, and in tests it is loud."""

from __future__ import annotations

import logging

import pytest

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.core.events import Event, Resolved, guarded
from ray_router.telemetry import FanOut
from ray_router.telemetry.fan_out import joined
from ray_router.testing import RecordingObserver, local_router, loud

from .events import ONE_OF_EACH

KEY, ROUTE = "telegram:bot:room", Route("1")


class Broken(Exception):
    """What a broken observer raises."""


def broken(event: Event) -> None:
    """An observer that is."""
    raise Broken(type(event).__name__)


def test_a_broken_observer_breaks_nothing_and_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """Every call of a router of several partitions is answered as if nobody watched; the log has one line."""
    transport = LocalTransport(RouterConfig(partitions=3), observer=broken)
    router = RouterHandle(transport)
    unwatched = local_router(RouterConfig(partitions=3))
    with caplog.at_level(logging.ERROR):
        for each in (router, unwatched):
            each.set_many([(f"telegram:bot:{number}", ROUTE) for number in range(50)]).result()
        ours, theirs = (
            [answer.source for answer in each.resolve_many([KEY, "telegram:bot:1"]).result()]
            for each in (router, unwatched)
        )
    assert ours == theirs
    assert router.stats().result().traffic == unwatched.stats().result().traffic
    (record,) = caplog.records
    assert record.exc_info is not None and isinstance(record.exc_info[1], Broken)


def test_a_broken_observer_is_loud_in_tests() -> None:
    """A router of ``ray_router.testing`` passes on what its observer raises."""
    router = local_router(observer=broken)
    with pytest.raises(Broken):
        router.set(KEY, ROUTE).result()


def test_loudness_is_kept_however_often_an_observer_is_handed_on() -> None:
    """Guarding a loud observer leaves it loud; guarding a guarded one changes nothing."""
    observer = loud(broken)
    assert guarded(observer) is observer
    quiet = guarded(broken)
    assert guarded(quiet) is quiet


def test_one_of_several_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever comes after it is told all the same, and it is reported once."""
    before, after = RecordingObserver(), RecordingObserver()
    fan_out = FanOut([before, broken, after])
    for event in ONE_OF_EACH:
        fan_out(event)
    assert tuple(before.events) == tuple(after.events) == ONE_OF_EACH
    assert len(caplog.records) == 1


def test_nobody_watching_is_no_observer() -> None:
    """Joining nothing gives nothing, and joining one gives that one, at no cost."""
    only = RecordingObserver()
    assert joined([]) is None
    assert joined([None]) is None
    assert joined([None, only]) is only


def test_a_router_tells_two_observers_the_same() -> None:
    """Both hear of every resolve."""
    first, second = RecordingObserver(), RecordingObserver()
    router = local_router(observer=FanOut([first, second]))
    router.resolve(KEY).result()
    assert len(first.of(Resolved)) == 1
    assert first.events == second.events
