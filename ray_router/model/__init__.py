"""The words of routing: plain frozen values, with no behaviour beyond what they say of themselves."""

from ray_router.model.advice import Advice, CurvePoint, Expected, Losses, Settings, Suggestion
from ray_router.model.autoscaling import AutoscalingStats, ScalingDecision, ScalingReason, ScalingWish
from ray_router.model.explanation import Candidate, Explanation, Rung
from ray_router.model.insight import AskAge, HotRoom, Load, PartitionInsight, ReuseCounts, Window
from ray_router.model.key import SessionKey
from ray_router.model.rebalance import PartitionLoad, RebalancePlan, SlotMove
from ray_router.model.resolution import Resolution, RouteRecord
from ray_router.model.results import (
    PruneResult,
    ReportResult,
    ResizeProgress,
    ResizeResult,
    SetResult,
    Write,
)
from ray_router.model.route import Route
from ray_router.model.snapshot import Restored, Snapshot, SnapshotProgress
from ray_router.model.stats import CopyStats, Holdings, PartitionStats, RouterStats, Traffic
from ray_router.model.vocabulary import (
    Confidence,
    Delivery,
    FallbackReason,
    Freshness,
    Origin,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
    Verdict,
)

__all__ = [
    "Advice",
    "AskAge",
    "AutoscalingStats",
    "Candidate",
    "Confidence",
    "CopyStats",
    "CurvePoint",
    "Delivery",
    "Expected",
    "Explanation",
    "FallbackReason",
    "Freshness",
    "Holdings",
    "HotRoom",
    "Load",
    "Losses",
    "Origin",
    "PartitionInsight",
    "PartitionLoad",
    "PartitionStats",
    "PressureLevel",
    "PruneResult",
    "RebalancePlan",
    "ReportOutcome",
    "ReportResult",
    "ResizeProgress",
    "ResizeResult",
    "Resolution",
    "ResolutionSource",
    "Restored",
    "ReuseCounts",
    "Route",
    "RouteRecord",
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
    "SnapshotProgress",
    "Suggestion",
    "Traffic",
    "Verdict",
    "Window",
    "Write",
]
