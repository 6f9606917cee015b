"""``Explanation``: how an answer is found: every rung of the ladder, and what it made of each route."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ray_router.model.key import SessionKey
from ray_router.model.resolution import Resolution
from ray_router.model.route import Route
from ray_router.model.vocabulary import Confidence, Origin, ResolutionSource, Scope, Verdict
from ray_router.model.words import route_line, seconds


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route that a rung looked at, and what it made of it.

    Args:
        confidence: how sure an answer with it would be.
        scope: of the session that has it; None, like its origin and times, for what the caller provided.
        age_s: seconds since it was observed. expires_in_s: seconds that it stays fresh, negative past its
            TTL, infinite for a route that never expires.
        held_for_s: seconds for which reports hold it back yet, infinite where only a later observation
            ends that; None where none do.
    """

    route: Route
    verdict: Verdict
    confidence: Confidence
    scope: Scope | None = None
    origin: Origin | None = None
    age_s: float | None = None
    expires_in_s: float | None = None
    held_for_s: float | None = None

    @property
    def why(self) -> str:
        """Why it was taken or passed over, in words."""
        if self.verdict is Verdict.STALE and self.expires_in_s is not None:
            return f"{_WHY[self.verdict]} for {seconds(-self.expires_in_s)}"
        if self.verdict in (Verdict.DEFERRED, Verdict.FAILED_HERE) and self.held_for_s not in (None, inf):
            return f"{_WHY[self.verdict]}; again in {seconds(self.held_for_s)}"
        if self.verdict is Verdict.UNSURE:
            return f"{_WHY[self.verdict]}: {self.confidence.name.lower()}"
        return _WHY[self.verdict]

    @property
    def seen(self) -> str:
        """Who said so and when, and how long it stays fresh; empty for what the caller provided."""
        if self.origin is None or self.age_s is None or self.expires_in_s is None:
            return ""
        fresh = f", fresh for {seconds(self.expires_in_s)}" if self.expires_in_s >= 0 else ""
        fresh = ", never expires" if self.expires_in_s == inf else fresh
        return f"{self.origin.name.lower()}, {seconds(self.age_s)} ago{fresh}"


_WHY = {
    Verdict.ANSWERED: "this is the answer",
    Verdict.OUTRANKED: "it would have done, but a better one answered",
    Verdict.FAILED: "a delivery along it failed, and it was not seen since",
    Verdict.DEFERRED: "a delivery along it failed for the moment",
    Verdict.FAILED_HERE: "a delivery along it failed for this session",
    Verdict.STALE: "past its TTL",
    Verdict.EXPIRED: "too long past its TTL even for a stale answer",
    Verdict.UNSURE: "less sure than was asked for",
    Verdict.MISFIT: "it is of another channel or instance",
    Verdict.TOO_WIDE: "of a wider scope than was asked for",
    Verdict.UNASKED: "stale answers were not asked for",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder.

    ``reached``: a resolve gets as far as this; ``note``: what there is to say where nothing stands on it.
    """

    source: ResolutionSource
    reached: bool
    candidates: tuple[Candidate, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What ``resolve`` answers, and how it comes to that; true when there is a route.

    Args:
        resolution: what it answers with the same arguments at this moment.
        rungs: all of them, in order.
        allow_stale, widest_scope, min_confidence: what was asked for.
    """

    resolution: Resolution
    rungs: tuple[Rung, ...]
    allow_stale: bool = False
    widest_scope: Scope = Scope.ROOM
    min_confidence: Confidence = Confidence.NONE

    def __bool__(self) -> bool:
        return bool(self.resolution)

    @property
    def key(self) -> SessionKey:
        """The session asked for."""
        return self.resolution.key

    @property
    def route(self) -> Route | None:
        """Where to deliver, or None."""
        return self.resolution.route

    @property
    def winner(self) -> Candidate | None:
        """The candidate that answered; None on a miss."""
        candidates = (each for rung in self.rungs for each in rung.candidates)
        return next((each for each in candidates if each.verdict is Verdict.ANSWERED), None)

    @property
    def answered_by(self) -> str:
        """Which partition answered, in words."""
        standby = ", a standby" if self.resolution.served_by_standby else ""
        return f"partition {self.resolution.partition}{standby}"

    def __str__(self) -> str:
        answer = self.resolution
        where = "no route" if answer.route is None else route_line(answer.route)
        reason = "" if answer.reason is None else f" ({answer.reason.value})"
        confidence = answer.confidence.name.lower()
        lines = [f"{answer.key}: {where}", f"{answer.source.value}{reason}, {confidence}, {self.answered_by}"]
        for rung in self.rungs:
            mark = ">" if rung.source is answer.source else " " if rung.reached else "-"
            head = f"{mark} {rung.source.value:<10}"
            told = [_line(each) for each in rung.candidates] or [rung.note]
            heads = [head] + [" " * len(head)] * (len(told) - 1)
            lines += [f"{before} {each}".rstrip() for before, each in zip(heads, told, strict=True)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from ray_router.model.html.answers import explanation_html

        return explanation_html(self)


def _line(candidate: Candidate) -> str:
    scope = "" if candidate.scope is None else f" [{candidate.scope.name.lower()}]"
    seen = f" ({candidate.seen})" if candidate.seen else ""
    return f"{route_line(candidate.route)}{scope}: {candidate.why}{seen}"
