"""Explanations, the same on every transport."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from ray_router import (
    Confidence,
    Delivery,
    FallbackReason,
    InvalidCallError,
    InvalidKeyError,
    InvalidRouteError,
    Origin,
    ResolutionSource,
    Route,
    Scope,
    SessionKey,
    Verdict,
)

from .subjects import AWAY, ELSEWHERE, EVENT, HOME, Routers, varied


def test_an_explanation_is_of_what_resolve_answers(routers: Routers, room: SessionKey, start: float) -> None:
    """With the same arguments at the same time, whichever rung that is."""
    router = routers(EVENT)
    thread = replace(room, thread="thread")
    router.at(start).set(room, HOME).result()
    router.at(start).set(thread, AWAY, ttl_s=5).result()
    router.at(start + 1).set(thread, ELSEWHERE, origin=Origin.AGENT, ttl_s=5).result()
    router.at(start + 2).report(thread, AWAY, Delivery.PERMANENT).result()
    for later in (2, 7, 200, 2_000, 20_000):
        for fallbacks in ([], [Route("P"), Route("Q", channel="other")]):
            for allow_stale in (False, True):
                for confidence in (Confidence.NONE, Confidence.INHERITED):
                    then = router.at(start + later)
                    explained = then.explain(
                        thread, fallbacks, allow_stale=allow_stale, min_confidence=confidence
                    ).result()
                    answer = then.resolve(
                        thread, fallbacks, allow_stale=allow_stale, min_confidence=confidence
                    ).result()
                    assert explained.resolution == answer
                    assert bool(explained) is bool(answer)
                    winner = explained.winner
                    assert (winner and winner.route) == answer.route


def test_every_rung_is_there(routers: Routers, room: SessionKey, start: float) -> None:
    """In order, with what stands on it or why nothing does."""
    router = routers(EVENT).at(start)
    router.set(room, HOME).result()
    explained = router.explain(str(replace(room, thread="thread")), [AWAY]).result()
    assert [rung.source for rung in explained.rungs] == list(ResolutionSource)
    assert [rung.reached for rung in explained.rungs] == [True, True, True, False, False, False]
    assert all(bool(rung.candidates) != bool(rung.note) for rung in explained.rungs)
    assert explained.winner is not None
    assert (explained.winner.scope, explained.winner.origin) == (Scope.ROOM, Origin.INBOUND)
    assert [each.verdict for each in explained.rungs[3].candidates] == [Verdict.OUTRANKED]
    assert pickle.loads(pickle.dumps(explained)) == explained


def test_a_wider_default_that_was_not_asked_for_is_shown(
    routers: Routers, room: SessionKey, start: float
) -> None:
    """So that it is seen what ``widest_scope`` would change."""
    router = routers(EVENT).at(start)
    router.set(replace(room, room=None), AWAY).result()
    (candidate,) = router.explain(room).result().rungs[2].candidates
    assert (candidate.route, candidate.verdict) == (AWAY, Verdict.TOO_WIDE)
    wide = router.explain(room, widest_scope=Scope.INSTANCE).result()
    assert (wide.route, wide.winner and wide.winner.verdict) == (AWAY, Verdict.ANSWERED)


def test_an_explanation_is_one_call_to_one_partition(routers: Routers, room: SessionKey) -> None:
    """Whatever there is on the ladder."""
    router, batches = routers.counted()
    router.explain(replace(room, thread="thread"), [HOME], widest_scope=Scope.CHANNEL).result()
    assert sum(batches.values()) == 1


def test_an_explanation_is_no_traffic(routers: Routers, channel: str, start: float) -> None:
    """It is not counted, and makes no session more recent than it was."""
    router = routers(varied(EVENT, partitions=1, max_entries_per_partition=2, eviction="lru"))
    first, second, third = [SessionKey(channel, "bot", name) for name in ("first", "second", "third")]
    router.at(start).set(first, HOME).result()
    router.at(start + 1).set(second, HOME).result()
    before = router.stats().result().traffic
    assert router.at(start + 2).explain(first).result()
    assert router.stats().result().traffic == before
    router.at(start + 3).set(third, HOME).result()
    assert not router.at(start + 3).resolve(first).result()
    assert router.at(start + 3).resolve(second).result()


def test_what_is_left_of_an_expired_session_is_said(routers: Routers, room: SessionKey, start: float) -> None:
    """Its routes are gone, and that they were there is not."""
    router = routers(EVENT)
    router.at(start).set(room, HOME).result()
    explained = router.at(start + 5_000).explain(room).result()
    assert explained.resolution.reason is FallbackReason.STALE
    assert "tombstone" in explained.rungs[0].note


def test_bad_input_is_refused_at_once(routers: Routers, room: SessionKey) -> None:
    """As everywhere; nothing is sent."""
    router, batches = routers.counted()
    with pytest.raises(InvalidKeyError):
        router.explain("no key")
    with pytest.raises(InvalidRouteError):
        router.explain(room, ["no route"])  # type: ignore[list-item]
    with pytest.raises(InvalidCallError, match="allow_stale"):
        router.explain(room, allow_stale=1)  # type: ignore[arg-type]
    assert not batches


async def test_an_explanation_can_be_awaited(routers: Routers, room: SessionKey) -> None:
    """Like every reply."""
    router = routers()
    await router.set(room, HOME)
    assert (await router.explain(room)).route == HOME
