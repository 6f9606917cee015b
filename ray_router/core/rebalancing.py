"""Rebalancing: which slots hot partitions should give to cool ones, by measured load. Pure.

The hottest partition gives a slot to the coolest, again and again: the one whose load is nearest to half of
the difference between the two, so that the first moves do the most; or the two exchange slots, where one
alone would only turn the difference round. A partition that cannot be relieved, because its heat is that of
one slot, is left alone, and the next is relieved. No move ever makes a partition as hot as the giver was.

Everything is left as it is unless a partition that can be relieved is above its fair share by more than a
tenth of it, and by more than chance explains in so few uses; then all are brought down to within two per
cent. What was brought there is not touched again before the load itself has changed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, pow, sqrt
from typing import NamedTuple

from ray_router.core.insight.recent import HALVES_EVERY_S
from ray_router.core.insight.words import percent
from ray_router.core.slots import SLOTS, Topology
from ray_router.model import HotRoom, PartitionInsight, PartitionLoad, RebalancePlan, SlotMove

MOST_MOVES = 128

_ACTS_FROM = 0.10  # above the fair share, as a share of it
_DEVIATIONS = 3.0  # of what a partition gets, if all came by chance
_AIMS_AT = 0.02
_MOVES_OF_ANY_USE = 2_000  # what relieves a partition of less than such a part of its excess is left undone
_MOST_SLOTS = 1.25  # times the mean: what a cool partition may own, for sessions take memory too
_MEASURED_FOR_S = 60.0  # what was measured for less is made no more of

Loads = Mapping[int, float]
"""Slot -> uses, of those that have any."""


def plan_rebalance(
    topology: Topology, insights: Sequence[PartitionInsight], most_moves: int = MOST_MOVES
) -> RebalancePlan:
    """The moves that even out what was measured; the same ones for the same figures.

    Args:
        topology: who owns what now; where slots are on their way already, these are the moves.
        insights: of every partition that owns slots.
        most_moves: how many slots may move.
    """
    loads = slot_loads(topology.owners, insights)
    counted = sum(uses for each in insights for _, uses in each.recent)
    acts_from = _ACTS_FROM
    if counted:
        acts_from = max(acts_from, _DEVIATIONS / sqrt(counted / len(topology.partitions)))
    if topology.heirs is None:
        moves = slot_moves(topology.owners, loads, most_moves, acts_from)
    else:
        moves = _under_way(topology.owners, topology.heirs, loads)
    plan = RebalancePlan(
        moves=moves,
        loads=_partition_loads(topology, moved_along(topology.owners, moves), loads),
        uses=counted,
        best=_best(loads, len(topology.partitions)),
        rooms=_rooms_above_fair(loads, insights, len(topology.partitions), counted),
        why="",
        epoch=topology.epoch,
    )
    begun = "; this was begun already, and is to be completed" if topology.heirs is not None else ""
    return replace(plan, why=_why(plan, acts_from, most_moves) + begun)


def slot_loads(owners: array[int], insights: Sequence[PartitionInsight]) -> dict[int, float]:
    """The uses of each slot that had any, wherever they were counted.

    A partition that has counted for a shorter time than others, since it was restarted, would seem cooler
    than it is: what it has is taken for as many uses as it would be by now. What others counted before the
    slot came to it says the same again, so the greater of the two figures holds.
    """
    found: dict[int, float] = {}
    for insight in insights:
        for slot, uses in insight.recent:
            found[slot] = found.get(slot, 0.0) + uses
    longest = max(map(_remembered, insights), default=1.0)
    for insight in insights:
        times = longest / _remembered(insight)
        for slot, uses in insight.recent:
            if owners[slot] == insight.partition:
                found[slot] = max(found[slot], times * uses)
    return found


def _remembered(insight: PartitionInsight) -> float:
    """How much of an even load a partition would have counted by now, of what it would in the end."""
    return 1 - pow(0.5, max(insight.measured_s, _MEASURED_FOR_S) / HALVES_EVERY_S)


def slot_moves(
    owners: array[int], loads: Loads, most: int, acts_from: float = _ACTS_FROM
) -> tuple[SlotMove, ...]:
    """At most so many moves, each slot's own, the most effective first.

    Args:
        acts_from: how far above its fair share a partition must be, as a share of it, for anything to move.
    """
    floor = _Floor(owners, loads)
    left_alone: set[int] = set()
    moved: dict[int, int] = {}
    while True:
        hot = floor.hottest(left_alone)  # there is one: the coolest of all is never left alone
        excess = floor.load(hot) - floor.fair
        if excess <= _AIMS_AT * floor.fair:
            break
        relief = floor.relief(hot, excess / _MOVES_OF_ANY_USE)
        if relief is None or len(moved.keys() | relief.moves.keys()) > most:
            left_alone.add(hot)
            continue
        if not moved and excess <= acts_from * floor.fair:
            break
        for slot, target in relief.moves.items():
            floor.move(slot, target)
            moved[slot] = target
    return tuple(_move(slot, owners[slot], target, loads) for slot, target in moved.items())


def moved_along(owners: array[int], moves: Sequence[SlotMove]) -> array[int]:
    """The owners after these moves, as far as the slots are still where they were."""
    after = array("H", owners)
    for move in moves:
        if after[move.slot] == move.source:
            after[move.slot] = move.target
    return after


class _Relief(NamedTuple):
    """What makes the hotter of two partitions so much cooler than it was: slots that go to others."""

    amount: float
    moves: dict[int, int]


class _Floor:
    """The partitions with their loads, while slots are moved about."""

    def __init__(self, owners: array[int], loads: Loads) -> None:
        self._loads = loads
        self._owner = dict(enumerate(owners))
        self._counts = dict.fromkeys(sorted(set(owners)), 0)
        self._load = dict.fromkeys(self._counts, 0.0)
        self._slots: dict[int, list[tuple[float, int]]] = {each: [] for each in self._counts}
        for slot, owner in self._owner.items():
            self._counts[owner] += 1
            if loads.get(slot, 0.0) > 0:
                self._load[owner] += loads[slot]
                self._slots[owner].append((loads[slot], slot))
        for slots in self._slots.values():
            slots.sort()
        self._most_slots = ceil(_MOST_SLOTS * SLOTS / len(self._counts))
        self.fair = sum(self._load.values()) / len(self._counts)

    def load(self, partition: int) -> float:
        """Its uses."""
        return self._load[partition]

    def hottest(self, left_alone: Collection[int]) -> int:
        """The partition with the most uses, but for some."""
        others = (each for each in self._load if each not in left_alone)
        return max(others, key=lambda each: (self._load[each], -each))

    def relief(self, hot: int, least: float) -> _Relief | None:
        """How best to make a partition cooler, by so much at least; None when that cannot be done."""
        cool = min(self._load, key=lambda each: (self._load[each], each))
        found = []
        if self._counts[hot] > 1:
            roomy = (each for each in self._load if self._counts[each] < self._most_slots)
            taker = min(roomy, key=lambda each: (self._load[each], each), default=hot)
            found = [self._gift(hot, taker, slot) for slot in self._near(hot, self._half(hot, taker))]
        best = max(found, key=lambda each: each.amount, default=None)
        if best is None or best.amount <= least:
            best = max(self._exchanges(hot, cool, least), key=lambda each: each.amount, default=None)
        return best if best is not None and best.amount > least else None

    def move(self, slot: int, target: int) -> None:
        """Let a partition have a slot."""
        source, load = self._owner[slot], self._loads.get(slot, 0.0)
        self._owner[slot] = target
        self._counts[source] -= 1
        self._counts[target] += 1
        self._slots[source].remove((load, slot))
        insort(self._slots[target], (load, slot))
        self._load[source] -= load
        self._load[target] += load

    def _half(self, hot: int, cool: int) -> float:
        return (self._load[hot] - self._load[cool]) / 2

    def _near(self, partition: int, load: float) -> Iterator[int]:
        """Its slots with the loads next to this one, from below and from above."""
        slots = self._slots[partition]
        place = bisect_left(slots, (load, -1))
        yield from (slot for _, slot in slots[max(0, place - 1) : place + 1])

    def _gift(self, hot: int, cool: int, slot: int) -> _Relief:
        return _Relief(self._amount(hot, cool, self._loads[slot]), {slot: cool})

    def _exchanges(self, hot: int, cool: int, least: float) -> Iterator[_Relief]:
        half = self._half(hot, cool)
        for load, slot in reversed(self._slots[hot]):
            if load <= least:
                break
            for other in self._near(cool, load - half):
                amount = self._amount(hot, cool, load - self._loads[other])
                yield _Relief(amount, {slot: cool, other: hot})

    def _amount(self, hot: int, cool: int, load: float) -> float:
        """By how much the hotter of the two is cooler than before, when so much goes to the other."""
        return min(load, self._load[hot] - self._load[cool] - load)


def _under_way(owners: array[int], heirs: array[int], loads: Loads) -> tuple[SlotMove, ...]:
    pairs = enumerate(zip(owners, heirs, strict=True))
    return tuple(_move(slot, owner, heir, loads) for slot, (owner, heir) in pairs if owner != heir)


def _move(slot: int, source: int, target: int, loads: Loads) -> SlotMove:
    return SlotMove(slot, source, target, loads.get(slot, 0.0) / (sum(loads.values()) or 1.0))


def _partition_loads(topology: Topology, after: array[int], loads: Loads) -> tuple[PartitionLoad, ...]:
    total = sum(loads.values()) or 1.0
    figures = {partition: [0.0, 0.0, 0, 0] for partition in topology.partitions}
    for slot, (source, target) in enumerate(zip(topology.owners, after, strict=True)):
        share = loads.get(slot, 0.0) / total
        figures[source][0] += share
        figures[target][1] += share
        figures[source][2] += 1
        figures[target][3] += 1
    return tuple(
        PartitionLoad(partition, before, becomes, int(slots), int(slots_after))
        for partition, (before, becomes, slots, slots_after) in figures.items()
    )


def _why(plan: RebalancePlan, acts_from: float, most_moves: int) -> str:
    if len(plan.loads) == 1:
        return "there is one partition"
    if not plan.uses:
        return "nothing was asked or written yet"
    busiest = max(plan.loads, key=lambda each: each.before)
    stands = f"partition {busiest.partition} has {plan.imbalance:.2f} times the mean"
    if plan.moves:
        share = percent(sum(each.share for each in plan.moves))
        bound = f", and {most_moves:,} is the most for once" if len(plan.moves) == most_moves else ""
        some = "1 slot" if len(plan.moves) == 1 else f"{len(plan.moves):,} slots"
        move = "moves" if len(plan.moves) == 1 else "move"
        return f"{stands}; {some} with {share} of the load {move}{bound}"
    if plan.imbalance <= 1 + acts_from:
        return f"{stands}, and up to {1 + acts_from:.2f} is left as it is"
    return f"{stands}, and no slot that could move makes it less"


def _best(loads: Loads, partitions: int) -> float:
    """The least imbalance of so many partitions: one of them has the hottest slot."""
    total = sum(loads.values())
    return max(1.0, max(loads.values()) * partitions / total) if total else 1.0


def _rooms_above_fair(
    loads: Loads, insights: Sequence[PartitionInsight], partitions: int, counted: float
) -> tuple[HotRoom, ...]:
    """The rooms with more uses than a partition's fair share, the hottest first."""
    scale = counted / (sum(loads.values()) or 1.0)
    hot: dict[int, HotRoom] = {}
    for insight in insights:
        of_slots = dict(insight.load.slots)
        for room in insight.load.rooms:
            uses = min(1.0, room.uses / of_slots[room.slot]) * loads.get(room.slot, 0.0) * scale
            hotter = room.slot not in hot or uses > hot[room.slot].uses
            if hotter and uses > counted / partitions:
                hot[room.slot] = HotRoom(room.room, room.slot, uses)
    return tuple(sorted(hot.values(), key=lambda each: (-each.uses, each.room)))
