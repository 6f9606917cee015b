"""The ladder: every route that a rung looks at, in order, and what is made of it.

exact, alternate, scope, provided, stale: the first route that will do is the answer. Whoever resolves
stops there; whoever explains reads on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.keytext import scope_of
from ray_router.core.standing import Backoff, Standing, known_bad, standings
from ray_router.model import Confidence, ResolutionSource, Route, Scope, SessionKey, Verdict


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
    widest_scope: int = Scope.CHANNEL


class Rules(NamedTuple):
    """What the partition is set to."""

    backoff: Backoff
    stale_retention_s: float
    tombstone_retention_s: float


class Step(NamedTuple):
    """A route that a rung looks at. ``verdict``: ``ANSWERED`` where it will do, or why it will not.

    ``key`` is that of the stored session that has it, and ``standing`` how it stands there; None for what
    the caller provided.
    """

    source: ResolutionSource
    route: str
    verdict: Verdict
    confidence: Confidence
    scope: Scope | None = None
    key: str | None = None
    standing: Standing | None = None


def steps(
    key: str,
    own: Own,
    ranked: Sequence[Standing],
    wider: Iterable[Wider],
    wishes: Wishes,
    rules: Rules,
    now: float,
) -> Iterator[Step]:
    """All that the ladder looks at.

    Args:
        ranked: the session's own routes, best first.
        wider: the wider scopes, the next wider first; read only when it comes to them.
    """
    for rank, standing in enumerate(ranked):
        source = ResolutionSource.ALTERNATE if rank else ResolutionSource.EXACT
        confidence = _own_confidence(standing, rank)
        verdict = _held_back(standing) or _sure_enough(confidence, wishes)
        yield Step(source, standing.route, verdict, confidence, scope_of(key), key, standing)

    for scope, wider_key, state in wider:
        for standing in standings(state, now, rules.backoff):
            verdict = _wider_verdict(key, own, scope, standing, wishes, rules, now)
            source, confidence = ResolutionSource.SCOPE, Confidence.INHERITED
            yield Step(source, standing.route, verdict, confidence, scope, wider_key, standing)

    for route in wishes.fallbacks:
        if not fits(route, key):
            verdict = Verdict.MISFIT
        elif known_bad(own.state, route, now, rules.backoff):
            verdict = Verdict.FAILED_HERE
        else:
            verdict = _sure_enough(Confidence.PROVIDED, wishes)
        yield Step(ResolutionSource.PROVIDED, route, verdict, Confidence.PROVIDED)

    if not ranked:
        return
    tired = [standing for standing in ranked if not standing.fresh]
    tired.sort(key=lambda standing: -standing.evidence_at)  # of equals the best-ranked stays first
    for standing in tired:
        verdict = _stale_verdict(standing, wishes, rules, now)
        source, confidence = ResolutionSource.STALE, Confidence.STALE
        yield Step(source, standing.route, verdict, confidence, scope_of(key), key, standing)


def fits(route_text: str, key_text: str) -> bool:
    """Whether a route is valid for a session: it names no other channel or instance."""
    if "\x1f" not in route_text:  # nothing but a room id
        return True
    route, key = Route.from_text(route_text), SessionKey.parse(key_text)
    return (route.channel is None or route.channel == key.channel) and (
        route.instance is None or key.instance is None or route.instance == key.instance
    )


def _wider_verdict(
    key: str, own: Own, scope: Scope, standing: Standing, wishes: Wishes, rules: Rules, now: float
) -> Verdict:
    if scope > wishes.widest_scope:
        return Verdict.TOO_WIDE
    held_back = _held_back(standing)
    if held_back is not None:
        return held_back
    if not fits(standing.route, key):
        return Verdict.MISFIT
    if known_bad(own.state, standing.route, now, rules.backoff, standing.evidence_at):
        return Verdict.FAILED_HERE
    return _sure_enough(Confidence.INHERITED, wishes)


def _stale_verdict(standing: Standing, wishes: Wishes, rules: Rules, now: float) -> Verdict:
    if standing.failed:
        return Verdict.FAILED
    if standing.deferred:
        return Verdict.DEFERRED
    if now > standing.lives_until + rules.stale_retention_s:
        return Verdict.EXPIRED
    return _sure_enough(Confidence.STALE, wishes) if wishes.allow_stale else Verdict.UNASKED


def _held_back(standing: Standing) -> Verdict | None:
    """Why a stored route is not to be answered as a fresh one, if so."""
    if standing.answerable:
        return None
    if standing.failed:
        return Verdict.FAILED
    return Verdict.DEFERRED if standing.deferred else Verdict.STALE


def _sure_enough(confidence: Confidence, wishes: Wishes) -> Verdict:
    return Verdict.UNSURE if confidence < wishes.min_confidence else Verdict.ANSWERED


def _own_confidence(standing: Standing, rank: int) -> Confidence:
    if standing.confirmed:
        return Confidence.CONFIRMED
    return Confidence.ALTERNATE if rank else Confidence.OBSERVED
