"""``Insight``: what one partition learns of its traffic, apart from carrying it."""

from __future__ import annotations

from collections.abc import Sequence

from ray_router.core.insight.loads import Loads
from ray_router.core.insight.recent import Recent
from ray_router.core.insight.reuse import ReuseSample
from ray_router.core.slots import SlotOf
from ray_router.model import AskAge, Load, PartitionInsight

SLOTS_SHOWN = 10


class Insight:
    """A sample of one partition's traffic, bounded in memory and in work a second.

    Args:
        partition: its number, which also seeds the choice.
        slot_of: the router's slot function.
    """

    def __init__(self, partition: int, slot_of: SlotOf) -> None:
        self._partition = partition
        self._loads = Loads(slot_of)
        self._recent = Recent()
        self._reuse = ReuseSample(self._notice, partition)
        self.asked = self._reuse.asked
        self.wrote = self._reuse.wrote

    def hottest(self) -> Load:
        """The load of the hottest rooms and slots alone."""
        load = self._loads.load()
        return Load(load.uses, load.rooms, load.slots[:SLOTS_SHOWN])

    def ask_ages(self) -> tuple[AskAge, ...]:
        """How old sessions' routes were when they were asked for."""
        return self._reuse.ask_ages()

    def counts(self, now: float) -> PartitionInsight:
        """All that was learnt so far."""
        return PartitionInsight(
            self._partition,
            self._reuse.counts(),
            self._loads.load(),
            self._recent.by_slot(now),
            self._recent.measured_s(now),
        )

    def _notice(self, key: str, weight: float) -> None:
        slot = self._loads.add(key, weight)
        if slot is not None:
            self._recent.add(slot, weight, self._reuse.last_at)


class NoInsight(Insight):
    """Learns nothing, for a partition whose traffic nobody will ask about."""

    def __init__(self) -> None:
        super().__init__(0, lambda key: 0)
        self.asked = self.wrote = self._pass_over

    def _pass_over(self, keys: Sequence[str], now: float) -> None:
        """Nothing."""
