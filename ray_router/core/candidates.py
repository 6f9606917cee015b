"""A session's state: a product of small lattices, each merged by maximum, each bounded.

* per origin, the ``limit`` newest observations, ordered by (observed_at, ttl_s, route); a route stands
  once per origin, with its greatest stamp;
* ``failed`` and ``confirmed``: the latest ``limit`` marks, one per route;
* ``deferred``: the newest ``DEFERRALS`` temporary failures, each report a point of its own, so that how
  many there are is a matter of fact and not of arrival;
* ``deleted_at``: what happened at or before it is dropped and refused.

``merge`` is commutative, associative and idempotent: dropping the lowest of a totally ordered set, and
dropping what lies at or below a rising floor, never drops what a different order would have kept. Every
change is a merge with the state that holds one fact, so writes, reports, deletions, replication and
recovery end in the same state in whatever order and however often they arrive.

A route's canonical text is its identity and the last tie-break, in place of a digest: it cannot collide.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

DEFERRALS = 16


class Observation(NamedTuple):
    """A route was seen to be good. The order of the fields is the order of rank."""

    origin: int
    observed_at: float
    ttl_s: float
    route: str


class Mark(NamedTuple):
    """Something is known of a route since ``at``."""

    at: float
    route: str


class Deferral(NamedTuple):
    """A temporary failure; ``retry_after_s`` is the provider's wish, 0 when it had none."""

    at: float
    route: str
    retry_after_s: float


class SessionState(NamedTuple):
    """All that is known of one session; each tuple is sorted, greatest first."""

    observations: tuple[Observation, ...] = ()
    failed: tuple[Mark, ...] = ()
    confirmed: tuple[Mark, ...] = ()
    deferred: tuple[Deferral, ...] = ()
    deleted_at: float = -inf


NOTHING = SessionState()


def observed(route: str, observed_at: float, ttl_s: float, origin: int) -> SessionState:
    """The fact that a route was seen to be good."""
    return SessionState(observations=(Observation(origin, observed_at, ttl_s, route),))


def failed(route: str, at: float) -> SessionState:
    """The fact that a route is known to be dead."""
    return SessionState(failed=(Mark(at, route),))


def confirmed(route: str, at: float) -> SessionState:
    """The fact that a message arrived along a route."""
    return SessionState(confirmed=(Mark(at, route),))


def deferred(route: str, at: float, retry_after_s: float = 0.0) -> SessionState:
    """The fact that a route failed for the moment."""
    return SessionState(deferred=(Deferral(at, route, retry_after_s),))


def deleted(at: float) -> SessionState:
    """The fact that all until ``at`` is to be forgotten."""
    return SessionState(deleted_at=at)


def merge(a: SessionState, b: SessionState, limit: int) -> SessionState:
    """The least state that knows what both know, within ``limit`` routes per origin and marks per kind."""
    if a == b:
        return a
    floor = max(a.deleted_at, b.deleted_at)
    return SessionState(
        _newest_per_origin((*a.observations, *b.observations), floor, limit),
        _latest_marks((*a.failed, *b.failed), floor, limit),
        _latest_marks((*a.confirmed, *b.confirmed), floor, limit),
        _latest_deferrals((*a.deferred, *b.deferred), floor),
        floor,
    )


def holds(state: SessionState, fact: SessionState) -> bool:
    """Whether a state still holds every observation and mark of a fact."""
    return all(set(few) <= set(all_) for few, all_ in zip(fact[:-1], state[:-1], strict=True))


def _newest_per_origin(
    observations: Iterable[Observation], floor: float, limit: int
) -> tuple[Observation, ...]:
    kept: list[Observation] = []
    seen: set[tuple[int, str]] = set()
    counts: dict[int, int] = {}
    for observation in sorted(observations, reverse=True):
        origin, observed_at, _, route = observation
        if observed_at <= floor or (origin, route) in seen or counts.get(origin, 0) == limit:
            continue
        seen.add((origin, route))
        counts[origin] = counts.get(origin, 0) + 1
        kept.append(observation)
    return tuple(kept)


def _latest_marks(marks: tuple[Mark, ...], floor: float, limit: int) -> tuple[Mark, ...]:
    if not marks:
        return ()
    kept: dict[str, Mark] = {}
    for mark in sorted(marks, reverse=True):
        if mark.at > floor and len(kept) < limit:
            kept.setdefault(mark.route, mark)
    return tuple(kept.values())


def _latest_deferrals(deferrals: tuple[Deferral, ...], floor: float) -> tuple[Deferral, ...]:
    if not deferrals:
        return ()
    kept: dict[tuple[float, str], Deferral] = {}
    for deferral in sorted(deferrals, reverse=True):
        if deferral.at > floor and len(kept) < DEFERRALS:
            kept.setdefault((deferral.at, deferral.route), deferral)
    return tuple(kept.values())
