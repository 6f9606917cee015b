"""Batches answered from records are answered as one by one, and no route is given past its TTL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core import table
from ray_router.core.eviction import POLICIES
from ray_router.core.operations import Delete, Group, Operation, Refused, Report, Resolve, Set
from ray_router.core.partition import Partition
from ray_router.core.table import Phase
from ray_router.model import Delivery, Origin, ResolutionSource

from .consistency import validate
from .strategies import answers_of, ask, delivered, partition_of, resolve, steadily, write

KEYS = ("tg:bot:a", "tg:bot:a:t", "tg:bot:b", "tg:bot:b:t", "tg:bot:c", "tg:bot:*")
TTL_S = 3.0


class Step(NamedTuple):
    """So many seconds pass, and this is asked."""

    seconds: float
    operation: Operation


@contextmanager
def withdrawn_at_once(most: int) -> Iterator[None]:
    """So many sessions are withdrawn in one call, so that few are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_WITHDRAWN_AT_ONCE", most)
        yield


def carry_out(partition: Partition, operation: Operation, now: float) -> tuple[Any, ...]:
    """What a partition with an event clock answers; what is due is moved on at once."""
    group = Group((operation,), now)
    (said,) = answers_of(partition, group, partition.apply((group,))[0])
    while partition.tidy(now, 1_000):
        pass
    return said if isinstance(operation, Resolve) else (said,)


def one_by_one(partition: Partition, operation: Operation, now: float) -> tuple[Any, ...]:
    """The same, with each key resolved by itself."""
    if not isinstance(operation, Resolve):
        return carry_out(partition, operation, now)
    alone = (operation._replace(keys=(key,)) for key in operation.keys)
    return tuple(carry_out(partition, each, now)[0] for each in alone)


def never_quick(partition: Partition) -> Partition:
    """A partition that looks at each session."""

    def none(keys: Sequence[str], now: float) -> list[str | None]:
        return [None] * len(keys)

    partition._table.quick = none  # type: ignore[method-assign]
    return partition


def would_evict(partition: Partition) -> list[str]:
    """The order in which all its live sessions would leave."""
    held = partition._table
    return [held._live.evict() for _ in range(held.count(Phase.LIVE))]


keys = st.sampled_from(KEYS)
routes = st.sampled_from(("A", "A", "B", "C\x1c"))
seconds = st.sampled_from((0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, -0.5, -1.5, 40.0))
stamps = st.sampled_from((0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.0))
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(
        Set,
        keys,
        routes,
        stamps,
        st.sampled_from((Origin.INBOUND, Origin.INBOUND, Origin.AGENT)),
        st.sampled_from((None, None, 0.5, 1.0, inf)),
    ),
    st.builds(
        Report,
        keys,
        routes,
        st.sampled_from((Delivery.DELIVERED, Delivery.PERMANENT, Delivery.TRANSIENT)),
        stamps,
    ),
    st.builds(Delete, keys, stamps),
    st.builds(
        Resolve,
        st.lists(keys | st.sampled_from(("tg:bot", "tg:bot:new")), max_size=8).map(tuple),
        st.sampled_from(((), ("P",))),
        st.booleans(),
        st.sampled_from((0, 1, 2)),
        st.sampled_from((0, 0, 5, 6)),
    ),
)
steps = st.lists(st.builds(Step, seconds, operations), max_size=40)


@pytest.mark.parametrize("eviction", sorted(POLICIES))
@steadily(150)
@given(steps, st.sampled_from((2, 3, 10)), st.sampled_from((1, 2, 2_000)))
def test_many_at_once_are_answered_as_one_by_one(
    eviction: str, steps: list[Step], capacity: int, at_once: int
) -> None:
    """Whatever was written, reported and deleted, and however time went, back included.

    The answers are the same, so are the counts, and the order in which sessions would be evicted.
    """

    def partition() -> Partition:
        return partition_of(
            ttl_s=TTL_S,
            stale_retention_s=4.0,
            tombstone_retention_s=5.0,
            capacity=capacity,
            max_candidates=2,
            eviction=eviction,
            min_live_age_s=0.0,
            max_clock_skew_s=2.0,
            event_clock=True,
        )

    quick, single, slow = partition(), partition(), never_quick(partition())
    now = 0.0
    with withdrawn_at_once(at_once):
        for step in steps:
            now += step.seconds
            for each in (quick, single, slow):
                each.tidy(now, 10_000)  # or whoever is called more often would be further on
            said = carry_out(quick, step.operation, now)
            assert said == one_by_one(single, step.operation, now)
            assert said == carry_out(slow, step.operation, now)
            validate(quick)
            validate(single)
    assert +quick._counts == +slow._counts
    assert +quick._counts == +single._counts
    order = would_evict(quick)
    assert order == would_evict(single)
    assert order == would_evict(slow)


@pytest.mark.parametrize("later", ["the same", "endless", "longer"])
def test_a_day_on_which_thousands_fall_due_gives_no_route_too_late(later: str) -> None:
    """Sessions are withdrawn some at a time, and until all are, each is looked at."""
    many = tuple(f"tg:bot:{number}" for number in range(2 * table._WITHDRAWN_AT_ONCE + 500))
    partition = partition_of(ttl_s=10.25)
    ask(partition, *(write(key, "R", 0) for key in many), now=0)
    ttl_s = {"the same": None, "endless": inf, "longer": 20.0}[later]
    ask(partition, *(write(key, "R", 0.001, ttl_s=ttl_s) for key in many[::2]), now=0.001)
    for now in (10.0, 10.25, 10.2505, 10.252, 10.9, 11.0, 12.0):
        (answers,) = ask(partition, Resolve(many), now=now)
        lives_until = {0: 10.251 if ttl_s is None else 0.001 + ttl_s, 1: 10.25}
        fresh = [now <= lives_until[number % 2] for number in range(len(many))]
        assert [answer.route == "R" for answer in answers] == fresh
        assert [answer.source is ResolutionSource.EXACT for answer in answers] == fresh
    validate(partition)


def test_while_thousands_are_withdrawn_none_is_answered_unseen() -> None:
    """A call that does not come to the end of a day looks at every key; a later one comes to it."""
    many = tuple(f"tg:bot:{number}" for number in range(table._WITHDRAWN_AT_ONCE + 1))
    partition = partition_of(ttl_s=10.5)
    ask(partition, *(write(key, "R", 0) for key in many), write("tg:bot:other", "R", 5), now=5)
    quick = partition._table.quick
    assert quick(("tg:bot:other",), 9.9) == ["5.0\x1d\x1d\x1d\x1dR"]
    assert quick(("tg:bot:other", many[0]), 10.0) == [None, None]
    last, first = quick(("tg:bot:other", many[0]), 10.0)
    assert last is not None
    assert first is None


def test_what_is_written_into_a_day_under_way_ends_in_time() -> None:
    """A route written while its last day is being withdrawn, and confirmed there, ends with its TTL."""
    with withdrawn_at_once(1):
        partition = partition_of(ttl_s=10.0)
        ask(partition, *(write(f"tg:bot:{number}", "R", 0) for number in range(4)), now=0)
        assert resolve(partition, "tg:bot:0", now=10).route == "R"  # one of four is withdrawn
        ask(partition, write("tg:bot:new", "N", 10, ttl_s=0.5), now=10)
        for _ in range(8):
            ask(partition, Resolve(("tg:bot:0",)), now=10)
        assert resolve(partition, "tg:bot:new", now=10.5).route == "N"
        assert resolve(partition, "tg:bot:new", now=10.6).route is None


def test_a_session_made_endless_is_not_withdrawn() -> None:
    """A session that was to fall due, and then was written for ever, is answered on that day and after it."""
    partition = partition_of(ttl_s=10.0)
    ask(partition, write("tg:bot:a", "R", 0), now=0)
    ask(partition, write("tg:bot:a", "R", 1, ttl_s=inf), now=1)
    for now in (10, 11, 1e9):
        assert resolve(partition, "tg:bot:a", now=now).expires_in_s == inf


def test_an_event_clock_that_goes_back_gives_no_route_too_late() -> None:
    """What was still to be withdrawn when time went back is withdrawn all the same."""
    with withdrawn_at_once(2):
        partition = partition_of(ttl_s=8.25, event_clock=True)
        names = tuple(f"tg:bot:{number}" for number in range(5))

        def routes_at(now: float) -> set[str | None]:
            return {answer.route for answer in carry_out(partition, Resolve(names), now)}

        for name in names:
            carry_out(partition, Set(name, "R", 0.0), 0.0)
        assert routes_at(8.0) == {"R"}  # two of five are withdrawn
        for _ in range(3):
            assert routes_at(7.5) == {"R"}
        assert routes_at(8.5) == {None}


def test_a_route_shortened_while_time_is_back_ends_in_time() -> None:
    """A plain session written anew, to end on a day that was reached before time went back, ends then."""
    with withdrawn_at_once(1):
        partition = partition_of(ttl_s=8.25, event_clock=True)
        for name in ("tg:bot:0", "tg:bot:1", "tg:bot:2"):
            carry_out(partition, Set(name, "R", 0.0), 0.0)
        carry_out(partition, Set("tg:bot:long", "R", 0.0, Origin.INBOUND, 100.0), 0.0)
        carry_out(partition, Resolve(("tg:bot:long",)), 8.0)
        carry_out(partition, Set("tg:bot:long", "R", 7.5, Origin.INBOUND, 0.75), 7.5)
        for _ in range(6):
            carry_out(partition, Resolve(("tg:bot:long",)), 8.0)
        assert carry_out(partition, Resolve(("tg:bot:long",)), 8.25)[0].route == "R"
        assert carry_out(partition, Resolve(("tg:bot:long",)), 8.5)[0].route is None


def test_a_refreshed_session_is_as_if_merged() -> None:
    """A write that only brings a plain session up to date leaves what a merge would have left."""
    quick, slow = partition_of(ttl_s=10.0), partition_of(ttl_s=10.0)
    slow._table.refresh = lambda *_: False  # type: ignore[method-assign]
    for partition in (quick, slow):
        ask(partition, write("tg:bot:a", "R", 1), delivered("tg:bot:a", "R", 2), now=2)
    for at, ttl_s in ((3, None), (3, None), (2, 50.0), (4, 50.0), (5, inf), (6, 1.0)):
        again = write("tg:bot:a", "R", at, ttl_s=ttl_s)
        assert ask(quick, again, now=6) == ask(slow, again, now=6)
        assert quick._table.state("tg:bot:a") == slow._table.state("tg:bot:a")
        validate(quick)


@pytest.mark.parametrize("key", [{}, [], {"tg"}], ids=type)
def test_what_does_not_hash_is_refused_and_the_others_answered(key: Any) -> None:
    """Among good keys stands something that could be no key of anything."""
    partition = partition_of()
    ask(partition, write("tg:bot:a", "R", 0), now=0)
    ((before, refused, after),) = ask(partition, Resolve(("tg:bot:a", key, "tg:bot:a")), now=0)
    assert before == after and before.route == "R"
    assert isinstance(refused, Refused)
