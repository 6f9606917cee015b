"""What the ladder comes to: the first route that is good enough wins.

A pure function of what is known, the caller's wishes and ``now``; it stores nothing, so a guess does
not become knowledge by being read. An explanation is the same walk, written down to its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

from ray_router.core.candidates import SessionState
from ray_router.core.ladder import Own, Rules, Step, Wider, Wishes, steps
from ray_router.core.operations import Answer, Considered, Explained
from ray_router.core.standing import Standing, held_until, last_mark, lives_until, standings
from ray_router.model import Confidence, FallbackReason, ResolutionSource, Verdict

_OTHERWISE = {
    ResolutionSource.ALTERNATE: FallbackReason.LOW_CONFIDENCE,
    ResolutionSource.SCOPE: FallbackReason.SCOPE_MISS,
    ResolutionSource.PROVIDED: FallbackReason.MISS,
    ResolutionSource.STALE: FallbackReason.STALE,
}
"""Why a rung below the first answered, where the primary itself gives no reason."""


class Found(NamedTuple):
    """An answer, and the key of the stored session that gave it (None: no stored session did)."""

    answer: Answer
    key: str | None


def resolve(key: str, own: Own, wider: Iterable[Wider], wishes: Wishes, rules: Rules, now: float) -> Found:
    """Walk the ladder.

    Args:
        key: canonical text of the session's key.
        wider: the wider scopes that may answer, the next wider first; read only when it comes to them.
        now: epoch seconds.
    """
    own = _left_of(own, rules, now)
    ranked = standings(own.state, now, rules.backoff)
    primary = ranked[0] if ranked else None
    stale = own.expired if primary is None else not primary.fresh
    return _first_that_will_do(steps(key, own, ranked, wider, wishes, rules, now), primary, stale, now)


def explain(
    key: str, own: Own, wider: Iterable[Wider], wishes: Wishes, rules: Rules, now: float
) -> Explained:
    """Walk the whole ladder, and say of each route on it what was made of it."""
    own = _left_of(own, rules, now)
    ranked = standings(own.state, now, rules.backoff)
    scopes = [each._replace(state=_left_of(Own(each.state), rules, now).state) for each in wider]
    primary = ranked[0] if ranked else None
    stale = own.expired if primary is None else not primary.fresh
    walked = list(steps(key, own, ranked, scopes, wishes, rules, now))
    answer, _ = _first_that_will_do(walked, primary, stale, now)
    states = {each.key: each.state for each in scopes}
    considered: list[Considered] = []
    answered = False
    for step in walked:
        verdict = step.verdict
        if verdict is Verdict.ANSWERED:
            verdict = Verdict.OUTRANKED if answered else verdict
            answered = True
        marks = own.state if verdict is Verdict.FAILED_HERE else states.get(step.key or key, own.state)
        considered.append(_considered(step, verdict, marks, rules))
    return Explained(now, answer, own.expired, tuple(considered))


def _first_that_will_do(walked: Iterable[Step], primary: Standing | None, stale: bool, now: float) -> Found:
    too_unsure = False
    for step in walked:
        if step.verdict is Verdict.ANSWERED:
            return Found(_answer(step, primary, stale, now), step.key)
        too_unsure = too_unsure or step.verdict is Verdict.UNSURE
    reason = FallbackReason.LOW_CONFIDENCE if too_unsure else _reason(primary, stale, FallbackReason.MISS)
    return Found(Answer(None, ResolutionSource.NONE, reason, stale, Confidence.NONE), None)


def _left_of(own: Own, rules: Rules, now: float) -> Own:
    """What is left of a session at ``now``, whether or not the table has come round to it."""
    if own.state.observations:
        expires_at = lives_until(own.state) + rules.stale_retention_s
        return own if now <= expires_at else Own(expired=now <= expires_at + rules.tombstone_retention_s)
    forgotten = now > last_mark(own.state) + rules.tombstone_retention_s
    return Own(expired=own.expired) if forgotten else own


def _reason(primary: Standing | None, stale: bool, otherwise: FallbackReason) -> FallbackReason:
    """Why the primary did not answer: the first that applies."""
    if primary is not None and (primary.failed or primary.deferred):
        return FallbackReason.FAILED
    if stale:
        return FallbackReason.STALE
    return otherwise


def _answer(step: Step, primary: Standing | None, stale: bool, now: float) -> Answer:
    source, route, _, confidence, scope, _, standing = step
    exact = source is ResolutionSource.EXACT
    reason = None if exact else _reason(primary, stale, _OTHERWISE[source])
    if standing is None:
        return Answer(route, source, reason, stale, confidence)
    age_s, expires_in_s = max(0.0, now - standing.observed_at), standing.lives_until - now
    return Answer(route, source, reason, stale, confidence, scope, age_s, expires_in_s)


def _considered(step: Step, verdict: Verdict, marks: SessionState, rules: Rules) -> Considered:
    """A step with its times; ``marks``: the state whose reports hold the route back, if any do."""
    standing, until = step.standing, None
    if verdict is Verdict.FAILED:
        until = inf
    elif verdict in (Verdict.DEFERRED, Verdict.FAILED_HERE):
        evidence_at = -inf if standing is None else standing.evidence_at
        until = held_until(marks, step.route, rules.backoff, evidence_at)
    if standing is None:
        return Considered(step.source, step.route, verdict, step.confidence, held_until=until)
    return Considered(
        step.source,
        step.route,
        verdict,
        step.confidence,
        step.scope,
        standing.origin,
        standing.observed_at,
        standing.lives_until,
        until,
    )
