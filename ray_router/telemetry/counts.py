"""``Counts``: events added up, to be read when a backend collects.

An event costs one addition, whatever a backend takes to record something: that is 2 to 10 microseconds,
and a partition resolves a key in less. Who tells must tell one event at a time for each partition, as
partitions do; reading needs no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ray_router.core.events import (
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
    ServiceChanged,
    WroteRoute,
)
from ray_router.model import ResolutionSource
from ray_router.telemetry.instruments import (
    DELETES,
    EVICTIONS,
    EXPIRATIONS,
    FALLBACKS,
    PRESSURE_CHANGES,
    REFUSED,
    REPORTS,
    RESOLVES,
    SCALING_DECISIONS,
    SERVICE_CHANGES,
    SETS,
    SNAPSHOTS,
    STALE_DETECTIONS,
    Instrument,
)

Values = tuple[str, ...]

_OUTCOMES = {ResolutionSource.EXACT: "hit", ResolutionSource.NONE: "miss"}
_NO_REASON = "none"


class Counts:
    """An observer that adds up."""

    def __init__(self) -> None:
        self._totals: dict[tuple[type[Any], tuple[Any, ...]], int] = {}

    def __call__(self, event: Event) -> None:
        kind = type(event)
        told: Any = event
        number = 1
        if kind is Resolved:
            alike, number = told[:5], told.number
        elif kind is WroteRoute:
            alike, number = told[:4], told.number
        elif kind in _ALIKE:
            alike = _ALIKE[kind](told)
        else:
            return
        key = kind, alike
        self._totals[key] = self._totals.get(key, 0) + number

    def points(self) -> dict[tuple[Instrument, Values], int]:
        """The totals so far, by instrument and attribute values."""
        found: dict[tuple[Instrument, Values], int] = {}
        for (kind, alike), count in self._totals.copy().items():
            for instrument, values in _READ[kind](*alike):
                found[instrument, values] = found.get((instrument, values), 0) + count
        return found


Read = Iterator[tuple[Instrument, Values]]


def _resolved(partition: int, scope: Any, source: Any, reason: Any, stale: bool) -> Read:
    told_reason = _NO_REASON if reason is None else reason.value
    outcome = _OUTCOMES.get(source, "fallback")
    yield RESOLVES, (str(partition), outcome, source.value, told_reason, scope.name.lower())
    if outcome == "fallback":
        yield FALLBACKS, (str(partition), source.value, told_reason)
    if stale:
        yield STALE_DETECTIONS, (str(partition),)


def _wrote(partition: int, scope: Any, outcome: Any, origin: Any) -> Read:
    yield SETS, (str(partition), outcome.value, origin.name.lower())


def _reported(partition: int, delivery: Any, outcome: Any) -> Read:
    yield REPORTS, (str(partition), delivery.value, outcome.value)


def _deleted(partition: int, found: bool) -> Read:
    yield DELETES, (str(partition), "found" if found else "absent")


def _evicted(partition: int, phase: Any) -> Read:
    yield EVICTIONS, (str(partition), phase.name.lower())


def _moved_on(partition: int, to: Any) -> Read:
    yield EXPIRATIONS, (str(partition), "forgotten" if to is None else to.name.lower())


def _refused(partition: int) -> Read:
    yield REFUSED, (str(partition),)


def _pressed(partition: int, before: Any, after: Any) -> Read:
    yield PRESSURE_CHANGES, (str(partition), before.name.lower(), after.name.lower())


def _served(partition: int, in_service: bool) -> Read:
    yield SERVICE_CHANGES, (str(partition), "back" if in_service else "out")


def _decided(partition: int, more: bool, reason: Any) -> Read:
    yield SCALING_DECISIONS, (str(partition), "up" if more else "down", reason.value)


def _kept(partition: int, written: bool) -> Read:
    yield SNAPSHOTS, (str(partition), "written" if written else "failed")


_ALIKE: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {
    Reported: lambda told: (told.partition, told.delivery, told.outcome),
    Deleted: lambda told: (told.partition, told.found),
    Evicted: lambda told: (told.partition, told.phase),
    MovedOn: lambda told: (told.partition, told.to),
    RefusedInput: lambda told: (told.partition,),
    PressureChanged: lambda told: (told.partition, told.before, told.after),
    ServiceChanged: lambda told: (told.partition, told.in_service),
    ScalingDecided: lambda told: (told.partition, told.after > told.before, told.reason),
    KeptSnapshot: lambda told: (told.partition, told.written),
}
"""What of an event says which others it is added to."""

_READ: dict[type[Any], Callable[..., Read]] = {
    Resolved: _resolved,
    WroteRoute: _wrote,
    Reported: _reported,
    Deleted: _deleted,
    Evicted: _evicted,
    MovedOn: _moved_on,
    RefusedInput: _refused,
    PressureChanged: _pressed,
    ServiceChanged: _served,
    ScalingDecided: _decided,
    KeptSnapshot: _kept,
}
"""What counts as what."""
