"""Which slots hot partitions give to cool ones: never for the worse, never more than allowed, or in vain."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.insight.recent import HALVES_EVERY_S
from ray_router.core.rebalancing import moved_along, plan_rebalance, slot_loads, slot_moves
from ray_router.core.reshaping import balanced_among
from ray_router.core.slots import SLOTS, Topology
from ray_router.model import HotRoom, Load, PartitionInsight, ReuseCounts
from ray_router.model.balance import imbalance_of

from .strategies import steadily

AIM, ACTS_FROM = 1.02, 1.10


def zipf(exponent: float, rooms: int, seed: int = 0) -> dict[int, float]:
    """The loads of slots when so many rooms are used by Zipf's law."""
    random, loads = Random(seed), dict[int, float]()
    for rank in range(1, rooms + 1):
        slot = random.randrange(SLOTS)
        loads[slot] = loads.get(slot, 0.0) + 1e6 * rank**-exponent
    return loads


def of_partitions(owners: array[int], loads: Mapping[int, float]) -> dict[int, float]:
    """What each partition has."""
    found = dict.fromkeys(sorted(set(owners)), 0.0)
    for slot, load in loads.items():
        found[owners[slot]] += load
    return found


def imbalance(owners: array[int], loads: Mapping[int, float]) -> float:
    """The largest load of a partition over the mean."""
    return imbalance_of(list(of_partitions(owners, loads).values()))


def longest_first(loads: Mapping[int, float], partitions: int) -> float:
    """The imbalance when all slots are dealt anew: each to the coolest, the hottest first (Graham's LPT)."""
    heap = [(0.0, partition) for partition in range(partitions)]
    for load in sorted(loads.values(), reverse=True):
        heapq.heappush(heap, (heap[0][0] + load, heapq.heappop(heap)[1]))
    return imbalance_of([load for load, _ in heap])


loads_of_slots = st.dictionaries(
    st.integers(0, SLOTS - 1), st.sampled_from((1.0, 3.0, 10.0, 90.0)), max_size=60
)


@steadily(60)
@given(loads=loads_of_slots, partitions=st.integers(1, 9), most=st.integers(1, 12))
def test_never_worse_never_more_and_always_the_same(
    loads: dict[int, float], partitions: int, most: int
) -> None:
    """Whatever the loads are: each slot moves once, from its owner, and the hottest becomes no hotter."""
    owners = Topology.balanced(partitions).owners
    moves = slot_moves(owners, loads, most)
    after = moved_along(owners, moves)
    assert len({move.slot for move in moves}) == len(moves) <= most
    assert all(owners[move.slot] == move.source != move.target for move in moves)
    assert imbalance(after, loads) <= imbalance(owners, loads) + 1e-9
    assert max(of_partitions(after, loads).values()) <= max(of_partitions(owners, loads).values()) + 1e-9
    assert set(after) == set(owners)
    assert moves == slot_moves(array("H", owners), dict(reversed(loads.items())), most)


@steadily(60)
@given(loads=loads_of_slots, partitions=st.integers(1, 9))
def test_what_was_rebalanced_stays(loads: dict[int, float], partitions: int) -> None:
    """While the load is the same, a second rebalance has nothing to do: no slot goes to and fro."""
    owners = Topology.balanced(partitions).owners
    after = moved_along(owners, slot_moves(owners, loads, SLOTS))
    assert slot_moves(after, loads, SLOTS) == ()


@steadily(15)
@given(exponent=st.floats(0.3, 1.6), partitions=st.integers(2, 24), seed=st.integers(0, 9))
def test_it_is_as_good_as_dealing_all_slots_anew(exponent: float, partitions: int, seed: int) -> None:
    """With moves enough: within a tenth of the best that slots allow, as the longest-first rule finds it."""
    loads, owners = zipf(exponent, 3_000, seed), Topology.balanced(partitions).owners
    after = moved_along(owners, slot_moves(owners, loads, SLOTS, 0.0))
    assert imbalance(after, loads) <= max(AIM, longest_first(loads, partitions) * 1.1)


@pytest.mark.parametrize(("partitions", "moves"), [(4, 70), (8, 180), (16, 350)])
def test_a_few_moves_do_nearly_all(partitions: int, moves: int) -> None:
    """Of 16,384 slots a few dozen move, and the first of them do the most."""
    loads, owners = zipf(1.2, 100_000), Topology.balanced(partitions).owners
    enough = slot_moves(owners, loads, SLOTS)
    assert len(enough) <= moves
    few = moved_along(owners, slot_moves(owners, loads, len(enough) // 4))
    gained = imbalance(owners, loads) - imbalance(few, loads)
    assert gained >= 0.7 * (imbalance(owners, loads) - imbalance(moved_along(owners, enough), loads))


def test_slots_are_exchanged_where_one_alone_would_not_do() -> None:
    """Two large ones, of which neither partition could take both."""
    loads = {0: 60.0, 2: 50.0, 1: 40.0, 3: 40.0}
    moves = slot_moves(Topology.balanced(2).owners, loads, 2)
    assert {(move.slot, move.target) for move in moves} in (
        {(0, 1), (1, 0)},
        {(2, 1), (1, 0)},
        {(0, 1), (3, 0)},
    )
    assert slot_moves(Topology.balanced(2).owners, loads, 1) == ()


def test_who_is_hot_because_of_one_slot_is_left_alone() -> None:
    """What it has besides goes, and others are relieved as well."""
    loads = {0: 900.0, 4: 80.0, 1: 300.0, 5: 200.0, 2: 100.0, 3: 100.0}
    after = of_partitions(
        moved_along(Topology.balanced(4).owners, slot_moves(Topology.balanced(4).owners, loads, 10)), loads
    )
    assert after[0] == 900.0
    assert max(load for partition, load in after.items() if partition) < 500.0


def test_nobody_gives_its_last_slot_or_takes_too_many() -> None:
    """A partition without slots would be none, and slots bring sessions, which take memory."""
    full = Topology.balanced(SLOTS)
    assert slot_moves(full.owners, {0: 10.0, 1: 1.0}, 100) == ()
    loads = dict.fromkeys(range(0, SLOTS, 4), 1.0) | {1: 0.1}
    shares = Topology(
        2, moved_along(Topology.balanced(4).owners, slot_moves(Topology.balanced(4).owners, loads, SLOTS))
    ).shares
    assert max(shares.values()) <= SLOTS // 4 * 1.25
    assert sum(shares.values()) == SLOTS


@steadily(15)
@given(
    exponent=st.floats(0.8, 1.4),
    before=st.integers(2, 12),
    after=st.integers(1, 12),
    most=st.integers(1, 200),
)
def test_a_resize_after_it_moves_no_more_than_it_must(
    exponent: float, before: int, after: int, most: int
) -> None:
    """Shares are equal again when partitions come or go; and by a resize to what there is, nothing moves."""
    owners = Topology.balanced(before).owners
    owners = moved_along(owners, slot_moves(owners, zipf(exponent, 2_000), most))
    assert balanced_among(owners, range(before)) == owners
    heirs = balanced_among(owners, range(after))
    if after != before:
        shares = Topology(2, heirs).shares
        assert max(shares.values()) - min(shares.values()) <= 1
        small, larger = divmod(SLOTS, after)
        owned = sorted((Counter(owners)[each] for each in range(after)), reverse=True)
        kept = sum(min(own, small + (place < larger)) for place, own in enumerate(owned))
        assert sum(map(int.__ne__, owners, heirs)) == SLOTS - kept


def insights(
    owners: array[int], loads: Mapping[int, float], measured_s: Mapping[int, float] | None = None
) -> list[PartitionInsight]:
    """Partitions that counted these loads, each those of its own slots, for so long."""
    found = []
    for partition in sorted(set(owners)):
        of = tuple((slot, load) for slot, load in sorted(loads.items()) if owners[slot] == partition)
        since = (measured_s or {}).get(partition, 10 * HALVES_EVERY_S)
        found.append(PartitionInsight(partition, ReuseCounts(), Load(), of, since))
    return found


def test_it_says_what_is_to_move_and_what_for() -> None:
    """The imbalance now, what the moves make of it, and what no move can change."""
    topology, loads = Topology.balanced(4), {0: 400.0, 4: 300.0, 8: 200.0, 1: 50.0, 2: 50.0}
    plan = plan_rebalance(topology, insights(topology.owners, loads))
    assert plan.imbalance == pytest.approx(3.6)
    assert plan.expected == pytest.approx(1.6)
    assert plan.best == 1.6
    assert plan.uses == 1_000.0
    assert [(each.partition, each.slots_before) for each in plan.loads] == [
        (each, 4_096) for each in range(4)
    ]
    assert sum(each.slots_after for each in plan.loads) == SLOTS
    assert {move.share for move in plan.moves} <= {0.4, 0.3, 0.2}
    assert plan.why == "partition 0 has 3.60 times the mean; 2 slots with 60.0% of the load move"
    assert not plan.done
    one = plan_rebalance(topology, insights(topology.owners, loads), 1)
    assert one.why.endswith("1 slot with 40.0% of the load moves, and 1 is the most for once")


def test_it_says_why_nothing_is_to_move() -> None:
    """There may be one partition, no traffic, too little of it, balance, or one slot that is all of it."""
    four, owners = Topology.balanced(4), Topology.balanced(4).owners
    even = dict.fromkeys(range(8), 1000.0)

    def why(topology: Topology, loads: Mapping[int, float]) -> str:
        plan = plan_rebalance(topology, insights(topology.owners, loads))
        assert plan.moves == ()
        assert plan.expected == plan.imbalance
        return plan.why

    assert why(Topology.balanced(1), even) == "there is one partition"
    assert why(four, {}) == "nothing was asked or written yet"
    assert "up to 1.10 is left as it is" in why(four, even | {0: 1_150.0})
    assert "up to 1.95 is left as it is" in why(four, {0: 10.0, 4: 9.0, 1: 7.0, 2: 7.0, 3: 7.0})
    assert "no slot that could move makes it less" in why(four, {0: 1_000.0})
    assert plan_rebalance(four, insights(owners, {})).best == 1.0


def test_what_was_begun_is_what_is_to_be_done() -> None:
    """Whatever the load is by now."""
    topology = Topology.balanced(4)
    heirs = moved_along(topology.owners, slot_moves(topology.owners, {0: 500.0, 4: 500.0}, 1))
    plan = plan_rebalance(topology.heading_for(heirs), insights(topology.owners, {1: 400.0, 5: 400.0}))
    assert [(move.slot, move.source) for move in plan.moves] in ([(0, 0)], [(4, 0)])
    assert plan.why.endswith("; this was begun already, and is to be completed")


def test_a_partition_that_was_restarted_is_no_cooler_for_that() -> None:
    """It has counted for a tenth of the others' time, and a slot that came to it was counted elsewhere."""
    owners = Topology.balanced(2).owners
    of = insights(owners, {0: 1_000.0, 1: 100.0}, {1: HALVES_EVERY_S * 0.152})
    assert slot_loads(owners, of) == pytest.approx({0: 1_000.0, 1: 1_000.0}, rel=0.01)
    came = array("H", owners)
    came[0] = 1
    assert slot_loads(came, of)[0] == 1_000.0


def test_the_load_of_a_slot_is_what_all_counted() -> None:
    """It fades where it was as fast as it comes up where it is."""
    owners = Topology.balanced(2).owners
    both = [
        PartitionInsight(0, ReuseCounts(), Load(), ((0, 70.0), (1, 5.0)), 100.0),
        PartitionInsight(1, ReuseCounts(), Load(), ((0, 30.0),), 100.0),
    ]
    assert slot_loads(owners, both) == {0: 100.0, 1: 5.0}


def test_a_room_hotter_than_a_partition_is_reported() -> None:
    """By what is known of it on the partition that has it most; one that is hot in a cool slot is not."""

    def learnt(
        partition: int, recent: float, rooms: Sequence[tuple[str, float]], of_slot: float
    ) -> PartitionInsight:
        load = Load(
            of_slot, tuple(HotRoom(name, partition, uses) for name, uses in rooms), ((partition, of_slot),)
        )
        return PartitionInsight(partition, ReuseCounts(), load, ((partition, recent),), 600.0)

    topology = Topology.balanced(4)
    plan = plan_rebalance(
        topology,
        [
            learnt(0, 800.0, [("irc:net:hot", 900.0), ("irc:net:beside", 90.0)], 1_000.0),
            learnt(1, 100.0, [("irc:net:once", 1e6)], 1e6),
            learnt(2, 50.0, [], 1.0),
            learnt(3, 50.0, [("irc:net:cool", 50.0)], 50.0),
        ],
    )
    assert [(each.room, each.slot, each.uses) for each in plan.rooms] == [("irc:net:hot", 0, 720.0)]
    assert plan.findings == (
        "room irc:net:hot has 72% of the traffic, more than a partition's fair share of 25%: the sessions of "
        "a room stay together, wherever its slot is",
    )


def test_only_what_is_still_there_moves() -> None:
    """A move of a slot that somebody else has by now is none."""
    owners = Topology.balanced(2).owners
    moves = slot_moves(owners, {0: 60.0, 2: 50.0}, 1)
    elsewhere = array("H", owners)
    elsewhere[moves[0].slot] = 1
    assert moved_along(elsewhere, moves) == elsewhere
