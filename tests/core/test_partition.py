"""A partition as a whole: what each operation answers, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from ray_router.core.operations import Delete, Get, Group, Look, Operation, Refused, Report, Resolve, Written
from ray_router.model import (
    Confidence,
    Delivery,
    Freshness,
    Holdings,
    Origin,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
    Traffic,
)

from .strategies import (
    CHANNEL,
    INSTANCE,
    ROOM,
    THREAD,
    answers_of,
    ask,
    delivered,
    holdings_of,
    moved,
    partition_of,
    permanent,
    resolve,
    routes_of,
    state_of,
    transient,
    write,
)


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        (write(ROOM, "A", 6), SetOutcome.REFRESHED),
        (write(ROOM, "A", 5), SetOutcome.REFRESHED),
        (write(ROOM, "A", 4), SetOutcome.SUPERSEDED),
        (write(ROOM, "B", 4), SetOutcome.STORED),
        (write(ROOM, "B", 2), SetOutcome.SUPERSEDED),
        (write(ROOM, "A", 4, origin=Origin.AGENT), SetOutcome.REFRESHED),
        (write(ROOM, "Z", 1), SetOutcome.SUPERSEDED),
        (write(THREAD, "A", 1), SetOutcome.STORED),
    ],
    ids=[
        "a newer stamp",
        "the same again",
        "an older stamp of a known route",
        "another route",
        "what was deleted",
        "another origin of a known route",
        "older than all that is kept",
        "another session",
    ],
)
def test_what_became_of_a_write(written: Operation, outcome: SetOutcome) -> None:
    """A write is answered by what it did."""
    partition = partition_of(max_candidates=3)
    ask(partition, write(ROOM, "A", 5), Delete(ROOM, 2), now=10)
    assert ask(partition, written, now=10) == (Written(outcome),)


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (delivered(ROOM, "A", 6), ReportOutcome.APPLIED),
        (delivered(ROOM, "A", 5), ReportOutcome.APPLIED),
        (delivered(ROOM, "A", 4), ReportOutcome.SUPERSEDED),
        (permanent(ROOM, "A", 4), ReportOutcome.APPLIED),
        (transient(ROOM, "A", 4), ReportOutcome.APPLIED),
        (moved(ROOM, "A", 4, "B"), ReportOutcome.APPLIED),
        (moved(ROOM, "A", 3, "C"), ReportOutcome.SUPERSEDED),
        (permanent(ROOM, "A", 2), ReportOutcome.SUPERSEDED),
        (transient(ROOM, "A", 2), ReportOutcome.SUPERSEDED),
        (permanent(THREAD, "A", 2), ReportOutcome.APPLIED),
    ],
)
def test_what_became_of_a_report(report: Operation, outcome: ReportOutcome) -> None:
    """A report applies unless something newer stands, or what it tells of was deleted."""
    partition = partition_of()
    ask(partition, write(ROOM, "C", 5), delivered(ROOM, "A", 5), Delete(ROOM, 2), now=10)
    assert ask(partition, report, now=10) == (outcome,)


@pytest.mark.parametrize("delivery", list(Delivery))
def test_a_kind_of_report_may_travel_as_its_spelling(delivery: Delivery) -> None:
    """A report means the same whether its kind is a word of the vocabulary or that word's value."""
    moved_to = "B" if delivery is Delivery.MOVED else None
    report = Report(ROOM, "A", delivery, 5.0, moved_to)
    spelled = report._replace(delivery=delivery.value)  # type: ignore[arg-type]
    one, other = partition_of(), partition_of()
    assert ask(one, report, now=5) == ask(other, spelled, now=5)
    assert state_of(one, ROOM) == state_of(other, ROOM)


def test_a_deletion_says_whether_a_route_went() -> None:
    """A deletion is true when it took a route away, and refuses only what is not newer."""
    partition = partition_of()
    ask(partition, write(ROOM, "A", 3), write(ROOM, "B", 5), write(INSTANCE, "I", 3), now=9)
    asked = (Delete(ROOM, 2), Delete(ROOM, 4), Delete(ROOM, 4), Delete(THREAD, 9), Delete(INSTANCE, 3))
    assert ask(partition, *asked, now=9) == (False, True, False, False, True)
    assert routes_of(partition, ROOM) == {"B"}
    assert routes_of(partition, INSTANCE) == set()


@pytest.mark.parametrize("key", [ROOM, INSTANCE])
def test_a_look_tells_all(key: str) -> None:
    """A look gives the routes in their order, and the primary's stamps."""
    partition = partition_of(stale_retention_s=20.0)
    ask(partition, write(key, "A", 1, ttl_s=9), write(key, "B", 3, ttl_s=9), now=3)
    ask(partition, write(key, "O", 2, origin=Origin.OPERATOR, ttl_s=9), now=3)
    (look,) = ask(partition, Get(key), now=5)
    assert look == Look(("O", "B", "A"), Freshness.FRESH, 2.0, 3.0, 6.0, Origin.OPERATOR, False)


def test_a_look_at_a_stale_or_failed_session() -> None:
    """A look says that the primary is past its TTL, and that it is held back."""
    partition = partition_of(ttl_s=10.0, stale_retention_s=20.0)
    ask(partition, write(ROOM, "A", 0), now=0)
    (look,) = ask(partition, Get(ROOM), now=12)
    assert (look.freshness, look.expires_in_s, look.failed) == (Freshness.STALE, -2.0, False)
    ask(partition, permanent(ROOM, "A", 1), now=12)
    assert ask(partition, Get(ROOM), now=12)[0].failed
    ask(partition, write(ROOM, "A", 13), transient(ROOM, "A", 14), now=14)
    assert [ask(partition, Get(ROOM), now=now)[0].failed for now in (14, 15)] == [True, False]


def test_a_look_at_nothing() -> None:
    """There is nothing to see of a session without routes, or past its retention."""
    partition = partition_of(ttl_s=10.0, stale_retention_s=20.0)
    ask(partition, write(ROOM, "A", 0), permanent(THREAD, "A", 0), now=0)
    assert ask(partition, Get(THREAD), Get(CHANNEL), now=30) == (None, None)
    assert ask(partition, Get(ROOM), now=30)[0] is not None
    assert ask(partition, Get(ROOM), now=30.5) == (None,)


def test_a_look_touches_nothing() -> None:
    """A look makes nobody recent."""
    partition = partition_of(capacity=2)
    ask(partition, write("tg:bot:a", "A", 0), write("tg:bot:b", "B", 0), now=0)
    ask(partition, Get("tg:bot:a"), write("tg:bot:c", "C", 0), now=0)
    assert (routes_of(partition, "tg:bot:a"), routes_of(partition, "tg:bot:b")) == (set(), {"B"})


def test_keys_are_answered_in_the_order_asked() -> None:
    """A resolve of many keys, repeated ones among them, answers each in its place."""
    partition = partition_of()
    ask(partition, write("tg:bot:a", "A", 0), write("tg:bot:b", "B", 0), now=0)
    asked = Resolve(("tg:bot:b", "tg:bot:a", "nonsense", "tg:bot:c", "tg:bot:b"), ("P",))
    (answers,) = ask(partition, asked, now=0)
    assert isinstance(answers[2], Refused)
    assert [answer.route for answer in answers if not isinstance(answer, Refused)] == ["B", "A", "P", "B"]


def test_groups_are_carried_out_in_order() -> None:
    """Each group of a batch sees what the groups before it did."""
    partition = partition_of()
    batch = [Group((write(ROOM, "A", 0), Get(ROOM))), Group((Delete(ROOM, 0),)), Group((Get(ROOM),))]
    results: Any = partition.apply(batch, 0)
    (written, look), (deleted,), (nothing,) = results
    assert (written.outcome, look.routes, deleted, nothing) == (SetOutcome.STORED, ("A",), True, None)


@pytest.mark.parametrize(("at", "age_s"), [(100, 0.0), (105, 0.0), (105.1, 0.0), (1e9, 0.0), (99, 1.0)])
@pytest.mark.parametrize("told", [write(ROOM, "A", 0), moved(ROOM, "Z", 0, "A")])
def test_a_stamp_far_ahead_is_clamped(told: Any, at: float, age_s: float) -> None:
    """A stamp beyond the clock skew becomes now, so that what really is later can correct it."""
    partition = partition_of(max_clock_skew_s=5.0)
    field = "at" if isinstance(told, Report) else "observed_at"
    ask(partition, told._replace(**{field: at}), now=100)
    look = ask(partition, Get(ROOM), now=100)[0]
    assert (look.observed_at, look.age_s) == (at if at <= 105 else 100, age_s)


def test_a_deletion_far_ahead_is_clamped() -> None:
    """A deletion cannot forbid the future."""
    partition = partition_of(max_clock_skew_s=5.0)
    ask(partition, Delete(ROOM, 1e9), now=100)
    assert ask(partition, write(ROOM, "A", 101), now=101) == (Written(SetOutcome.STORED),)


def test_an_event_clock_is_each_groups_own() -> None:
    """On a router of events each group says when it happens, and the shell's clock is not asked."""
    partition = partition_of(event_clock=True, ttl_s=10.0)
    batch = [
        Group((write(ROOM, "A", 0),), 0.0),
        Group((Resolve((ROOM,)),), 10.0),
        Group((Resolve((ROOM,)),), 11),
    ]
    for now in (None, 1e12):
        results: Any = partition.apply(batch, now)
        ((fresh,),), ((stale,),) = (answers_of(partition, batch[group], results[group]) for group in (1, 2))
        assert (fresh.route, stale.route, stale.stale) == ("A", None, True)


def test_the_ladder_is_one_call_however_many_sessions_there_are() -> None:
    """A thread without a route of its own is answered by its room's, a thousand times of a thousand."""
    partition = partition_of()
    rooms = [f"tg:bot:{number}" for number in range(1000)]
    ask(partition, *(write(room, room, 0) for room in rooms), now=0)
    (answers,) = ask(partition, Resolve(tuple(f"{room}:thread" for room in rooms)), now=1)
    assert [answer.route for answer in answers] == rooms
    assert {(answer.source, answer.matched_scope) for answer in answers} == {
        (ResolutionSource.SCOPE, Scope.ROOM)
    }


def test_everything_is_counted() -> None:
    """Each operation is counted once, under what became of it."""
    partition = partition_of(ttl_s=10.0, min_live_age_s=0.0)
    ask(
        partition,
        write(ROOM, "A", 0),
        write(ROOM, "A", 1),
        write(ROOM, "A", 0),
        write(THREAD, "T", 1),
        write(THREAD, "U", 2),
        write(INSTANCE, "I", 0),
        permanent(THREAD, "U", 3),
        Resolve((ROOM, THREAD, ROOM + ":other", "tg:bot:none", "nonsense")),
        Resolve(("tg:bot:none",), ("P",)),
        Delete("tg:bot:none", 1),
        Get(ROOM),
        Get("nonsense"),
        now=5,
    )
    resolve(partition, ROOM, now=15, allow_stale=True)
    stats = partition.stats(15)
    assert stats.traffic == Traffic(
        resolves=6,
        exact=1,
        alternate=1,
        scope=1,
        provided=1,
        misses=1,
        stale_answers=1,
        stale_detections=1,
        stored=4,
        refreshed=1,
        superseded=1,
        reports=1,
        deletes=1,
        refused=2,
        new_sessions=2,
        went_stale=2,
    )
    assert stats.holdings == Holdings(live=0, stale=2, tombstones=1, defaults=1)
    assert (stats.partition, stats.capacity, stats.level) == (0, 100_000, PressureLevel.NORMAL)


def test_partitions_share_nothing() -> None:
    """What one partition knows another does not."""
    one, other = partition_of(), partition_of()
    ask(one, write(ROOM, "A", 0), write(INSTANCE, "I", 0), now=0)
    assert holdings_of(other) == Holdings()
    assert resolve(other, ROOM, now=0).confidence is Confidence.NONE


def test_it_says_how_long_it_worked_and_what_it_learnt() -> None:
    """Seconds that calls took count in its windows; one without insight has learnt nothing."""
    partition = partition_of()
    ask(partition, write(ROOM, "A", 0), now=0)
    for service_s in (0.25, 0.5):
        partition.worked(service_s)
    assert [window.busy_s for window in partition.stats(1).windows] == [0.75] * 3
    learnt = partition.insight(1)
    assert (learnt.partition, learnt.reuse.uses, learnt.reuse.asks, learnt.load.uses) == (0, 0, 0, 0)
