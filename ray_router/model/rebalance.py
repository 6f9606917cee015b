"""What a rebalance would do, or did: slots that move from hot partitions to cool ones."""

from __future__ import annotations

from dataclasses import dataclass

from ray_router.model.balance import imbalance_of
from ray_router.model.insight import HotRoom


@dataclass(frozen=True, slots=True)
class SlotMove:
    """A slot that moves from one partition to another, with its share of all uses, 0 to 1."""

    slot: int
    source: int
    target: int
    share: float


@dataclass(frozen=True, slots=True)
class PartitionLoad:
    """A partition's share of all uses, 0 to 1, and its slots: before the moves, and after them."""

    partition: int
    before: float
    after: float
    slots_before: int
    slots_after: int


@dataclass(frozen=True, slots=True)
class RebalancePlan:
    """Which slots are to move, and what for.

    ``uses``: resolves and writes that the loads were measured by, those of ten minutes ago counting half.
    ``best``: the least imbalance that there can be, for no slot can be divided. ``rooms``: those that have
    more uses than a partition's fair share, of which ``HotRoom.uses`` says how many; a room stays on one
    partition. ``why``: why these moves, or why none. ``done``: the slots have moved, and ``epoch`` is that
    of the topology by which they have; before, it is that of the present one.
    """

    moves: tuple[SlotMove, ...]
    loads: tuple[PartitionLoad, ...]
    uses: float
    best: float
    rooms: tuple[HotRoom, ...]
    why: str
    epoch: int
    done: bool = False

    @property
    def imbalance(self) -> float:
        """The largest load of a partition over the mean, before the moves; 1.0 is perfectly even."""
        return imbalance_of([each.before for each in self.loads])

    @property
    def expected(self) -> float:
        """The same after the moves, if the load stays as it was measured."""
        return imbalance_of([each.after for each in self.loads])

    @property
    def findings(self) -> tuple[str, ...]:
        """The rooms that no rebalance helps, a sentence each."""
        fair = 1 / len(self.loads)
        return tuple(
            f"room {each.room} has {each.uses / self.uses:.0%} of the traffic, more than a partition's fair "
            f"share of {fair:.0%}: the sessions of a room stay together, wherever its slot is"
            for each in self.rooms
        )

    def _repr_html_(self) -> str:
        from ray_router.model.html.rebalance import rebalance_html

        return rebalance_html(self)
