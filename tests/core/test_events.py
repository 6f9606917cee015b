"""Events: one for each occurrence, with the right fields, to an observer who can break nothing."""

from __future__ import annotations

import logging

import pytest

from ray_router.core.events import (
    Deleted,
    Event,
    Evicted,
    MovedOn,
    RefusedInput,
    Reported,
    Resolved,
    Unguarded,
    WroteRoute,
)
from ray_router.core.operations import Delete, Get, Group, Operation, Resolve
from ray_router.core.partition import Partition
from ray_router.core.settings import PartitionSettings
from ray_router.core.table import Phase
from ray_router.model import (
    Delivery,
    FallbackReason,
    Origin,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
)

from .strategies import CHANNEL, INSTANCE, ROOM, THREAD, ask, delivered, moved, permanent, transient, write

SETTINGS = PartitionSettings(
    ttl_s=10.0,
    stale_retention_s=20.0,
    tombstone_retention_s=30.0,
    capacity=2,
    max_candidates=1,
    min_live_age_s=0.0,
)


def told_of(known: list[Operation], asked: list[Operation], now: float) -> list[Event]:
    """What partition 7 tells of what it is asked, after it knows something."""
    told: list[Event] = []
    partition = Partition(7, SETTINGS, told.append)
    ask(partition, *known, now=0)
    told.clear()
    ask(partition, *asked, now=now)
    return told


@pytest.mark.parametrize(
    ("written", "scope", "outcome", "origin"),
    [
        (write(THREAD, "A", 1), Scope.THREAD, SetOutcome.STORED, Origin.INBOUND),
        (write(ROOM, "A", 1, origin=2), Scope.ROOM, SetOutcome.REFRESHED, Origin.INBOUND),
        (write(ROOM, "B", -1), Scope.ROOM, SetOutcome.SUPERSEDED, Origin.INBOUND),
        (write(INSTANCE, "A", 1, origin=0), Scope.INSTANCE, SetOutcome.STORED, Origin.SYSTEM),
        (write(CHANNEL, "A", 1, origin=Origin.OPERATOR), Scope.CHANNEL, SetOutcome.STORED, Origin.OPERATOR),
    ],
)
def test_a_write_is_told(written: Operation, scope: Scope, outcome: SetOutcome, origin: Origin) -> None:
    """A write is told with its scope, outcome and origin."""
    (event,) = told_of([write(ROOM, "A", 0)], [written], now=1)
    assert event == WroteRoute(7, scope, outcome, origin)
    assert isinstance(event, WroteRoute) and isinstance(event.origin, Origin)


def test_each_key_resolved_is_told() -> None:
    """A resolve of several keys is told key by key, with the asking key's scope."""
    asked = Resolve((THREAD, ROOM, "tg:bot:other"))
    assert told_of([write(ROOM, "A", 0)], [asked], now=1) == [
        Resolved(
            7,
            Scope.THREAD,
            ResolutionSource.SCOPE,
            FallbackReason.SCOPE_MISS,
            False,
        ),
        Resolved(7, Scope.ROOM, ResolutionSource.EXACT, None, False),
        Resolved(7, Scope.ROOM, ResolutionSource.NONE, FallbackReason.MISS, False),
    ]


@pytest.mark.parametrize(
    ("report", "delivery", "outcome"),
    [
        (delivered(ROOM, "A", 1), Delivery.DELIVERED, ReportOutcome.APPLIED),
        (permanent(ROOM, "A", 1), Delivery.PERMANENT, ReportOutcome.APPLIED),
        (transient(ROOM, "A", 1), Delivery.TRANSIENT, ReportOutcome.APPLIED),
        (moved(ROOM, "A", 1, "B"), Delivery.MOVED, ReportOutcome.APPLIED),
        (moved(ROOM, "A", 1, "B")._replace(delivery="moved"), Delivery.MOVED, ReportOutcome.APPLIED),  # type: ignore[arg-type]
        (moved(ROOM, "A", -1, "B"), Delivery.MOVED, ReportOutcome.SUPERSEDED),
        (delivered(ROOM, "Z", -9), Delivery.DELIVERED, ReportOutcome.SUPERSEDED),
    ],
)
def test_a_report_is_told(report: Operation, delivery: Delivery, outcome: ReportOutcome) -> None:
    """A report is told with its kind and what became of it."""
    known: list[Operation] = [write(ROOM, "A", 0), Delete(ROOM, -5)]
    (event,) = told_of(known, [report], now=1)
    assert event == Reported(7, delivery, outcome)
    assert isinstance(event, Reported) and isinstance(event.delivery, Delivery)


@pytest.mark.parametrize(("key", "found"), [(ROOM, True), (THREAD, False)])
def test_a_deletion_is_told(key: str, found: bool) -> None:
    """A deletion is told with whether there was a route."""
    assert told_of([write(ROOM, "A", 0)], [Delete(key, 1)], now=1) == [Deleted(7, found)]


def test_an_eviction_is_told() -> None:
    """An eviction is told with the phase and the age of what left, before the write that caused it."""
    known: list[Operation] = [write("tg:bot:a", "A", 0), write("tg:bot:b", "B", 0)]
    assert told_of(known, [write("tg:bot:c", "C", 4)], now=4) == [
        Evicted(7, Phase.LIVE, 4.0),
        WroteRoute(7, Scope.ROOM, SetOutcome.STORED, Origin.INBOUND),
    ]


def test_moving_on_is_told_step_by_step() -> None:
    """Going stale, expiring and being forgotten are told, each once."""
    told: list[Event] = []
    partition = Partition(7, SETTINGS, told.append)
    ask(partition, write(ROOM, "A", 0), now=0)
    told.clear()
    for now in range(70):
        partition.tidy(now, most=10)
    assert told == [
        MovedOn(7, Phase.LIVE, Phase.STALE),
        MovedOn(7, Phase.STALE, Phase.TOMBSTONE),
        MovedOn(7, Phase.TOMBSTONE, None),
    ]


def test_moving_on_to_make_room_is_told() -> None:
    """What moves on because room is needed is told like what moves on in its own time."""
    known: list[Operation] = [write("tg:bot:a", "A", 0), write("tg:bot:b", "B", 5)]
    assert told_of(known, [write("tg:bot:c", "C", 12)], now=12) == [
        MovedOn(7, Phase.LIVE, Phase.STALE),
        Evicted(7, Phase.STALE, 12.0),
        WroteRoute(7, Scope.ROOM, SetOutcome.STORED, Origin.INBOUND),
    ]


def test_refused_input_is_told() -> None:
    """Bad input is told with the name of the field, and without its content."""
    asked: list[Operation] = [write(ROOM, "", 0), Resolve(("nonsense",)), Get("tg:bot:100%")]
    assert told_of([], asked, now=1) == [
        RefusedInput(7, "external_room_id"),
        RefusedInput(7, "key"),
        RefusedInput(7, "room"),
    ]


def test_looking_is_not_told() -> None:
    """A look leaves no trace."""
    assert told_of([write(ROOM, "A", 0)], [Get(ROOM)], now=1) == []


def test_events_carry_no_key_and_no_route() -> None:
    """Nothing that is told names a session, a room or a route."""
    asked: list[Operation] = [
        write(THREAD, "secret", 1),
        Resolve((THREAD, ROOM)),
        moved(THREAD, "secret", 2, "secret"),
        Delete(THREAD, 3),
        write("tg:bot:secret\ud800", "secret", 1),
    ]
    told = told_of([write(ROOM, "secret", 0)], asked, now=3)
    assert len(told) == 6
    assert not any("secret" in repr(event) or "tg" in repr(event) for event in told)


def test_an_observer_that_raises_breaks_nothing_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever the observer raises, answers are as without it, and the first failure is in the log."""

    def observe(event: Event) -> None:
        raise RuntimeError("the observer is broken")

    operations = (
        write(ROOM, "A", 0),
        Resolve((THREAD, "nonsense")),
        delivered(ROOM, "A", 1),
        Delete(ROOM, 2),
        Get("nonsense"),
    )
    watched, unwatched = Partition(7, SETTINGS, observe), Partition(7, SETTINGS)
    with caplog.at_level(logging.ERROR):
        results = watched.apply((Group(operations),), now=3)
    assert results == unwatched.apply((Group(operations),), now=3)
    assert watched.stats(3) == unwatched.stats(3)
    (record,) = caplog.records
    assert "WroteRoute" in record.getMessage()
    assert record.exc_info is not None and "the observer is broken" in str(record.exc_info[1])


def test_an_observer_of_a_test_is_heard_when_it_fails() -> None:
    """Unguarded, what it raises reaches whoever asked."""
    told: list[Event] = []

    def observe(event: Event) -> None:
        told.append(event)
        raise RuntimeError("not as expected")

    partition = Partition(7, SETTINGS, Unguarded(observe))
    with pytest.raises(RuntimeError, match="not as expected"):
        ask(partition, write(ROOM, "A", 0), now=0)
    assert len(told) == 1
