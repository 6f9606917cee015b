"""What a partition learnt of its traffic, as plain values: they travel, and they add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted over the last ``span_s`` seconds; adds up with ``+``.

    ``covered_s``: how many seconds the counts are of. ``writes`` are sets that were answered; ``busy_s``:
    seconds spent on calls, of all partitions together.
    """

    span_s: float
    covered_s: float = 0.0
    resolves: int = 0
    exact: int = 0
    fallbacks: int = 0
    writes: int = 0
    busy_s: float = 0.0

    def __add__(self, other: Window) -> Window:
        return Window(
            self.span_s,
            max(self.covered_s, other.covered_s),
            self.resolves + other.resolves,
            self.exact + other.exact,
            self.fallbacks + other.fallbacks,
            self.writes + other.writes,
            self.busy_s + other.busy_s,
        )

    @property
    def hit_ratio(self) -> float:
        """Share of resolves answered by the session's primary route, 0 to 1."""
        return self.exact / self.resolves if self.resolves else 0.0

    @property
    def fallback_ratio(self) -> float:
        """Share of resolves answered by another rung, 0 to 1."""
        return self.fallbacks / self.resolves if self.resolves else 0.0

    @property
    def busy(self) -> float:
        """Share of the time spent on calls: 1.0 is one partition that never rests."""
        return self.busy_s / self.covered_s if self.covered_s else 0.0


@dataclass(frozen=True, slots=True)
class AskAge:
    """Asks that came at most ``up_to_s`` seconds after their session's last write; estimated from a sample.

    Those that are younger belong to the next smaller one.
    """

    up_to_s: float
    asks: float


@dataclass(frozen=True, slots=True)
class HotRoom:
    """A room with its slot and its uses: resolves and writes of all its sessions.

    ``uses`` is an estimate, which is too high by at most ``over`` but for what the sampling makes of it.
    """

    room: str
    slot: int
    uses: float
    over: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Uses in all, of the hottest rooms, and of each slot that had any (slot, uses), the hottest first.

    Of late: what is long ago counts less and less. Adds up with ``+``.
    """

    uses: float = 0.0
    rooms: tuple[HotRoom, ...] = ()
    slots: tuple[tuple[int, float], ...] = ()

    def __add__(self, other: Load) -> Load:
        rooms = sorted(self.rooms + other.rooms, key=lambda each: (-each.uses, each.room))
        slots = sorted(self.slots + other.slots, key=lambda each: (-each[1], each[0]))
        return Load(self.uses + other.uses, tuple(rooms), tuple(slots))

    def share(self, uses: float) -> float:
        """So many uses as a share of all, 0 to 1."""
        return min(1.0, uses / self.uses) if self.uses else 0.0


@dataclass(frozen=True, slots=True)
class ReuseCounts:
    """How sessions came back, as ``core.insight.reuse`` sampled it.

    Args:
        span_s: from the first use to the last.
        uses: resolves and writes since the beginning; ``asks`` and ``writes``: of late, as all that follows.
        watched, stride: sessions watched now; one write in so many is sampled now.
        touches: uses of sessions that had been written, as weights.
        cells: (class of age, class of interval, weight) of asks that came after a write.
        intervals, open: weights of the runs of uses between two of one session, by class, and of those that
            have not ended, by how long they are now.
        started: weights of sampled writes, by group of sessions.
        ages: weights of asks by group of sessions and class of age.
    """

    span_s: float = 0.0
    uses: int = 0
    asks: float = 0.0
    writes: float = 0.0
    watched: int = 0
    stride: int = 1
    touches: float = 0.0
    cells: tuple[tuple[int, int, float], ...] = ()
    intervals: tuple[float, ...] = ()
    open: tuple[float, ...] = ()
    started: tuple[float, ...] = ()
    ages: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PartitionInsight:
    """What one partition learnt.

    ``recent``: (slot, uses) of the last minutes, those of ten minutes ago counting half, of slots that others
    own by now as well; ``measured_s``: for how long they have been counted.
    """

    partition: int
    reuse: ReuseCounts
    load: Load
    recent: tuple[tuple[int, float], ...] = ()
    measured_s: float = 0.0
