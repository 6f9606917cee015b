"""What ``stats`` returns: counts since a partition's actor started, and what it holds now."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import add

from ray_router.model.autoscaling import AutoscalingStats
from ray_router.model.balance import explained, imbalance_of
from ray_router.model.insight import AskAge, Load, Window
from ray_router.model.vocabulary import PressureLevel


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts of what was asked and what was done; adds up with ``+``.

    ``pressure_changes``: how often a partition went from one pressure level to another.
    """

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
    pressure_changes: int = 0

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
class CopyStats:
    """A partition's part in keeping every session twice.

    ``entries``: copies that it keeps for others; ``evicted``: those that it had to let go of by itself;
    ``owed``: sessions that peers have yet to be sent. ``ready``: it answers for its own; ``recovered``: all
    has come that it lost when it died. ``lost_window_s``: how long before this life began a write may have
    been acknowledged that is lost, infinite when it is not known.
    """

    entries: int = 0
    evicted: int = 0
    owed: int = 0
    ready: bool = True
    recovered: bool = True
    settled: bool = True
    lost_window_s: float = 0.0
    out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionStats:
    """One partition. ``available=False`` means it did not answer, and the rest is empty.

    ``waiting_s``: how long callers wait in front of it, on a moving average. ``ghosts``: evicted sessions
    that its eviction policy remembers by a hash. ``table_bytes``: the memory that its own sessions take,
    their keys, routes and queues included, copies for peers and the process itself not; measured on the
    newest sessions. ``windows``: the last minute, ten minutes and hour. Estimated from a sample are ``load``,
    its hottest rooms and slots, and ``ask_ages``, how old sessions' routes were when they were asked for.
    ``autoscaling``: what partition 0 was told by the router's controller; None where there is none.
    """

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
    waiting_s: float = 0.0
    ghosts: int = 0
    table_bytes: int = 0
    holdings: Holdings = field(default_factory=Holdings)
    traffic: Traffic = field(default_factory=Traffic)
    windows: tuple[Window, ...] = ()
    load: Load = field(default_factory=Load)
    ask_ages: tuple[AskAge, ...] = ()
    copies: CopyStats | None = None
    autoscaling: AutoscalingStats | None = None

    @property
    def work(self) -> int:
        """Resolves and writes that were answered."""
        return self.traffic.resolves + self.traffic.sets

    @property
    def restarts(self) -> int:
        """How often the actor was restarted."""
        return max(0, self.incarnation - 1)

    def _repr_html_(self) -> str:
        from ray_router.model.html.stats import partition_stats_html

        return partition_stats_html(self)


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
    def table_bytes(self) -> int:
        """The memory that the sessions of all answering partitions take; estimated."""
        return sum(stats.table_bytes for stats in self.partitions)

    @property
    def level(self) -> PressureLevel:
        """The highest pressure level of any partition."""
        return max((stats.level for stats in self.partitions), default=PressureLevel.NORMAL)

    @property
    def down(self) -> tuple[int, ...]:
        """The partitions that did not answer."""
        return tuple(stats.partition for stats in self.partitions if not stats.available)

    @property
    def out(self) -> tuple[int, ...]:
        """The partitions that died too often, and were taken out of service."""
        return tuple(
            sorted({index for stats in self.partitions if stats.copies for index in stats.copies.out})
        )

    @property
    def recovered(self) -> bool:
        """Whether every partition answers, holds what it should and owes nothing to another."""
        return all(
            stats.available and (stats.copies is None or (stats.copies.recovered and stats.copies.settled))
            for stats in self.partitions
            if stats.partition not in self.out
        )

    @property
    def autoscaling(self) -> AutoscalingStats | None:
        """What the router's controller sees and waits for; None without one, or while partition 0 is down."""
        return next((stats.autoscaling for stats in self.partitions if stats.autoscaling), None)

    @property
    def imbalance(self) -> float:
        """The largest number of resolves on a partition over the mean; 1.0 is perfectly even."""
        return imbalance_of([stats.traffic.resolves for stats in self.partitions if stats.available])

    @property
    def shares(self) -> dict[int, float]:
        """Each answering partition's share of all resolves and writes, 0 to 1."""
        total = sum(stats.work for stats in self.partitions)
        return {
            stats.partition: stats.work / total if total else 0.0
            for stats in self.partitions
            if stats.available
        }

    @property
    def windows(self) -> tuple[Window, ...]:
        """The last minute, ten minutes and hour of all answering partitions."""
        of_each = [stats.windows for stats in self.partitions if stats.windows]
        return tuple(reduce(add, spans) for spans in zip(*of_each, strict=True))

    @property
    def load(self) -> Load:
        """The hottest rooms and slots of all answering partitions."""
        return sum((stats.load for stats in self.partitions), Load())

    @property
    def ask_ages(self) -> tuple[AskAge, ...]:
        """How old sessions' routes were when they were asked for, on all answering partitions."""
        of_each = [stats.ask_ages for stats in self.partitions if stats.ask_ages]
        return tuple(
            AskAge(ages[0].up_to_s, sum(age.asks for age in ages)) for ages in zip(*of_each, strict=True)
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What there is to say of how the load lies on the partitions, a sentence each."""
        owner = {hot.room: stats.partition for stats in self.partitions for hot in stats.load.rooms}
        loads = {stats.partition: float(stats.work) for stats in self.partitions if stats.available}
        return explained(loads, self.load, owner)

    def _repr_html_(self) -> str:
        from ray_router.model.html.stats import router_stats_html

        return router_stats_html(self)
