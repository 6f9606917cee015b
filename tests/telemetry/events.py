"""Events of every kind."""

from __future__ import annotations

from typing import get_args

from ray_router.core.events import (
    Called,
    Carried,
    Deleted,
    Event,
    Evicted,
    KeptSnapshot,
    MovedOn,
    PressureChanged,
    RefusedInput,
    Reported,
    Resolved,
    ScalingDecided,
    Served,
    ServiceChanged,
    WroteRoute,
)
from ray_router.core.table import Phase
from ray_router.model import (
    Delivery,
    FallbackReason,
    Origin,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    ScalingReason,
    Scope,
    SetOutcome,
)

ONE_OF_EACH: tuple[Event, ...] = (
    Resolved(
        3,
        Scope.THREAD,
        ResolutionSource.SCOPE,
        FallbackReason.STALE,
        True,
    ),
    WroteRoute(3, Scope.ROOM, SetOutcome.STORED, Origin.AGENT),
    Reported(3, Delivery.DELIVERED, ReportOutcome.APPLIED),
    Deleted(3, True),
    Evicted(3, Phase.LIVE, 12.5),
    MovedOn(3, Phase.LIVE, Phase.STALE),
    RefusedInput(3, "room"),
    PressureChanged(3, PressureLevel.NORMAL, PressureLevel.SHED, 0.97),
    ServiceChanged(3, False),
    ScalingDecided(3, 4, 6, ScalingReason.ENTRIES),
    KeptSnapshot(3, False),
    Served(3, 0.002),
    Called("resolve", "answered", 7, 0.004),
    Carried(3, 0.003, 0.001, 5),
)
assert {type(event) for event in ONE_OF_EACH} == set(get_args(Event))
