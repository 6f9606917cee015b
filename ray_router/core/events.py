"""What the core tells the world: frozen events, to one observer, after the fact."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, Union

from ray_router.core.table import Phase
from ray_router.model import (
    Delivery,
    FallbackReason,
    Origin,
    PressureLevel,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
)

_log = logging.getLogger(__name__)


class Resolved(NamedTuple):
    """Keys were resolved, ``number`` of them alike. ``scope`` is that of the asking keys."""

    partition: int
    scope: Scope
    source: ResolutionSource
    reason: FallbackReason | None
    stale: bool
    number: int = 1


class WroteRoute(NamedTuple):
    """A route was observed."""

    partition: int
    scope: Scope
    outcome: SetOutcome
    origin: Origin


class Reported(NamedTuple):
    """A delivery report came in."""

    partition: int
    delivery: Delivery
    outcome: ReportOutcome


class Deleted(NamedTuple):
    """A session was deleted; ``found``: it had a route."""

    partition: int
    found: bool


class Evicted(NamedTuple):
    """An entry left to make room."""

    partition: int
    phase: Phase
    age_s: float


class MovedOn(NamedTuple):
    """An entry's time in a phase was over; ``to`` is None when it was forgotten."""

    partition: int
    left: Phase
    to: Phase | None


class RefusedInput(NamedTuple):
    """Bad input reached the partition itself."""

    partition: int
    field: str


class PressureChanged(NamedTuple):
    """The partition's pressure crossed into another level."""

    partition: int
    before: PressureLevel
    after: PressureLevel
    pressure: float


Event = Union[Resolved, WroteRoute, Reported, Deleted, Evicted, MovedOn, RefusedInput, PressureChanged]
Observer = Callable[[Event], None]


def guarded(observer: Observer) -> Observer:
    """An observer whose failures are logged, the first with its traceback, and never passed on."""
    failures = 0

    def observe(event: Event) -> None:
        nonlocal failures
        try:
            observer(event)
        except Exception:  # an observer is foreign code: whatever it raises must not reach a caller
            failures += 1
            if failures == 1:
                _log.exception(
                    "the observer failed on %s; later failures are not logged", type(event).__name__
                )

    return observe


def unobserved(event: Event) -> None:
    """Nobody is watching."""
