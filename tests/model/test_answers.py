"""What the router answers with: resolutions, records and results."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from ray_router.errors import NoRouteError
from ray_router.model import (
    Confidence,
    FallbackReason,
    Freshness,
    Origin,
    PruneResult,
    ReportOutcome,
    ReportResult,
    Resolution,
    ResolutionSource,
    Route,
    RouteRecord,
    Scope,
    SessionKey,
    SetOutcome,
    SetResult,
    Write,
)

KEY = SessionKey("tg", "bot", "room", "thread")
ROUTE = Route("-100123", metadata={"lang": "de"})
FOUND = Resolution(
    key=KEY,
    route=ROUTE,
    source=ResolutionSource.EXACT,
    reason=None,
    stale=False,
    confidence=Confidence.OBSERVED,
    matched_scope=Scope.THREAD,
    age_s=3.0,
    expires_in_s=7.0,
    partition=2,
    epoch=1,
)
MISSED = replace(
    FOUND,
    route=None,
    source=ResolutionSource.NONE,
    reason=FallbackReason.MISS,
    confidence=Confidence.NONE,
    matched_scope=None,
    age_s=None,
    expires_in_s=None,
)
VALUES = [
    FOUND,
    MISSED,
    RouteRecord(KEY, ROUTE, Freshness.FRESH, 1.0, 3.0, 7.0, Origin.INBOUND, (Route("other"),)),
    Write(KEY, ROUTE),
    SetResult(SetOutcome.STORED, partition=1),
    ReportResult(ReportOutcome.APPLIED, partition=1),
    PruneResult(pruned=3, partitions=4),
]


def test_a_resolution_is_true_when_it_has_a_route() -> None:
    """A resolution is true exactly when it has a route."""
    assert FOUND
    assert not MISSED


def test_requiring_gives_the_route() -> None:
    """``require`` returns the route where there is one."""
    assert FOUND.require() is ROUTE


@pytest.mark.parametrize("reason", [None, *FallbackReason])
def test_requiring_a_missing_route_raises(reason: FallbackReason | None) -> None:
    """``require`` raises where there is none, with the scope and the reason but no part of the key."""
    with pytest.raises(NoRouteError) as caught:
        replace(MISSED, reason=reason).require()
    message = str(caught.value)
    assert "thread" in message
    assert "room" not in message and "bot" not in message
    assert reason is None or reason.value in message


@pytest.mark.parametrize("source", list(ResolutionSource))
def test_a_fallback_is_neither_exact_nor_nothing(source: ResolutionSource) -> None:
    """``fallback`` is true when the source is neither exact nor none."""
    expected = source not in (ResolutionSource.EXACT, ResolutionSource.NONE)
    assert replace(FOUND, source=source).fallback is expected


def test_a_write_has_the_defaults_of_set() -> None:
    """A write without more is an inbound one, of now, with the router's TTL."""
    assert Write("tg:bot:room", ROUTE) == Write("tg:bot:room", ROUTE, None, Origin.INBOUND, None)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_answers_travel_and_never_change(value: object) -> None:
    """Every answer pickles, is frozen, and is slotted."""
    assert pickle.loads(pickle.dumps(value)) == value
    assert not hasattr(value, "__dict__")
    field = type(value).__slots__[0]  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, None)
