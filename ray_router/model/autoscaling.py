"""What there is to know of a router that changes its number of partitions by itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ScalingReason(str, Enum):
    """Why another number of partitions.

    ``ENTRIES`` they would hold more sessions than ``target_entries``; ``CALLS`` they would answer more than
    ``target_calls_per_s``; ``IDLE`` fewer stay well below both; ``BOUNDS`` there are more than
    ``max_partitions``, or fewer than ``min_partitions``; ``LEAVING`` a node is about to leave, and the others
    take the slots of the partitions on it; ``BACK`` these live elsewhere now, and take slots again.
    """

    ENTRIES = "entries"
    CALLS = "calls"
    IDLE = "idle"
    BOUNDS = "bounds"
    LEAVING = "leaving"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class ScalingWish:
    """Another number of partitions, and since when it has been wanted, epoch seconds."""

    partitions: int
    reason: ScalingReason
    since: float


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    """A change of the number of partitions with slots, and when it was decided, epoch seconds."""

    at: float
    before: int
    after: int
    reason: ScalingReason


@dataclass(frozen=True, slots=True)
class AutoscalingStats:
    """What a router's controller saw when it looked last, and what it waits for. Times in epoch seconds.

    ``looked_at``: None when no controller has been heard of. ``entries`` and ``calls_per_s`` are those of all
    partitions; None: not known yet. ``wish``: a number that is wanted, and had at ``due_at`` unless that
    changes. ``away``: partitions that own no slots, because their node was about to leave. ``doing``: what it
    is busy with. ``problem``: why it can decide nothing, or why it could not do what it had decided.
    ``blind``: why it would not know of a node that is about to leave. ``last``: the last decision.
    """

    looked_at: float | None = None
    partitions: int = 0
    entries: int = 0
    calls_per_s: float | None = None
    wish: ScalingWish | None = None
    due_at: float | None = None
    away: tuple[int, ...] = ()
    doing: str = ""
    problem: str = ""
    blind: str = ""
    last: ScalingDecision | None = None
