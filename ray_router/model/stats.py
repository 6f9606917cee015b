"""What ``stats`` returns: counts since a partition's actor started, and what it holds now."""

from __future__ import annotations

from dataclasses import dataclass, field

from ray_router.model.vocabulary import PressureLevel


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts of what was asked and what was done; adds up with ``+``."""

    resolves: int = 0
    exact: int = 0
    alternate: int = 0
    scope: int = 0
    provided: int = 0
    stale_answers: int = 0
    misses: int = 0
    stale_detections: int = 0
    stored: int = 0
    refreshed: int = 0
    superseded: int = 0
    shed: int = 0
    reports: int = 0
    deletes: int = 0
    refused: int = 0
    new_sessions: int = 0
    went_stale: int = 0
    expired: int = 0
    forgotten: int = 0
    evicted_live: int = 0
    evicted_stale: int = 0
    evicted_tombstones: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(*(getattr(self, name) + getattr(other, name) for name in Traffic.__slots__))

    @property
    def sets(self) -> int:
        """Writes that were answered, whatever became of them."""
        return self.stored + self.refreshed + self.superseded + self.shed

    @property
    def fallbacks(self) -> int:
        """Answers from another rung than the session's primary."""
        return self.alternate + self.scope + self.provided + self.stale_answers

    @property
    def hit_ratio(self) -> float:
        """Share of resolves answered by the session's primary route, 0 to 1."""
        return self.exact / self.resolves if self.resolves else 0.0

    @property
    def fallback_ratio(self) -> float:
        """Share of resolves answered by another rung, 0 to 1."""
        return self.fallbacks / self.resolves if self.resolves else 0.0

    @property
    def evicted(self) -> int:
        """Sessions with a route that left to make room."""
        return self.evicted_live + self.evicted_stale


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a partition holds now, in sessions; adds up with ``+``."""

    live: int = 0
    stale: int = 0
    tombstones: int = 0
    defaults: int = 0

    def __add__(self, other: Holdings) -> Holdings:
        return Holdings(*(getattr(self, name) + getattr(other, name) for name in Holdings.__slots__))

    @property
    def entries(self) -> int:
        """What counts against ``max_entries_per_partition``."""
        return self.live + self.stale + self.tombstones


@dataclass(frozen=True, slots=True)
class PartitionStats:
    """One partition. ``available=False`` means it did not answer, and the rest is empty."""

    partition: int
    available: bool = True
    incarnation: int = 0
    epoch: int = 0
    uptime_s: float = 0.0
    node: str = ""
    pid: int = 0
    capacity: int = 0
    slots: int = 0
    pressure: float = 0.0
    level: PressureLevel = PressureLevel.NORMAL
    holdings: Holdings = field(default_factory=Holdings)
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def restarts(self) -> int:
        """How often the actor was restarted."""
        return max(0, self.incarnation - 1)


@dataclass(frozen=True, slots=True)
class RouterStats:
    """A whole router: totals, and each partition."""

    name: str
    epoch: int
    partitions: tuple[PartitionStats, ...]

    @property
    def holdings(self) -> Holdings:
        """What all answering partitions hold; ``defaults`` are copies, so they are not added up."""
        total = sum((stats.holdings for stats in self.partitions), Holdings())
        most = max((stats.holdings.defaults for stats in self.partitions), default=0)
        return Holdings(total.live, total.stale, total.tombstones, most)

    @property
    def traffic(self) -> Traffic:
        """What all answering partitions counted."""
        return sum((stats.traffic for stats in self.partitions), Traffic())

    @property
    def level(self) -> PressureLevel:
        """The highest pressure level of any partition."""
        return max((stats.level for stats in self.partitions), default=PressureLevel.NORMAL)

    @property
    def down(self) -> tuple[int, ...]:
        """The partitions that did not answer."""
        return tuple(stats.partition for stats in self.partitions if not stats.available)

    @property
    def imbalance(self) -> float:
        """The largest number of resolves on a partition over the mean; 1.0 is perfectly even."""
        loads = [stats.traffic.resolves for stats in self.partitions if stats.available]
        return max(loads) * len(loads) / sum(loads) if sum(loads) else 1.0
