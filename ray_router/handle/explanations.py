"""How an answer is found, as callers get it: the partition's walk up the ladder, rung by rung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ray_router.core.ladder import fits
from ray_router.core.operations import Answers, Considered, Explain, Explained, Refused, Resolve
from ray_router.handle.promise import Failure
from ray_router.handle.resolutions import (
    AnswerTerms,
    Share,
    answered,
    only_resolution,
    refusal,
)
from ray_router.handle.scatter import Gathered
from ray_router.model import (
    Candidate,
    Confidence,
    Explanation,
    Origin,
    Resolution,
    ResolutionSource,
    Route,
    Rung,
    Scope,
    SessionKey,
    Verdict,
)

_NOTHING_ON = {
    ResolutionSource.EXACT: "nothing is known of the session itself",
    ResolutionSource.ALTERNATE: "no other route of its own",
    ResolutionSource.SCOPE: "nothing is known of a wider scope",
    ResolutionSource.PROVIDED: "no fallbacks were given",
    ResolutionSource.STALE: "no route of its own is past its TTL",
}
_ASKED_OF_A_PARTITION = frozenset(ResolutionSource) - {ResolutionSource.PROVIDED, ResolutionSource.NONE}
_LADDER = tuple(ResolutionSource)


class Asked(NamedTuple):
    """What was asked, who should answer it, and how answers are read."""

    wishes: Explain
    owner: int
    terms: AnswerTerms


def explanation(said: Sequence[Gathered], asked: Asked) -> Explanation:
    """What one partition said; or what is left to say when none did.

    Raises:
        InvalidInputError: the partition refused the input.
        PartitionUnavailableError, DeadlineExceededError: no answer, and no fallback that would do.
    """
    for partition, result in said:
        if isinstance(result, Refused):
            raise refusal(result)
        if not isinstance(result, Failure):
            assert isinstance(result, Explained)
            return _explained(partition, result, asked)
    partition, failure = said[0]
    assert isinstance(failure, Failure)
    return _unanswered(partition, failure, asked)


def _explained(partition: int, found: Explained, asked: Asked) -> Explanation:
    key = SessionKey.parse(asked.wishes.key)
    share = Share(partition, None, Answers(found.now, ()), partition != asked.owner)
    resolution = answered(key, found.answer, share, asked.terms)
    notes = _NOTHING_ON | {
        ResolutionSource.NONE: "something on a rung above answered" if resolution else _miss(resolution)
    }
    if found.expired:
        notes |= {ResolutionSource.EXACT: "only a tombstone is left: its routes expired"}
    if key.scope >= Scope.CHANNEL:
        notes |= {ResolutionSource.SCOPE: "no scope is wider"}
    by_rung: dict[ResolutionSource, list[Candidate]] = {}
    for each in found.considered:
        by_rung.setdefault(each.source, []).append(_candidate(each, found.now))
    return _told(resolution, by_rung, notes, asked.wishes)


def _unanswered(partition: int, failure: Failure, asked: Asked) -> Explanation:
    """Its owner did not answer, so that only the caller's fallbacks are left."""
    key, fallbacks = asked.wishes.key, asked.wishes.fallbacks
    resolution = only_resolution(SessionKey.parse(key), Share(partition, None, failure), asked.terms)
    silent = f"not asked: partition {partition} did not answer ({failure.problem})"
    notes = dict.fromkeys(_ASKED_OF_A_PARTITION, silent)
    notes[ResolutionSource.NONE] = "something on a rung above answered"
    provided, over = [], False
    for text in fallbacks:
        verdict = Verdict.OUTRANKED if over else Verdict.ANSWERED
        verdict = verdict if fits(text, key) else Verdict.MISFIT
        over = over or verdict is Verdict.ANSWERED
        provided.append(Candidate(Route.from_text(text), verdict, Confidence.PROVIDED))
    return _told(resolution, {ResolutionSource.PROVIDED: provided}, notes, asked.wishes)


def _told(
    resolution: Resolution,
    by_rung: dict[ResolutionSource, list[Candidate]],
    notes: dict[ResolutionSource, str],
    wishes: Explain,
) -> Explanation:
    last = _LADDER.index(resolution.source)
    rungs = tuple(
        Rung(
            source,
            reached=number <= last,
            candidates=tuple(by_rung.get(source, ())),
            note="" if by_rung.get(source) else notes.get(source, ""),
        )
        for number, source in enumerate(_LADDER)
    )
    return Explanation(
        resolution, rungs, wishes.allow_stale, Scope(wishes.widest_scope), Confidence(wishes.min_confidence)
    )


def _miss(resolution: Resolution) -> str:
    return "no route" if resolution.reason is None else f"no route: {resolution.reason.value}"


def _candidate(each: Considered, now: float) -> Candidate:
    return Candidate(
        Route.from_text(each.route),
        each.verdict,
        each.confidence,
        each.scope,
        None if each.origin is None else Origin(each.origin),
        None if each.observed_at is None else max(0.0, now - each.observed_at),
        None if each.lives_until is None else each.lives_until - now,
        None if each.held_until is None else each.held_until - now,
    )


def as_resolve(wishes: Explain) -> Resolve:
    """The resolve that is explained."""
    return Resolve(
        (wishes.key,), wishes.fallbacks, wishes.allow_stale, wishes.widest_scope, wishes.min_confidence
    )
