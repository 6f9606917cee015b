"""A session's state: a lattice whose merge is all that ever changes it."""

from __future__ import annotations

from collections import Counter
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.candidates import (
    DEFERRALS,
    NOTHING,
    Deferral,
    Mark,
    Observation,
    SessionState,
    confirmed,
    deferred,
    deleted,
    failed,
    holds,
    merge,
    observed,
)
from ray_router.model import Origin

from .strategies import LIMIT, ROUTES, facts, joined, states, steadily

INBOUND, OPERATOR = int(Origin.INBOUND), int(Origin.OPERATOR)


@steadily(300)
@given(states, states)
def test_merge_is_commutative(a: SessionState, b: SessionState) -> None:
    """It does not matter which of two states hears of the other."""
    assert merge(a, b, LIMIT) == merge(b, a, LIMIT)


@steadily(300)
@given(states, states, states)
def test_merge_is_associative(a: SessionState, b: SessionState, c: SessionState) -> None:
    """It does not matter in which order states hear of each other."""
    assert merge(merge(a, b, LIMIT), c, LIMIT) == merge(a, merge(b, c, LIMIT), LIMIT)


@steadily(300)
@given(states, states)
def test_merge_is_idempotent(a: SessionState, b: SessionState) -> None:
    """To hear the same again changes nothing."""
    both = merge(a, b, LIMIT)
    assert merge(a, a, LIMIT) == merge(a, NOTHING, LIMIT) == a
    assert merge(both, a, LIMIT) == merge(both, b, LIMIT) == both


@steadily(300)
@given(states, states)
def test_merge_is_bounded(a: SessionState, b: SessionState) -> None:
    """However much is merged, each part of a state keeps to its limit and its order."""
    both = merge(a, b, LIMIT)
    per_origin = Counter(seen.origin for seen in both.observations)
    assert all(count <= LIMIT for count in per_origin.values())
    assert len({(seen.origin, seen.route) for seen in both.observations}) == len(both.observations)
    for marks in (both.failed, both.confirmed):
        assert len({mark.route for mark in marks}) == len(marks) <= LIMIT
    assert len({(each.at, each.route) for each in both.deferred}) == len(both.deferred) <= DEFERRALS
    for part in both[:-1]:
        assert list(part) == sorted(part, reverse=True)


@steadily(300)
@given(st.lists(facts, max_size=16))
def test_merge_keeps_the_greatest(known: list[SessionState]) -> None:
    """What facts come to, one by one, is what the rules say of all of them at once."""
    assert joined(known) == by_the_rules(known)


def by_the_rules(known: list[SessionState]) -> SessionState:
    """The rules read out loud: drop what is deleted, take each route's greatest, keep the greatest few."""
    floor = max((fact.deleted_at for fact in known), default=-inf)
    seen = [each for fact in known for each in fact.observations if each.observed_at > floor]
    observations: list[Observation] = []
    for origin in Origin:
        greatest = {
            route: max(each for each in seen if (each.origin, each.route) == (origin, route))
            for route in ROUTES
            if any((each.origin, each.route) == (origin, route) for each in seen)
        }
        observations += sorted(greatest.values(), reverse=True)[:LIMIT]
    deferrals = [each for fact in known for each in fact.deferred if each.at > floor]
    longest = {(each.at, each.route): each for each in sorted(deferrals)}
    return SessionState(
        tuple(sorted(observations, reverse=True)),
        latest([mark for fact in known for mark in fact.failed], floor),
        latest([mark for fact in known for mark in fact.confirmed], floor),
        tuple(sorted(longest.values(), reverse=True)[:DEFERRALS]),
        floor,
    )


def latest(marks: list[Mark], floor: float) -> tuple[Mark, ...]:
    """The latest mark of each route, the latest few of them."""
    last = {mark.route: mark for mark in sorted(marks) if mark.at > floor}
    return tuple(sorted(last.values(), reverse=True)[:LIMIT])


def test_a_newer_stamp_of_a_route_replaces_the_older() -> None:
    """A route stands once for each origin, with its greatest stamp."""
    state = joined([observed("A", 1.0, 9.0, INBOUND), observed("A", 2.0, 5.0, INBOUND)])
    assert state.observations == (Observation(INBOUND, 2.0, 5.0, "A"),)


def test_of_equal_stamps_the_longer_ttl_stays() -> None:
    """A route observed twice at one time keeps the longer TTL."""
    state = joined([observed("A", 1.0, 9.0, INBOUND), observed("A", 1.0, 5.0, INBOUND)])
    assert state.observations == (Observation(INBOUND, 1.0, 9.0, "A"),)


def test_a_limit_of_one_keeps_the_newest() -> None:
    """With a limit of one the newest route of each origin is kept, and the latest mark."""
    state = joined(
        [*(observed(route, at, 9.0, INBOUND) for at, route in enumerate("ABC")), failed("A", 1.0)], 1
    )
    assert state.observations == (Observation(INBOUND, 2.0, 9.0, "C"),)
    assert state.failed == (Mark(1.0, "A"),)


def test_origins_do_not_crowd_each_other_out() -> None:
    """The limit is for each origin, so that many users' routes never drop an operator's."""
    state = joined(
        [observed("E", 0.0, inf, OPERATOR), *(observed(route, 5.0, 1.0, INBOUND) for route in "ABCD")]
    )
    assert [(seen.origin, seen.route) for seen in state.observations] == [
        (OPERATOR, "E"),
        (INBOUND, "D"),
        (INBOUND, "C"),
        (INBOUND, "B"),
    ]


def test_what_was_deleted_does_not_come_back() -> None:
    """What happened at or before a deletion is dropped and refused, and what came later stays."""
    before = [observed("A", 4.0, 9.0, INBOUND), failed("B", 5.0), confirmed("C", 3.0), deferred("D", 5.0)]
    after = [observed("A", 6.0, 9.0, INBOUND), failed("B", 6.0)]
    assert joined([*before, deleted(5.0)]) == joined([deleted(5.0), *before]) == deleted(5.0)
    assert joined([*before, *after, deleted(5.0)]) == joined([deleted(5.0), *after])


def test_a_retried_temporary_failure_is_one() -> None:
    """The same temporary failure, told twice, is one point; another one is another."""
    state = joined([deferred("A", 1.0), deferred("A", 1.0), deferred("A", 2.0)])
    assert state.deferred == (Deferral(2.0, "A", 0.0), Deferral(1.0, "A", 0.0))


def test_temporary_failures_are_bounded() -> None:
    """Of very many temporary failures the newest are remembered."""
    state = joined([deferred("A", float(moment)) for moment in range(3 * DEFERRALS)])
    assert [each.at for each in state.deferred] == list(range(3 * DEFERRALS - 1, 2 * DEFERRALS - 1, -1))


@pytest.mark.parametrize(
    ("known", "fact", "held"),
    [
        ([observed("A", 2.0, 5.0, INBOUND)], observed("A", 2.0, 5.0, INBOUND), True),
        ([observed("A", 3.0, 5.0, INBOUND)], observed("A", 2.0, 5.0, INBOUND), False),
        ([failed("A", 2.0)], failed("A", 2.0), True),
        ([failed("A", 3.0)], failed("A", 2.0), False),
        ([failed("A", 3.0)], confirmed("A", 2.0), True),
        ([deleted(2.0)], failed("A", 2.0), False),
        ([deferred("A", 2.0, 5.0)], deferred("A", 2.0, 3.0), False),
        ([], NOTHING, True),
    ],
)
def test_holding_a_fact(known: list[SessionState], fact: SessionState, held: bool) -> None:
    """A state holds a fact as long as nothing greater has taken its place."""
    assert holds(joined([*known, fact]), fact) is held
