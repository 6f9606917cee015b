"""Counting: every event is counted as what it is, by few attributes, whatever was asked and how often."""

from __future__ import annotations

import pytest

from ray_router import Delivery, Route, RouterConfig, SessionKey
from ray_router.core.events import Event, Resolved, WroteRoute
from ray_router.core.operations import Group, Resolve, Set
from ray_router.core.slots import Topology
from ray_router.model import Origin, ResolutionSource, Scope, SetOutcome
from ray_router.telemetry.counts import Counts
from ray_router.telemetry.instruments import FALLBACKS, RESOLVES, SETS, STALE_DETECTIONS, Instrument
from ray_router.telemetry.otel import OtelPartitions
from ray_router.testing import ManualClock, local_router
from ray_router.transport import PartitionShell
from ray_router.wire import Batch, pack_batch

from .events import ONE_OF_EACH
from .reading import InMemory, Series, total, totals

EXPECTED: dict[str, tuple[str, ...]] = {
    "ray_router.resolves": ("3", "fallback", "scope", "stale", "thread"),
    "ray_router.fallbacks": ("3", "scope", "stale"),
    "ray_router.stale_detections": ("3",),
    "ray_router.sets": ("3", "stored", "agent"),
    "ray_router.reports": ("3", "delivered", "applied"),
    "ray_router.deletes": ("3", "found"),
    "ray_router.evictions": ("3", "live"),
    "ray_router.expirations": ("3", "stale"),
    "ray_router.refused": ("3",),
    "ray_router.pressure.changes": ("3", "normal", "shed"),
    "ray_router.service.changes": ("3", "out"),
    "ray_router.autoscaling.decisions": ("3", "up", "entries"),
    "ray_router.snapshots": ("3", "failed"),
}


def test_each_event_is_counted_once_as_what_it_is() -> None:
    """One of each kind gives one of each count, with the values of its attributes; twice gives two."""
    counts = Counts()
    for event in ONE_OF_EACH * 2:
        counts(event)
    assert {
        instrument.name: (values, number) for (instrument, values), number in counts.points().items()
    } == {name: (values, 2) for name, values in EXPECTED.items()}


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        (Resolved(0, Scope.ROOM, ResolutionSource.EXACT, None, False, 1_000), RESOLVES),
        (WroteRoute(0, Scope.ROOM, SetOutcome.STORED, Origin.INBOUND, 1_000), SETS),
    ],
)
def test_an_event_counts_for_as_many_as_it_stands_for(event: Event, counted: Instrument) -> None:
    """An event of a thousand occurrences and a thousand events count the same."""
    at_once, one_by_one = Counts(), Counts()
    at_once(event)
    for _ in range(1_000):
        one_by_one(event._replace(number=1))  # type: ignore[call-arg]  # both kinds have it
    assert at_once.points() == one_by_one.points()
    assert {instrument for instrument, _ in at_once.points()} == {counted}
    assert set(at_once.points().values()) == {1_000}


@pytest.mark.parametrize(
    ("source", "stale", "counted"),
    [
        (ResolutionSource.EXACT, False, {RESOLVES}),
        (ResolutionSource.NONE, False, {RESOLVES}),
        (ResolutionSource.NONE, True, {RESOLVES, STALE_DETECTIONS}),
        (ResolutionSource.PROVIDED, False, {RESOLVES, FALLBACKS}),
        (ResolutionSource.STALE, True, {RESOLVES, FALLBACKS, STALE_DETECTIONS}),
    ],
)
def test_a_fallback_and_a_stale_primary_are_counted_beside_the_resolve(
    source: ResolutionSource, stale: bool, counted: set[Instrument]
) -> None:
    """What answered decides whether it was a fallback; what the primary was, whether it was stale."""
    counts = Counts()
    counts(Resolved(0, Scope.ROOM, source, None, stale))
    assert {instrument for instrument, _ in counts.points()} == counted


def test_a_routers_whole_traffic_is_counted() -> None:
    """What a user does through a handle arrives at the meter, and agrees with the stats."""
    clock, memory = ManualClock(1_000_000.0), InMemory()
    config = RouterConfig(name="chat", partitions=1, ttl_s=10, max_entries_per_partition=2)
    router = local_router(
        config, clock=clock, observer=OtelPartitions("chat", memory.provider.get_meter("test"))
    )
    key, route = SessionKey("telegram", "bot", "room"), Route("1")
    router.resolve(key).result()
    router.set(key, route).result()
    router.resolve(SessionKey("telegram", "bot", "room", "thread"), [route]).result()
    router.report(key, route, Delivery.DELIVERED).result()
    clock.advance(60)
    router.resolve(key, [route]).result()
    for room in ("a", "b", "c"):
        router.set(SessionKey("telegram", "bot", room), route, origin=Origin.AGENT).result()
    router.delete(SessionKey("telegram", "bot", "c")).result()
    series, traffic = memory.series(), router.stats().result().traffic
    resolves = totals(series, "ray_router.resolves", "outcome", "source", "reason", "scope")
    assert resolves == {
        ("miss", "none", "miss", "room"): 1,
        ("fallback", "scope", "scope_miss", "thread"): 1,
        ("fallback", "provided", "stale", "room"): 1,
    }
    assert total(series, "ray_router.fallbacks") == traffic.fallbacks == 2
    assert total(series, "ray_router.stale_detections") == traffic.stale_detections == 1
    assert totals(series, "ray_router.sets", "outcome", "origin") == {
        ("stored", "inbound"): 1,
        ("stored", "agent"): 3,
    }
    assert totals(series, "ray_router.evictions", "cause") == {
        ("stale",): traffic.evicted_stale,
        ("live",): traffic.evicted_live,
    }
    assert totals(series, "ray_router.reports", "delivery") == {("delivered",): 1}
    assert totals(series, "ray_router.deletes", "outcome") == {("found",): 1}
    assert all(dict(attributes)["router"] == "chat" for _, attributes in series)


def series_after(sessions: int) -> Series:
    """What is collected when so many sessions, each of its own room, wrote and were resolved."""
    memory = InMemory()
    config = RouterConfig(name="chat", partitions=1, max_entries_per_partition=1_000)
    observer = OtelPartitions("chat", memory.provider.get_meter("test"))
    shell = PartitionShell(0, config, Topology.balanced(1), observer=observer)
    observer.watch(shell.stats)
    route = Route("1").text
    for first in range(0, sessions, 1_000):
        keys = [f"telegram:bot:{number}" for number in range(first, min(sessions, first + 1_000))]
        sets = tuple(Set(key, route, 1_000_000.0) for key in keys)
        shell.apply(
            pack_batch(Batch(1, config.fingerprint, 0, (Group(sets), Group((Resolve(tuple(keys)),)))))
        )
    shell.apply(pack_batch(Batch(1, config.fingerprint, 0, (Group((Resolve(("telegram:bot:none",)),)),))))
    assert total(memory.series(), "ray_router.resolves") == sessions + 1
    return memory.series()


def test_many_sessions_make_no_more_series_than_few() -> None:
    """Thousands of sessions make the same series as a few that met the same fates."""
    few, many = series_after(2_000), series_after(20_000)
    assert set(few) == set(many)


@pytest.mark.chaos
def test_a_million_sessions_make_no_more_series_than_ten() -> None:
    """A million sessions are told as events; the series are those of ten."""

    def series(sessions: int) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        memory = InMemory()
        router = local_router(
            RouterConfig(name="chat", partitions=2, ttl_s=None),
            observer=OtelPartitions("chat", memory.provider.get_meter("test")),
        )
        for first in range(0, sessions, 50_000):
            keys = [f"telegram:bot:{number}" for number in range(first, min(sessions, first + 50_000))]
            router.resolve_many(keys).result()
            router.set_many([(key, Route("1")) for key in keys[:10]]).result()
            router.resolve_many(keys[:10]).result()
        assert total(memory.series(), "ray_router.resolves") >= sessions
        return set(memory.series())

    assert series(1_000_000) == series(10)
