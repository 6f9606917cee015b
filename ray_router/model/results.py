"""What writing takes and returns."""

from __future__ import annotations

from dataclasses import dataclass

from ray_router.model.key import SessionKey
from ray_router.model.route import Route
from ray_router.model.vocabulary import Origin, ReportOutcome, SetOutcome


@dataclass(frozen=True, slots=True)
class Write:
    """One item of ``set_many``; the fields are the arguments of ``set``.

    Args:
        observed_at: epoch seconds of the event; None stamps it with the present.
        ttl_s: seconds this route stays fresh; None takes the router's.
    """

    key: SessionKey | str
    route: Route
    observed_at: float | None = None
    origin: Origin = Origin.INBOUND
    ttl_s: float | None = None


@dataclass(frozen=True, slots=True)
class SetResult:
    """What a write did, where, and how many sessions with a route left to make room for it."""

    outcome: SetOutcome
    partition: int
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What a delivery report did, and where."""

    outcome: ReportOutcome
    partition: int


@dataclass(frozen=True, slots=True)
class PruneResult:
    """How many sessions moved on (went stale, expired, or were forgotten), on how many partitions."""

    pruned: int
    partitions: int


@dataclass(frozen=True, slots=True)
class ResizeProgress:
    """How far a resize or rebalance is: what is done now, what share of it (0 to 1), and sessions left."""

    phase: str
    done: float
    left: int


@dataclass(frozen=True, slots=True)
class ResizeResult:
    """How many slots have another owner than before, how many partitions there are, and their epoch."""

    slots_moved: int
    partitions: int
    epoch: int
