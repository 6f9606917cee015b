"""An explanation: the whole ladder, with what is made of each route, and nothing changed by asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.ladder import Own, Rules, Wider, Wishes
from ray_router.core.operations import Answer, Considered, Explain, Explained, Operation, Resolve
from ray_router.core.partition import Partition
from ray_router.core.resolver import explain, resolve
from ray_router.core.standing import Backoff
from ray_router.model import Confidence, FallbackReason, Origin, ResolutionSource, Scope, Verdict

from .strategies import (
    CHANNEL,
    INSTANCE,
    LINEAGE,
    ROOM,
    ROUTES,
    THREAD,
    ask,
    delivered,
    operations_on,
    partition_of,
    permanent,
    states,
    steadily,
    transient,
    write,
)
from .strategies import resolve as resolve_one

RULES = Rules(Backoff(2.0, 8.0), 20.0, 30.0)
RUNGS = list(ResolutionSource)
ELSEWHERE = "E\x1f\x1fslack"

moments = st.sampled_from((4.0, 8.0, 9.0, 12.0, 20.0, 40.0, 70.0))
wishes = st.builds(
    Wishes,
    st.sampled_from([(), ("A",), ("P", "B"), ROUTES, (ELSEWHERE, "P")]),
    st.booleans(),
    st.sampled_from(Confidence),
    st.sampled_from(Scope),
)
WORDS = {
    "fallbacks": st.sampled_from([(), ("A",), ("P", "B")]),
    "allow_stale": st.booleans(),
    "widest_scope": st.sampled_from(Scope),
    "min_confidence": st.sampled_from(Confidence),
}


def partition_that_heard(*operations: Operation) -> Partition:
    """A partition that was told these, whatever their stamps."""
    partition = partition_of(
        ttl_s=10.0,
        stale_retention_s=20.0,
        tombstone_retention_s=30.0,
        max_clock_skew_s=1e6,
        backoff_first_s=2.0,
        backoff_cap_s=8.0,
    )
    ask(partition, *operations, now=0)
    return partition


def explained(partition: Partition, key: str, now: float, **wished: Any) -> Explained:
    """Explain one key."""
    (found,) = ask(partition, Explain(key, **wished), now=now)
    assert isinstance(found, Explained), found
    return found


def verdicts(found: Explained) -> list[tuple[str, str, str]]:
    """(rung, route, verdict) of all that was considered."""
    return [(each.source.value, each.route, each.verdict.value) for each in found.considered]


@steadily(200)
@given(states, st.booleans(), states, states, states, wishes, moments)
def test_the_winner_is_what_resolve_answers(
    own: Any, expired: bool, room: Any, instance: Any, channel: Any, wished: Wishes, now: float
) -> None:
    """Whatever is known of whomever, and whatever is wished for."""
    known = Own(own, expired and not own.observations)
    scopes = [
        Wider(Scope.ROOM, ROOM, room),
        Wider(Scope.INSTANCE, INSTANCE, instance),
        Wider(Scope.CHANNEL, CHANNEL, channel),
    ]
    within = [each for each in scopes if each.scope <= wished.widest_scope]
    answer, _ = resolve(THREAD, known, within, wished, RULES, now)
    found = explain(THREAD, known, scopes, wished, RULES, now)
    assert found.answer == answer
    winners = [each for each in found.considered if each.verdict is Verdict.ANSWERED]
    assert len(winners) == (answer.route is not None)
    for winner in winners:
        assert (winner.source, winner.route, winner.confidence) == (
            answer.source,
            answer.route,
            answer.confidence,
        )
        assert winner.scope == answer.matched_scope
    assert_is_a_ladder(found, wished, now)


def assert_is_a_ladder(found: Explained, wished: Wishes, now: float) -> None:
    """Rungs come in their order, nothing before the winner would have done, and each verdict is so."""
    places = [RUNGS.index(each.source) for each in found.considered]
    assert places == sorted(places)
    answered = False
    for each in found.considered:
        assert each.verdict is not Verdict.OUTRANKED or answered
        answered = answered or each.verdict is Verdict.ANSWERED
        assert SO[each.verdict](each, wished, now), each


def fresh(each: Considered, now: float) -> bool:
    """Whether a route is within its TTL; the caller's have none."""
    return each.lives_until is None or now <= each.lives_until


def good_enough(each: Considered, wished: Wishes, now: float) -> bool:
    """Fresh or asked for all the same, sure enough, narrow enough."""
    stale_wanted = each.source is ResolutionSource.STALE and wished.allow_stale
    narrow = each.source is not ResolutionSource.SCOPE or (each.scope or 0) <= wished.widest_scope
    return (fresh(each, now) or stale_wanted) and each.confidence >= wished.min_confidence and narrow


SO: dict[Verdict, Callable[[Considered, Wishes, float], bool]] = {
    Verdict.ANSWERED: good_enough,
    Verdict.OUTRANKED: good_enough,
    Verdict.FAILED: lambda each, _, now: each.held_until == float("inf"),
    Verdict.DEFERRED: lambda each, _, now: each.held_until is not None and each.held_until > now,
    Verdict.FAILED_HERE: lambda each, _, now: each.held_until is not None and each.held_until > now,
    Verdict.STALE: lambda each, _, now: not fresh(each, now),
    Verdict.EXPIRED: lambda each, _, now: (each.lives_until or 0) + RULES.stale_retention_s < now,
    Verdict.UNSURE: lambda each, wished, _: each.confidence < wished.min_confidence,
    Verdict.MISFIT: lambda each, *_: each.route == ELSEWHERE,
    Verdict.TOO_WIDE: lambda each, wished, _: (each.scope or 0) > wished.widest_scope,
    Verdict.UNASKED: lambda each, wished, now: not (wished.allow_stale or fresh(each, now)),
}


known_operations = st.lists(
    st.one_of([operations_on(key, st.sampled_from((None, 2.0))) for key in LINEAGE]), max_size=10
)


@steadily(200)
@given(known_operations, moments, st.sampled_from(LINEAGE), st.fixed_dictionaries(WORDS))
def test_a_partition_explains_what_it_answers(
    known: list[Operation], now: float, key: str, wished: dict[str, Any]
) -> None:
    """Over what it stores, tombstones and defaults included, and by way of what callers are given."""
    partition = partition_that_heard(*known)
    found = explained(partition, key, now, **wished)
    answer = resolve_one(partition, key, now, **wished)
    assert found.answer == answer
    assert explained(partition, key, now, **wished) == found


def test_asking_is_no_traffic() -> None:
    """It is not counted, and nothing is learnt from it."""
    partition = partition_that_heard(write(ROOM, "R", 0))
    before = partition.stats(1.0)
    explained(partition, THREAD, 1.0)
    after = partition.stats(1.0)
    assert (after.traffic, after.load, after.windows) == (before.traffic, before.load, before.windows)


def test_asking_keeps_nothing_from_eviction() -> None:
    """A session that was explained is as old as before; one that was resolved is not."""
    for operation, left in ((Explain("tg:bot:1"), "tg:bot:1"), (Resolve(("tg:bot:1",)), "tg:bot:2")):
        partition = partition_of(capacity=2, eviction="lru")
        ask(partition, write("tg:bot:1", "A", 0), write("tg:bot:2", "B", 1), operation, now=2)
        ask(partition, write("tg:bot:3", "C", 3), now=3)
        (gone,) = [key for key in ("tg:bot:1", "tg:bot:2") if not resolve_one(partition, key, 3).route]
        assert gone == left


def test_every_route_is_told_of_with_its_reason() -> None:
    """Failed, deferred, past its TTL, wider than asked for, of another channel, and outranked."""
    partition = partition_that_heard(
        write(THREAD, "A", 0, ttl_s=1),
        write(THREAD, "B", 1),
        write(THREAD, "C", 2),
        permanent(THREAD, "C", 3),
        transient(THREAD, "B", 3),
        write(ROOM, "R", 2),
        write(INSTANCE, "I", 2),
    )
    assert verdicts(explained(partition, THREAD, 4, fallbacks=("P", ELSEWHERE, "C"))) == [
        ("exact", "C", "failed"),
        ("alternate", "B", "deferred"),
        ("alternate", "A", "stale"),
        ("scope", "R", "answered"),
        ("scope", "I", "too_wide"),
        ("provided", "P", "outranked"),
        ("provided", ELSEWHERE, "misfit"),
        ("provided", "C", "failed_here"),
        ("stale", "A", "unasked"),
    ]


def test_what_is_stale_is_told_of_by_its_evidence() -> None:
    """The freshest first; those past their retention, and those a report holds back, are passed over."""
    partition = partition_that_heard(
        write(THREAD, "A", 0, ttl_s=20),
        write(THREAD, "B", 1, ttl_s=1),
        write(THREAD, "C", 2, ttl_s=1),
        delivered(THREAD, "B", 3),
        write(THREAD, "D", 1, ttl_s=1),
        permanent(THREAD, "D", 2),
        write(THREAD, "F", 0, ttl_s=1, origin=Origin.AGENT),
        transient(THREAD, "F", 0, 100.0),
    )
    found = explained(partition, THREAD, 21, allow_stale=True)
    stale = [(route, verdict) for rung, route, verdict in verdicts(found) if rung == "stale"]
    assert stale == [
        ("B", "answered"),
        ("C", "outranked"),
        ("D", "failed"),
        ("A", "outranked"),
        ("F", "deferred"),
    ]


def test_times_are_those_of_the_route() -> None:
    """Who said so, when, until when it lives, and how long it is held back."""
    partition = partition_that_heard(write(THREAD, "A", 1, origin=Origin.AGENT), transient(THREAD, "A", 2, 5))
    (only,) = explained(partition, THREAD, 4).considered
    assert (only.origin, only.observed_at, only.lives_until, only.held_until) == (1, 1.0, 11.0, 7.0)
    assert only.scope is Scope.THREAD


def test_a_failure_that_a_later_sight_has_voided_does_not_lengthen_the_wait() -> None:
    """Only failures since the newest evidence count, and how long is told by them."""
    partition = partition_that_heard(
        write(ROOM, "R", 4), *[transient(THREAD, "R", at) for at in (1, 2, 3, 5)]
    )
    (only,) = explained(partition, THREAD, 6).considered
    assert (only.verdict, only.held_until) == (Verdict.FAILED_HERE, 7.0)


def test_a_tombstone_is_told_of() -> None:
    """There is nothing on the ladder any more, and it is known why."""
    partition = partition_that_heard(write(THREAD, "A", 0))
    found = explained(partition, THREAD, 40)
    assert (found.considered, found.expired, found.answer.stale) == ((), True, True)
    assert found.answer.reason is FallbackReason.STALE
    assert not explained(partition, ROOM, 40).expired


@pytest.mark.parametrize("key", LINEAGE)
def test_a_key_of_any_scope_is_explained(key: str) -> None:
    """Itself first, then what is wider."""
    partition = partition_that_heard(*[write(each, "R", 0) for each in LINEAGE])
    found = explained(partition, key, 1, widest_scope=Scope.CHANNEL)
    assert isinstance(found.answer, Answer)
    scopes = [Scope(scope) for scope in range(LINEAGE.index(key), 4)]
    assert [each.scope for each in found.considered] == scopes
