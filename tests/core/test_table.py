"""The table: who leaves first, what a session leaves behind, and what that costs."""

from __future__ import annotations

from math import inf

import pytest

from ray_router.core.candidates import SessionState, deleted, failed, observed
from ray_router.core.eviction import LeastRecentlyUsed
from ray_router.core.operations import Delete, Operation, Resolve, Written
from ray_router.core.partition import Partition
from ray_router.core.record import RecordFormat
from ray_router.core.slots import key_hash
from ray_router.core.table import Change, Eviction, Phase, Retention, Table, Transition
from ray_router.model import Holdings, Origin, SetOutcome

from .consistency import elements, validate
from .strategies import (
    INSTANCE,
    ROUTES,
    ask,
    delivered,
    holdings_of,
    partition_of,
    permanent,
    resolve,
    routes_of,
    state_of,
    write,
)

TTL_S, STALE_S, TOMBSTONE_S = 10.0, 20.0, 30.0
A, B, C = (f"tg:bot:{room}" for room in "abc")
HOT = [f"tg:bot:{number}" for number in range(50)]


def partition_with(capacity: int = 100) -> Partition:
    """A partition of sessions that live for ten seconds."""
    return partition_of(
        capacity=capacity,
        ttl_s=TTL_S,
        stale_retention_s=STALE_S,
        tombstone_retention_s=TOMBSTONE_S,
        min_live_age_s=0.0,
    )


def table_of(capacity: int) -> Table:
    """A table of sessions that live as long as their observations say."""
    return Table(capacity, 4, Retention(STALE_S, TOMBSTONE_S), LeastRecentlyUsed(capacity), RecordFormat(inf))


def seen(at: float, ttl_s: float = TTL_S) -> SessionState:
    """An observation."""
    return observed("R", at, ttl_s, int(Origin.INBOUND))


# Phases


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (10, Holdings(live=1)),
        (11, Holdings(stale=1)),
        (30, Holdings(stale=1)),
        (31, Holdings(tombstones=1)),
        (60, Holdings(tombstones=1)),
        (61, Holdings()),
    ],
)
def test_a_session_moves_on(now: float, held: Holdings) -> None:
    """A session lives for its TTL, is stale for its retention, then a tombstone, then forgotten."""
    partition = partition_with()
    ask(partition, write(A, "R", 0), now=0)
    partition.tidy(now, most=10)
    assert holdings_of(partition, now) == held


def test_each_step_is_counted_once() -> None:
    """Going stale, expiring and being forgotten are counted, each once."""
    partition = partition_with()
    ask(partition, write(A, "R", 0), now=0)
    for now in range(70):
        partition.tidy(now, most=10)
    traffic = partition.stats(70).traffic
    assert (traffic.went_stale, traffic.expired, traffic.forgotten) == (1, 1, 1)


@pytest.mark.parametrize("phase", [Phase.LIVE, Phase.STALE])
def test_a_session_can_be_taken_out(phase: Phase) -> None:
    """Living or stale, it leaves no trace: it is another partition's."""
    table = table_of(9)
    state = seen(0)
    table.merge(A, state, now=0)
    if phase is Phase.STALE:
        table.take_next(now=11)
    assert table.count(phase) == 1
    assert table.take(A) == state
    assert table.take(A) is None
    assert (len(table), table.count(phase)) == (0, 0)
    assert table.take_next(now=1e12) is None


def test_a_session_that_nobody_looked_at_takes_the_long_step() -> None:
    """Once its time is over a session goes straight to where it belongs by now."""
    table = table_of(9)
    table.merge(A, seen(0), now=0)
    table.merge(B, seen(0, ttl_s=inf), now=0)
    assert table.take_next(now=31) == Transition(Phase.LIVE, Phase.TOMBSTONE)
    assert table.take_next(now=31) is None
    assert table.take_next(now=61) == Transition(Phase.TOMBSTONE, None)
    assert table.take_next(now=1e12) is None


def test_a_session_past_everything_leaves_nothing() -> None:
    """A session whose tombstone would be over is forgotten at once."""
    table = table_of(9)
    table.merge(A, seen(0), now=0)
    assert table.take_next(now=100) == Transition(Phase.LIVE, None)
    assert len(table) == 0


@pytest.mark.parametrize(
    ("at", "held", "outcome"),
    [
        (95, Holdings(live=1), SetOutcome.STORED),
        (85, Holdings(stale=1), SetOutcome.STORED),
        (65, Holdings(tombstones=1), SetOutcome.SUPERSEDED),
        (35, Holdings(), SetOutcome.SUPERSEDED),
    ],
)
def test_a_late_write_comes_as_old_as_it_is(at: float, held: Holdings, outcome: SetOutcome) -> None:
    """A route observed a while ago arrives in the phase that it would be in by now."""
    partition = partition_with()
    assert ask(partition, write(A, "R", at), now=100) == (Written(outcome),)
    assert holdings_of(partition, 100) == held


def test_a_report_before_its_write_waits_like_a_tombstone() -> None:
    """Marks without a route count as a tombstone, and are gone when its time is over."""
    partition = partition_with()
    ask(partition, permanent(A, "R", 0), now=0)
    assert holdings_of(partition) == Holdings(tombstones=1)
    partition.tidy(30, most=10)
    assert state_of(partition, A) == failed("R", 0.0)
    partition.tidy(31, most=10)
    assert holdings_of(partition, 31) == Holdings()


def test_marks_that_are_over_leave_the_tombstone_beside_them() -> None:
    """A report on an expired session is forgotten on its own; the tombstone keeps its time."""
    partition = partition_with()
    ask(partition, write(A, "R", 0), now=0)
    partition.tidy(31, most=10)
    ask(partition, permanent(A, "R", 20), now=31)
    assert holdings_of(partition, 31) == Holdings(tombstones=2)
    partition.tidy(51, most=10)
    assert holdings_of(partition, 51) == Holdings(tombstones=1)
    assert resolve(partition, A, now=60).stale
    assert not resolve(partition, A, now=61).stale


def test_a_new_life_takes_the_tombstone_away() -> None:
    """A session that is written again is not stale for what it once was."""
    partition = partition_with()
    ask(partition, write(A, "R", 0), now=0)
    partition.tidy(31, most=10)
    ask(partition, write(A, "R", 40), now=40)
    assert holdings_of(partition, 40) == Holdings(live=1)
    assert not resolve(partition, A, now=41).stale


def test_a_deletion_is_remembered_and_then_forgotten() -> None:
    """A deletion refuses what is older for as long as a tombstone is kept."""
    partition = partition_with()
    assert ask(partition, write(A, "R", 1), Delete(A, 5), now=5)[1] is True
    assert ask(partition, Delete(A, 5), write(A, "R", 4), now=6) == (False, Written(SetOutcome.SUPERSEDED))
    assert holdings_of(partition, 6) == Holdings(tombstones=1)
    assert resolve(partition, A, now=6).stale is False
    partition.tidy(36, most=10)
    assert holdings_of(partition, 36) == Holdings()


def test_a_deletion_hides_an_earlier_end() -> None:
    """A session deleted after it expired is no longer stale, one deleted before still is."""
    partition = partition_with()
    ask(partition, write(A, "R", 0), write(B, "R", 0), now=0)
    partition.tidy(31, most=10)
    ask(partition, Delete(A, 5), Delete(B, -5), now=31)
    assert not resolve(partition, A, now=31).stale
    assert resolve(partition, B, now=31).stale


def test_the_newest_observation_counts_against_a_deletion() -> None:
    """A deletion hides the end of a session only if it is later than all that was seen of it."""
    partition = partition_with()
    for key in (A, B):
        ask(partition, write(key, "R", 0), write(key, "S", 5), now=5)
    partition.tidy(36, most=10)
    ask(partition, Delete(A, 3), Delete(A, 4), Delete(B, 5), now=36)
    assert [resolve(partition, key, now=36).stale for key in (A, B)] == [True, False]


# Room


def test_tombstones_leave_first_then_stale_sessions_then_the_least_recently_used() -> None:
    """Over the bound the table gives up what is least dear to it."""
    table = table_of(6)
    table.merge("gone:a:a", deleted(20), now=20)
    table.merge("mark:a:a", failed("R", 20), now=20)
    table.merge("stale:a:1", seen(5), now=20)
    table.merge("stale:a:2", seen(0), now=20)
    table.merge("live:a:1", seen(20), now=20)
    table.merge("live:a:2", seen(20), now=20)
    table.touch("live:a:1")
    left = [table.merge(f"new:a:{number}", seen(21), now=21).evictions for number in range(7)]
    assert left == [
        (Eviction(Phase.TOMBSTONE, inf, key_hash("gone:a:a"), 20),),
        (Eviction(Phase.TOMBSTONE, inf, "mark:a:a", 20),),
        (Eviction(Phase.STALE, 16.0, "stale:a:1", 5),),
        (Eviction(Phase.STALE, 21.0, "stale:a:2", 0),),
        (Eviction(Phase.LIVE, 1.0, "live:a:2", 20),),
        (Eviction(Phase.LIVE, 1.0, "live:a:1", 20),),
        (Eviction(Phase.LIVE, 0.0, "new:a:0", 21),),
    ]
    assert len(table) == 6
    assert table.state("new:a:0") is None


def test_the_age_of_what_left_is_that_of_its_newest_route() -> None:
    """A session seen twice is as old as the second time."""
    table = table_of(1)
    table.merge(A, observed("R", 0.0, TTL_S, int(Origin.INBOUND)), now=0)
    table.merge(A, observed("S", 5.0, TTL_S, int(Origin.INBOUND)), now=5)
    assert table.merge(B, seen(7), now=7).evictions == (Eviction(Phase.LIVE, 2.0, A, 5),)


def test_what_is_due_moves_on_before_the_living_leave() -> None:
    """A session whose time is over makes room before one that lives, though nobody tidied."""
    table = table_of(2)
    table.merge(A, seen(5, ttl_s=1), now=5)
    table.merge(B, seen(0), now=5)
    table.touch(A)
    change = table.merge(C, seen(9), now=9)
    assert change.transitions == (Transition(Phase.LIVE, Phase.STALE),)
    assert change.evictions == (Eviction(Phase.STALE, 4.0, A, 5),)
    assert table.state(B) is not None


@pytest.mark.parametrize("fact", [failed("R", 9), deleted(9), seen(-10), seen(-40)], ids=str)
def test_a_newcomer_does_not_drive_out_what_is_dearer(fact: SessionState) -> None:
    """A newcomer of a lower phase than all that is here is not let in."""
    table = table_of(2)
    table.merge(A, seen(9), now=9)
    table.merge(B, seen(9), now=9)
    assert table.merge(C, fact, now=9) == Change(SessionState(), SessionState())
    assert (len(table), table.state(C)) == (2, None)


def test_marks_do_not_drive_out_a_stale_session() -> None:
    """Marks without a route make way for any session, and what is due moves on first."""
    table = table_of(2)
    table.merge(A, seen(0), now=0)
    table.merge(B, seen(9), now=9)
    change = table.merge(C, failed("R", 12), now=12)
    assert change.transitions == (Transition(Phase.LIVE, Phase.STALE),)
    assert (change.evictions, table.state(C)) == ((), None)


def test_a_session_comes_back_in_the_place_of_its_own_tombstone() -> None:
    """A full table drops nobody's tombstone for a session that takes the place of its own."""
    partition = partition_with(capacity=2)
    ask(partition, write(A, "R", 0), write(B, "R", 0), now=0)
    partition.tidy(31, most=10)
    assert holdings_of(partition, 31) == Holdings(tombstones=2)
    ask(partition, write(B, "R", 31), now=31)
    assert holdings_of(partition, 31) == Holdings(live=1, tombstones=1)
    ask(partition, Delete(A, 31), now=31)
    assert holdings_of(partition, 31) == Holdings(live=1, tombstones=1)


def test_an_eviction_is_counted_with_the_write_that_caused_it() -> None:
    """A write says how many sessions with a route left for it; tombstones do not count."""
    partition = partition_with(capacity=1)
    first, second = ask(partition, write(A, "R", 0), write(B, "R", 0), now=0)
    (third,) = ask(partition, Delete(B, 1), now=1)
    (fourth,) = ask(partition, write(C, "R", 2), now=2)
    assert [first.evicted, second.evicted, third, fourth.evicted] == [0, 1, True, 0]
    traffic = partition.stats(2).traffic
    assert (traffic.evicted_live, traffic.evicted_stale, traffic.evicted_tombstones) == (1, 0, 1)


@pytest.mark.parametrize("again", [write(A, "R", 1), write(A, "R", 0), delivered(A, "R", 1)])
def test_what_is_known_already_touches_nothing(again: Operation) -> None:
    """A repeated or superseded write, or a repeated report, does not even make a session recent."""
    partition = partition_with(capacity=2)
    ask(partition, write(A, "R", 1), delivered(A, "R", 1), write(B, "R", 1), now=2)
    ask(partition, again, now=2)
    ask(partition, write(C, "R", 2), now=2)
    assert (routes_of(partition, A), routes_of(partition, B)) == (set(), {"R"})


class Diary(LeastRecentlyUsed):
    """A policy that writes down what it is told."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.told: list[tuple[str, str]] = []

    def admit(self, key: str) -> None:
        self.told.append(("admit", key))
        super().admit(key)

    def touch(self, key: str) -> None:
        self.told.append(("touch", key))
        super().touch(key)


def test_a_resolve_and_a_write_in_a_row_are_one_use() -> None:
    """A session that one request resolves and writes is used once, and coming to life is a use."""
    diary = Diary(9)
    table = Table(9, 4, Retention(STALE_S, TOMBSTONE_S), diary, RecordFormat(inf))
    for key in (A, B):
        table.merge(key, seen(0), now=0)
        table.touch(key)
    table.touch(A)
    table.merge(A, seen(1), now=1)
    table.merge(B, seen(1), now=1)
    table.touch(B)
    assert diary.told == [("admit", A), ("admit", B), ("touch", A), ("touch", B)]


# Cost


class CountingTable(Table):
    """A table that counts how often it looks at a session to see where it belongs."""

    looks = 0

    def _phase(self, state: SessionState, now: float) -> Phase | None:
        self.looks += 1
        return super()._phase(state, now)


def test_expiry_costs_what_expires() -> None:
    """Moving on ten sessions of ten thousand looks at ten, and moving on none looks at none."""
    table = CountingTable(
        20_000, 4, Retention(STALE_S, TOMBSTONE_S), LeastRecentlyUsed(20_000), RecordFormat(inf)
    )
    for number in range(10_000):
        table.merge(f"long:a:{number}", seen(0, ttl_s=1000), now=0)
    for number in range(10):
        table.merge(f"short:a:{number}", seen(0, ttl_s=5), now=0)
    table.looks = 0
    assert table.take_next(now=5.5) is None
    assert table.looks == 0
    moved = 0
    while table.take_next(now=6):
        moved += 1
    assert (moved, table.looks) == (10, 10)


def test_no_call_pays_for_all() -> None:
    """One operation moves on a few sessions, a long one some more, and none the whole table."""
    partition = partition_with()
    for number in range(90):
        ask(partition, write(f"tg:bot:{number}", "R", 0), now=0)
    ask(partition, Resolve((A,)), now=11)
    assert partition.stats(11).traffic.went_stale == 4
    ask(partition, Resolve((A,) * 10), now=11)
    assert partition.stats(11).traffic.went_stale == 24
    ask(partition, Resolve((A,) * 1000), now=11)
    assert partition.stats(11).traffic.went_stale == 88


def test_tidying_says_when_it_is_done() -> None:
    """As long as as many moved on as were asked for, there may be more."""
    partition = partition_with()
    ask(partition, *(write(f"tg:bot:{number}", "R", 0) for number in range(5)), now=0)
    ask(partition, write(INSTANCE, "R", 0, ttl_s=1), now=0)
    assert [partition.tidy(61, most=4) for _ in range(3)] == [4, 2, 0]


@pytest.mark.usefixtures("unmeasured")
def test_memory_is_flat_under_writes_to_hot_keys() -> None:
    """Sixty thousand writes to fifty keys, with all kinds of TTLs, leave nothing behind."""
    table = table_of(100)
    sizes = []
    for number in range(60_000):
        fact = observed(ROUTES[number % 5], number * 0.37, 1 + number * 7919 % 1000, int(Origin.INBOUND))
        table.merge(HOT[number % 50], fact, now=number * 0.37)
        if number % 6_000 == 5_999:
            sizes.append(elements(table))
    assert max(sizes) < 1.2 * sizes[0]
    assert len(table) == table.count(Phase.LIVE) == 50


def test_a_partition_grows_nowhere() -> None:
    """Nor do writes, reports, deletions, resolves and bad input leave anything behind in a partition."""
    partition = partition_with(capacity=40)
    sizes = []
    for turn in range(400):
        now = turn * 7.0
        asked = [
            (
                write(key, ROUTES[turn % 5], now, ttl_s=1 + turn * 7919 % 100),
                write(INSTANCE, ROUTES[turn % 4], now, ttl_s=1 + turn * 7919 % 100),
                permanent(key, ROUTES[turn % 3], now),
                Delete(key, now - 9),
                Resolve((key, f"{key}:thread", "nonsense"), ("P",)),
            )[(turn + number) % 5]
            for number, key in enumerate(HOT)
        ]
        partition.waited(0.1, now)
        ask(partition, *asked, now=now)
        if turn % 50 == 49:
            validate(partition)
            sizes.append(elements(partition) - elements(partition._windows))  # which hold an hour
    assert max(sizes) < 1.2 * sizes[0]


# What a peer sends as a record


def test_a_session_that_is_loaded_is_as_if_merged() -> None:
    """A plain one, that lives, and of which nothing is known."""
    records = RecordFormat(inf)
    for state in (seen(100.0), seen(100.0, inf), observed("R", 99.5, 7.0, int(Origin.AGENT))):
        loaded, merged = table_of(10), table_of(10)
        record = records.record(state)
        assert record is not None
        assert loaded.load(A, record, 100.0)
        merged.merge(A, state, 100.0)
        assert loaded.as_stored(A) == merged.as_stored(A) == record
        assert loaded.state(A) == state
        for now in (105.0, 120.0, 140.0, 200.0):
            for table in (loaded, merged):
                while table.take_next(now):
                    pass
            assert [loaded.count(phase) for phase in Phase] == [merged.count(phase) for phase in Phase]


def test_whatever_else_has_to_be_merged() -> None:
    """What is known already, be it by a tombstone; what is over, or falls due today; what needs room."""
    record = RecordFormat(inf).record(seen(100.0))
    assert record is not None
    table = table_of(10)
    assert not table.load(A, record, 111.0)
    table.merge(A, seen(99.0), 100.0)
    assert not table.load(A, record, 100.0)
    table.merge(A, failed("S", 100.0), 100.0)
    assert not table.load(A, record, 100.0)
    buried = table_of(10)
    buried.merge(A, seen(50.0), 100.0)
    buried.merge(A, deleted(100.5), 100.6)
    assert buried.count(Phase.TOMBSTONE) == 1
    assert not buried.load(A, record, 101.0)
    late = table_of(10)
    late.quick([A], 110.5)
    assert not late.load(A, record, 109.0)
    full = table_of(1)
    full.merge(B, seen(100.0), 100.0)
    assert not full.load(A, record, 100.0)
