"""Explanations as values, and as words."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from math import inf

import pytest

from ray_router.model import (
    Candidate,
    Confidence,
    Explanation,
    FallbackReason,
    Origin,
    Resolution,
    ResolutionSource,
    Route,
    Rung,
    Scope,
    SessionKey,
    Verdict,
)

KEY = SessionKey("tg", "bot", "room", "thread")
ANSWER = Resolution(
    KEY,
    Route("room"),
    ResolutionSource.SCOPE,
    FallbackReason.STALE,
    True,
    Confidence.INHERITED,
    Scope.ROOM,
    3.0,
    inf,
    2,
    1,
    served_by_standby=True,
)
OLD = Candidate(
    Route("old"), Verdict.STALE, Confidence.OBSERVED, Scope.THREAD, Origin.AGENT, 1_000.04, -940.04
)
TAKEN = Candidate(
    Route("room", metadata={"lang": "de"}),
    Verdict.ANSWERED,
    Confidence.INHERITED,
    Scope.ROOM,
    Origin.OPERATOR,
    3.0,
    inf,
)
EXPLAINED = Explanation(
    ANSWER,
    (
        Rung(ResolutionSource.EXACT, True, (OLD,)),
        Rung(ResolutionSource.ALTERNATE, True, note="no other route of its own"),
        Rung(ResolutionSource.SCOPE, True, (replace(OLD, route=Route("first")), TAKEN)),
        Rung(ResolutionSource.PROVIDED, False, note="no fallbacks were given"),
    ),
)


def test_an_explanation_reads_as_a_ladder() -> None:
    """The answer, then a line for each route; ``>`` marks the rung that answered, ``-`` one not reached."""
    assert str(EXPLAINED).splitlines() == [
        "tg:bot:room:thread: room",
        "scope (stale), inherited, partition 2, a standby",
        "  exact      old [thread]: past its TTL for 940.0 s (agent, 1,000.0 s ago)",
        "  alternate  no other route of its own",
        "> scope      first [thread]: past its TTL for 940.0 s (agent, 1,000.0 s ago)",
        "             room · lang de [room]: this is the answer (operator, 3.0 s ago, never expires)",
        "- provided   no fallbacks were given",
    ]


def test_an_explanation_says_what_a_resolution_says() -> None:
    """Its key, its route, whether there is one, and which candidate that was."""
    assert (EXPLAINED.key, EXPLAINED.route, EXPLAINED.winner, bool(EXPLAINED)) == (
        KEY,
        Route("room"),
        TAKEN,
        True,
    )
    missed = replace(ANSWER, route=None, source=ResolutionSource.NONE, confidence=Confidence.NONE)
    nothing = Explanation(missed, (Rung(ResolutionSource.NONE, True, note="no route: stale"),))
    assert (nothing.winner, nothing.route, bool(nothing)) == (None, None, False)
    assert str(nothing).endswith("> none       no route: stale")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_words(verdict: Verdict) -> None:
    """Of its own, whatever is known of times."""
    words = {
        replace(OLD, verdict=verdict, held_for_s=held, expires_in_s=expires).why
        for held in (None, 2.0, inf)
        for expires in (None, -1.0, 5.0)
    }
    assert all(words)
    others = {replace(OLD, verdict=each, expires_in_s=None).why for each in Verdict if each is not verdict}
    assert not words & others


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (replace(OLD, verdict=Verdict.DEFERRED, held_for_s=2.5), "failed for the moment; again in 2.5 s"),
        (replace(OLD, verdict=Verdict.FAILED_HERE, held_for_s=2.5), "for this session; again in 2.5 s"),
        (replace(OLD, verdict=Verdict.FAILED_HERE, held_for_s=inf), "failed for this session"),
        (replace(OLD, verdict=Verdict.UNSURE), "less sure than was asked for: observed"),
    ],
)
def test_a_reason_has_its_numbers(candidate: Candidate, why: str) -> None:
    """How long it will be held back, and how sure it would have been."""
    assert candidate.why.endswith(why)


def test_what_the_caller_provided_was_seen_by_nobody() -> None:
    """So there is nothing to say of when."""
    assert Candidate(Route("P"), Verdict.ANSWERED, Confidence.PROVIDED).seen == ""


@pytest.mark.parametrize(
    "value", [EXPLAINED, OLD, EXPLAINED.rungs[0]], ids=lambda value: type(value).__name__
)
def test_they_travel_and_never_change(value: object) -> None:
    """Each pickles, is frozen, and is slotted."""
    assert pickle.loads(pickle.dumps(value)) == value
    assert not hasattr(value, "__dict__")
    with pytest.raises(FrozenInstanceError):
        setattr(value, type(value).__slots__[0], None)  # type: ignore[attr-defined]
