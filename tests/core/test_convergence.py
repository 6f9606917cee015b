"""Facts end in the same state and the same answers, in whatever order and however often they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.operations import Delete, Operation, Resolve
from ray_router.core.partition import Partition
from ray_router.model import Confidence, Origin, Scope

from .strategies import (
    INSTANCE,
    LINEAGE,
    ROOM,
    ROUTES,
    THREAD,
    ask,
    delivered,
    moved,
    operations_on,
    partition_of,
    permanent,
    resolve,
    state_of,
    steadily,
    transient,
    write,
)

APPLIED_AT = 100.0  # later than every stamp, so that nothing is clamped
FOR_EVER = 1e9

WISHES = [
    Resolve(LINEAGE, fallbacks, allow_stale, widest, least)
    for fallbacks, allow_stale, widest, least in product(
        ((), ROUTES), (False, True), (Scope.ROOM, Scope.CHANNEL), (Confidence.NONE, Confidence.CONFIRMED)
    )
]


def partition_that_heard(operations: Sequence[Operation]) -> Partition:
    """A partition that was told these, one by one, and has forgotten nothing since."""
    partition = partition_of(
        ttl_s=40.0,
        stale_retention_s=FOR_EVER,
        tombstone_retention_s=FOR_EVER,
        max_candidates=3,
        backoff_first_s=60.0,
        backoff_cap_s=200.0,
    )
    for operation in operations:
        ask(partition, operation, now=APPLIED_AT)
    return partition


def assert_same(one: Partition, other: Partition, wishes: Sequence[Resolve], now: float) -> None:
    """Two partitions know the same of every session, and answer every question alike."""
    for key in LINEAGE:
        assert state_of(one, key) == state_of(other, key)
    assert ask(one, *wishes, now=now) == ask(other, *wishes, now=now)


def told(ttls: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[Operation]]:
    """Operations on a thread, its room, and its instance's default."""
    return st.lists(st.one_of([operations_on(key, ttls) for key in (THREAD, ROOM, INSTANCE)]), max_size=9)


def told_again(operations: list[Operation], chance: Random) -> list[Operation]:
    """The same operations in another order, some of them more than once."""
    again = operations + chance.choices(operations, k=len(operations) // 2)
    chance.shuffle(again)
    return again


wishes = st.lists(st.sampled_from(WISHES), min_size=1, max_size=3)
chances = st.randoms(use_true_random=True)


@steadily(500)
@given(told(ttls=st.sampled_from((None, 1e6, 2e6))), wishes, chances)
def test_any_order_and_any_duplication(
    operations: list[Operation], wishes: list[Resolve], chance: Random
) -> None:
    """Writes of all origins, deletions and reports of every kind end in one state and one set of answers."""
    one = partition_that_heard(operations)
    other = partition_that_heard(told_again(operations, chance))
    assert_same(one, other, wishes, now=APPLIED_AT)


@steadily(500)
@given(told(ttls=st.sampled_from((None, 3, 95, 99))), wishes, st.sampled_from((0, 3, 50, 999)), chances)
def test_any_order_where_routes_are_stale(
    operations: list[Operation], wishes: list[Resolve], later_s: int, chance: Random
) -> None:
    """Routes that are stale when they come, or go stale before they are read, change nothing of that."""
    one = partition_that_heard(operations)
    other = partition_that_heard(told_again(operations, chance))
    assert_same(one, other, wishes, now=APPLIED_AT + later_s)


STORIES: dict[str, tuple[Operation, ...]] = {
    "more routes than are kept": tuple(write(ROOM, route, at) for at, route in enumerate("ABCDE")),
    "one route by every origin": tuple(write(ROOM, "A", 3 - origin, origin=origin) for origin in Origin),
    "equal stamps": tuple(write(ROOM, route, 5, ttl_s=ttl) for route in "AB" for ttl in (7, 8)),
    "a report before its write": (
        write(ROOM, "A", 1),
        permanent(ROOM, "A", 4),
        write(ROOM, "A", 6),
        delivered(ROOM, "A", 7),
        permanent(ROOM, "A", 7),
    ),
    "a move and moves on": (
        write(ROOM, "A", 1),
        moved(ROOM, "A", 3, "B"),
        moved(ROOM, "B", 5, "C"),
        moved(ROOM, "C", 5, "A"),
        write(ROOM, "B", 4),
    ),
    "a deletion in the midst": (
        write(ROOM, "A", 2),
        Delete(ROOM, 3),
        delivered(ROOM, "A", 3),
        write(ROOM, "B", 4, origin=Origin.SYSTEM),
        transient(ROOM, "B", 5),
    ),
    "temporary failures": (
        write(ROOM, "A", 1),
        transient(ROOM, "A", 2),
        transient(ROOM, "A", 3, 99.0),
        transient(ROOM, "A", 3, 98.0),
        delivered(ROOM, "A", 2),
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_every_order_of_a_story(story: str) -> None:
    """All permutations of a story, each told with its first part repeated, end alike."""
    first = partition_that_heard(STORIES[story])
    for order in permutations(STORIES[story]):
        assert_same(first, partition_that_heard((*order, *order[:2])), WISHES, now=APPLIED_AT)


def test_a_retried_temporary_failure_counts_once() -> None:
    """Telling a partition of one temporary failure five times holds the route back no longer than once."""
    partition = partition_of(backoff_first_s=10.0, backoff_cap_s=1000.0)
    ask(partition, write(ROOM, "A", 0), *[transient(ROOM, "A", 100)] * 5, now=100)
    assert not resolve(partition, ROOM, now=109.9).route
    assert resolve(partition, ROOM, now=110).route == "A"
    ask(partition, transient(ROOM, "A", 101), now=101)
    assert not resolve(partition, ROOM, now=120.9).route
    assert resolve(partition, ROOM, now=121).route == "A"
