"""Ranking a session's routes for reading: what stands where, and what may be answered, at ``now``.

A route ranks by (origin, observed_at, route), by its best observation that is fresh and newer than its
failure mark, or, where it has none, by its best observation of all: a failed or stale primary keeps its
place. A confirmed delivery counts as life and as evidence: it extends the route's life to
``confirmed_at + ttl_s`` and outweighs an earlier failure.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from ray_router.core.candidates import Mark, Observation, SessionState


class Backoff(NamedTuple):
    """How long a temporarily failing route is passed over: ``first_s``, doubling, at most ``cap_s``."""

    first_s: float
    cap_s: float

    def delay_s(self, failures: int) -> float:
        """Seconds to wait after the given number of failures in a row."""
        return min(self.cap_s, self.first_s * 2.0 ** (failures - 1))


class Standing(NamedTuple):
    """One route of a session, at one moment."""

    route: str
    origin: int
    observed_at: float
    evidence_at: float
    lives_until: float
    fresh: bool
    failed: bool
    deferred: bool
    confirmed: bool

    @property
    def answerable(self) -> bool:
        """Fresh, and held back by no report."""
        return self.fresh and not self.failed and not self.deferred


def lives_until(state: SessionState) -> float:
    """The last moment at which any route of the session is fresh; -inf for a session without one."""
    return max(
        (_life(seen, _mark_at(state.confirmed, seen.route)) for seen in state.observations), default=-inf
    )


def newest_stamp(state: SessionState) -> float:
    """The time of the newest observation; -inf for a session without one."""
    return max((seen.observed_at for seen in state.observations), default=-inf)


def last_mark(state: SessionState) -> float:
    """The time of the newest report or deletion; -inf when there is none."""
    marks = [marks[0].at for marks in (state.failed, state.confirmed, state.deferred) if marks]
    return max(marks, default=state.deleted_at)


def newest_fact(state: SessionState) -> float:
    """The time of the newest thing known of a session."""
    return max(newest_stamp(state), last_mark(state))


def standings(state: SessionState, now: float, backoff: Backoff) -> list[Standing]:
    """Every route of the session, best first; the first is the primary."""
    by_route: dict[str, list[Observation]] = {}
    for seen in state.observations:  # already in order of rank
        by_route.setdefault(seen.route, []).append(seen)
    ranked = [_stand(state, route, group, now, backoff) for route, group in by_route.items()]
    if len(ranked) > 1:
        ranked.sort(
            key=lambda standing: (standing.origin, standing.observed_at, standing.route), reverse=True
        )
    return ranked


def known_bad(
    state: SessionState, route: str, now: float, backoff: Backoff, evidence_at: float = -inf
) -> bool:
    """Whether the session's reports hold a route back, given the newest evidence for it elsewhere."""
    if not state.failed and not state.deferred:
        return False
    return now < held_until(state, route, backoff, evidence_at)


def held_until(state: SessionState, route: str, backoff: Backoff, evidence_at: float = -inf) -> float:
    """Until when the session's reports hold a route back; infinite for a failure, -inf when none does."""
    seen_at = max((seen.observed_at for seen in state.observations if seen.route == route), default=-inf)
    evidence_at = max(evidence_at, seen_at, _mark_at(state.confirmed, route))
    failed_at = _mark_at(state.failed, route)
    if failed_at > -inf and failed_at >= evidence_at:
        return inf
    return _deferred_until(state, route, evidence_at, backoff)


def _stand(
    state: SessionState, route: str, seen: list[Observation], now: float, backoff: Backoff
) -> Standing:
    confirmed_at = _mark_at(state.confirmed, route)
    failed_at = _mark_at(state.failed, route)
    evidence_at = max(confirmed_at, *(each.observed_at for each in seen))
    fresh = [each for each in seen if now <= _life(each, confirmed_at)]
    good = [each for each in fresh if max(each.observed_at, confirmed_at) > failed_at]
    best = (good or seen)[0]
    return Standing(
        route=route,
        origin=best.origin,
        observed_at=best.observed_at,
        evidence_at=evidence_at,
        lives_until=_life(best, confirmed_at) if good else max(_life(each, confirmed_at) for each in seen),
        fresh=bool(fresh),
        # What is fresh is all older than the failure, or nothing at all is newer than it.
        failed=not good and (bool(fresh) or -inf < failed_at >= evidence_at),
        deferred=_deferred(state, route, evidence_at, now, backoff),
        confirmed=confirmed_at > failed_at and now <= confirmed_at + best.ttl_s,
    )


def _deferred(state: SessionState, route: str, evidence_at: float, now: float, backoff: Backoff) -> bool:
    return bool(state.deferred) and now < _deferred_until(state, route, evidence_at, backoff)


def _deferred_until(state: SessionState, route: str, evidence_at: float, backoff: Backoff) -> float:
    """A deferral is void, or -inf, once a later observation or delivery exists."""
    standing = [each for each in state.deferred if each.route == route and each.at >= evidence_at]
    if not standing:
        return -inf
    last = standing[0]
    return last.at + (last.retry_after_s or backoff.delay_s(len(standing)))


def _life(seen: Observation, confirmed_at: float) -> float:
    return max(seen.observed_at, confirmed_at) + seen.ttl_s


def _mark_at(marks: tuple[Mark, ...], route: str) -> float:
    return next((mark.at for mark in marks if mark.route == route), -inf)
