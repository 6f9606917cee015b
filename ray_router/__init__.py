"""ray_router: where does a reply to this session go? A partitioned, stateful route table on Ray.

Importing this package does not import Ray; deploying or connecting does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray_router.autoscaling import AutoscalingConfig
from ray_router.config import RouterConfig
from ray_router.errors import (
    ConfigMismatchError,
    DeadlineExceededError,
    InvalidCallError,
    InvalidConfigError,
    InvalidInputError,
    InvalidKeyError,
    InvalidRouteError,
    NoRouteError,
    PartitionUnavailableError,
    RouterError,
    RouterNotFoundError,
    SnapshotError,
    SnapshotNotFoundError,
)
from ray_router.handle import Reply, RouterHandle
from ray_router.model import (
    Advice,
    AskAge,
    AutoscalingStats,
    Candidate,
    Confidence,
    CurvePoint,
    Delivery,
    Expected,
    Explanation,
    FallbackReason,
    Freshness,
    Holdings,
    HotRoom,
    Load,
    Losses,
    Origin,
    PartitionLoad,
    PartitionStats,
    PressureLevel,
    PruneResult,
    RebalancePlan,
    ReportOutcome,
    ReportResult,
    ResizeProgress,
    ResizeResult,
    Resolution,
    ResolutionSource,
    Restored,
    Route,
    RouteRecord,
    RouterStats,
    Rung,
    ScalingDecision,
    ScalingReason,
    ScalingWish,
    Scope,
    SessionKey,
    SetOutcome,
    SetResult,
    Settings,
    SlotMove,
    Snapshot,
    SnapshotProgress,
    Suggestion,
    Traffic,
    Verdict,
    Window,
    Write,
)
from ray_router.transport import LocalTransport

if TYPE_CHECKING:
    from ray_router.runtime import connect, deploy, shutdown

__version__ = "0.1.0"

_ON_RAY = frozenset({"connect", "deploy", "shutdown"})

__all__ = [
    "Advice",
    "AskAge",
    "AutoscalingConfig",
    "AutoscalingStats",
    "Candidate",
    "Confidence",
    "ConfigMismatchError",
    "CurvePoint",
    "DeadlineExceededError",
    "Delivery",
    "Expected",
    "Explanation",
    "FallbackReason",
    "Freshness",
    "Holdings",
    "HotRoom",
    "InvalidCallError",
    "InvalidConfigError",
    "InvalidInputError",
    "InvalidKeyError",
    "InvalidRouteError",
    "Load",
    "LocalTransport",
    "Losses",
    "NoRouteError",
    "Origin",
    "PartitionLoad",
    "PartitionStats",
    "PartitionUnavailableError",
    "PressureLevel",
    "PruneResult",
    "RebalancePlan",
    "Reply",
    "ReportOutcome",
    "ReportResult",
    "ResizeProgress",
    "ResizeResult",
    "Resolution",
    "ResolutionSource",
    "Restored",
    "Route",
    "RouteRecord",
    "RouterConfig",
    "RouterError",
    "RouterHandle",
    "RouterNotFoundError",
    "RouterStats",
    "Rung",
    "ScalingDecision",
    "ScalingReason",
    "ScalingWish",
    "Scope",
    "SessionKey",
    "SetOutcome",
    "SetResult",
    "Settings",
    "SlotMove",
    "Snapshot",
    "SnapshotError",
    "SnapshotNotFoundError",
    "SnapshotProgress",
    "Suggestion",
    "Traffic",
    "Verdict",
    "Window",
    "Write",
    "connect",
    "deploy",
    "shutdown",
]


def __getattr__(name: str) -> Any:
    """Import the Ray runtime when it is first asked for."""
    if name in _ON_RAY:
        from ray_router import runtime

        return getattr(runtime, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*globals(), *_ON_RAY))
