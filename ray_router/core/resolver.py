"""The ladder: exact, alternate, scope, provided, stale, none; the first route that is good enough wins.

A pure function of what is known, the caller's wishes and ``now``; it stores nothing, so a guess does
not become knowledge by being read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.keytext import scope_of
from ray_router.core.operations import Answer
from ray_router.core.standing import Backoff, Standing, known_bad, last_mark, lives_until, standings
from ray_router.model import Confidence, FallbackReason, ResolutionSource, Route, Scope, SessionKey


class Own(NamedTuple):
    """What is known of the session itself. ``expired``: only a tombstone is left of it."""

    state: SessionState = NOTHING
    expired: bool = False


class Wider(NamedTuple):
    """What is known of a wider scope."""

    scope: Scope
    key: str
    state: SessionState


class Wishes(NamedTuple):
    """What the caller accepts."""

    fallbacks: tuple[str, ...] = ()
    allow_stale: bool = False
    min_confidence: int = Confidence.NONE


class Rules(NamedTuple):
    """What the partition is set to."""

    backoff: Backoff
    stale_retention_s: float
    tombstone_retention_s: float


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
    too_unsure = False

    for rank, standing in enumerate(ranked):
        if not standing.answerable:
            continue
        confidence = _own_confidence(standing, rank)
        if confidence < wishes.min_confidence:
            too_unsure = True
            continue
        source = ResolutionSource.EXACT if rank == 0 else ResolutionSource.ALTERNATE
        reason = None if rank == 0 else _reason(primary, stale, FallbackReason.LOW_CONFIDENCE)
        return Found(_stored(standing, source, reason, stale, confidence, key, now), key)

    for scope, wider_key, state in wider:
        for standing in standings(state, now, rules.backoff):
            if not standing.answerable or not fits(standing.route, key):
                continue
            if known_bad(own.state, standing.route, now, rules.backoff, standing.evidence_at):
                continue
            if wishes.min_confidence > Confidence.INHERITED:
                too_unsure = True
                continue
            reason = _reason(primary, stale, FallbackReason.SCOPE_MISS)
            answer = _stored(standing, ResolutionSource.SCOPE, reason, stale, Confidence.INHERITED, key, now)
            return Found(answer._replace(matched_scope=scope), wider_key)

    for route in wishes.fallbacks:
        if not fits(route, key) or known_bad(own.state, route, now, rules.backoff):
            continue
        if wishes.min_confidence > Confidence.PROVIDED:
            too_unsure = True
            continue
        reason = _reason(primary, stale, FallbackReason.MISS)
        return Found(Answer(route, ResolutionSource.PROVIDED, reason, stale, Confidence.PROVIDED), None)

    if wishes.allow_stale:
        tired = [each for each in ranked if not (each.fresh or each.failed or each.deferred)]
        tired = [each for each in tired if now <= each.lives_until + rules.stale_retention_s]
        if tired and wishes.min_confidence <= Confidence.STALE:
            freshest = max(tired, key=lambda each: each.evidence_at)  # the first, best-ranked, of equals
            reason = _reason(primary, stale, FallbackReason.STALE)
            answer = _stored(freshest, ResolutionSource.STALE, reason, stale, Confidence.STALE, key, now)
            return Found(answer, key)
        too_unsure = too_unsure or bool(tired)

    reason = FallbackReason.LOW_CONFIDENCE if too_unsure else _reason(primary, stale, FallbackReason.MISS)
    return Found(Answer(None, ResolutionSource.NONE, reason, stale, Confidence.NONE), None)


def _left_of(own: Own, rules: Rules, now: float) -> Own:
    """What is left of a session at ``now``, whether or not the table has come round to it."""
    if own.state.observations:
        expires_at = lives_until(own.state) + rules.stale_retention_s
        return own if now <= expires_at else Own(expired=now <= expires_at + rules.tombstone_retention_s)
    forgotten = now > last_mark(own.state) + rules.tombstone_retention_s
    return Own(expired=own.expired) if forgotten else own


def fits(route_text: str, key_text: str) -> bool:
    """Whether a route is valid for a session: it names no other channel or instance."""
    if "\x1f" not in route_text:  # nothing but a room id
        return True
    route, key = Route.from_text(route_text), SessionKey.parse(key_text)
    return (route.channel is None or route.channel == key.channel) and (
        route.instance is None or key.instance is None or route.instance == key.instance
    )


def _own_confidence(standing: Standing, rank: int) -> Confidence:
    if standing.confirmed:
        return Confidence.CONFIRMED
    return Confidence.OBSERVED if rank == 0 else Confidence.ALTERNATE


def _reason(primary: Standing | None, stale: bool, otherwise: FallbackReason) -> FallbackReason:
    """Why the primary did not answer: the first that applies."""
    if primary is not None and (primary.failed or primary.deferred):
        return FallbackReason.FAILED
    if stale:
        return FallbackReason.STALE
    return otherwise


def _stored(
    standing: Standing,
    source: ResolutionSource,
    reason: FallbackReason | None,
    stale: bool,
    confidence: Confidence,
    key: str,
    now: float,
) -> Answer:
    return Answer(
        standing.route,
        source,
        reason,
        stale,
        confidence,
        scope_of(key),
        max(0.0, now - standing.observed_at),
        standing.lives_until - now,
    )
