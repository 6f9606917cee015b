"""What happens in a router, told to the world: frozen events, to one observer, after the fact.

Partitions tell what they did, handles what their calls were like. An event may stand for a ``number``
of occurrences that went the same, so that a batch costs one event rather than one for each key.
"""

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
    ScalingReason,
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
    """Routes were observed, ``number`` of them alike."""

    partition: int
    scope: Scope
    outcome: SetOutcome
    origin: Origin
    number: int = 1


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


class ServiceChanged(NamedTuple):
    """A partition died too often and was taken out of service, or somebody brought it back."""

    partition: int
    in_service: bool


class ScalingDecided(NamedTuple):
    """The router is to have another number of partitions from now on; told by partition 0."""

    partition: int
    before: int
    after: int
    reason: ScalingReason


class KeptSnapshot(NamedTuple):
    """The router was to write a snapshot of its own; ``written``: it did, else it failed, and goes on."""

    partition: int
    written: bool


class Served(NamedTuple):
    """A partition carried out a batch. ``service_s``: what that took, without the way there and back."""

    partition: int
    service_s: float


class Called(NamedTuple):
    """A handle's call is over, and this became of some of its ``keys``.

    ``operation``: the handle's method. ``outcome``: ``answered``, or why not. ``took_s``: from submission to
    the last answer; None but in the first event of a call.
    """

    operation: str
    outcome: str
    keys: int
    took_s: float | None


class Carried(NamedTuple):
    """A batch went to a partition and back, with somebody waiting for it all the while.

    ``waited_s``: the round trip without the service: what a call that asks for nothing would have taken.
    ``queued``: operations that wait in this handle for the partition now.
    """

    partition: int
    round_trip_s: float
    waited_s: float
    queued: int


Event = Union[
    Resolved,
    WroteRoute,
    Reported,
    Deleted,
    Evicted,
    MovedOn,
    RefusedInput,
    PressureChanged,
    ServiceChanged,
    ScalingDecided,
    KeptSnapshot,
    Served,
    Called,
    Carried,
]
Observer = Callable[[Event], None]


class Guarded:
    """An observer whose failures are logged, the first with its traceback, and never passed on."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._failed = False

    def __call__(self, event: Event) -> None:
        try:
            self._observer(event)
        except Exception:  # an observer is foreign code: whatever it raises must not reach a caller
            if not self._failed:
                self._failed = True
                kind = type(event).__name__
                _log.exception("the observer failed on %s; later failures are not logged", kind)


class Unguarded:
    """An observer whose failures reach the caller: for tests, which must not pass over them."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def __call__(self, event: Event) -> None:
        self._observer(event)


def guarded(observer: Observer) -> Observer:
    """The observer with its failures kept from callers, once, however often it is handed on."""
    return observer if isinstance(observer, Guarded | Unguarded) else Guarded(observer)


def unobserved(event: Event) -> None:
    """Nobody is watching."""
