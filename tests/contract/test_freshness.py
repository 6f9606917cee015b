"""A guess does not become knowledge, and what expired says so until nothing is left of it."""

from __future__ import annotations

import pytest

from ray_router import FallbackReason, ResolutionSource, SessionKey

from .subjects import AWAY, EVENT, HOME, Routers


def test_a_provided_fallback_is_not_remembered(routers: Routers, room: SessionKey) -> None:
    """Resolve with a fallback, then without: the second is a miss, and nothing was stored."""
    router = routers()
    assert router.resolve(room, [HOME]).result().source is ResolutionSource.PROVIDED
    answer = router.resolve(room).result()
    assert (answer.source, answer.reason) == (ResolutionSource.NONE, FallbackReason.MISS)
    assert router.get(room).result() is None


def test_a_scope_answer_is_not_remembered(routers: Routers, channel: str, start: float) -> None:
    """A thread answered by its room misses as soon as the room has gone."""
    router = routers(EVENT).at(start)
    room = SessionKey(channel, "bot", "room")
    thread = SessionKey(channel, "bot", "room", "thread")
    router.set(room, HOME).result()
    assert router.resolve(thread).result().source is ResolutionSource.SCOPE
    assert router.delete(room).result()
    assert router.resolve(thread).result().source is ResolutionSource.NONE


@pytest.mark.parametrize("fallbacks", [[], [AWAY]], ids=["bare", "with_fallback"])
def test_an_expired_session_stays_stale(
    routers: Routers, room: SessionKey, start: float, fallbacks: list[object]
) -> None:
    """Every resolve says ``stale`` from the end of the TTL until the tombstone is gone, and not after."""
    router = routers(EVENT)
    router.at(start).set(room, HOME, observed_at=start).result()
    ends = EVENT.ttl_s or 0
    expires = ends + EVENT.stale_retention_s
    forgotten = expires + EVENT.tombstone_retention_s

    def stale_at(age_s: float) -> bool:
        return router.at(start + age_s).resolve(room, fallbacks).result().stale  # type: ignore[arg-type]

    assert not stale_at(ends)
    ages = [ends + 1, ends + 2, expires - 1, expires + 1, expires + 2, forgotten - 1]
    assert [stale_at(age_s) for age_s in ages for _ in range(3)] == [True] * 3 * len(ages)
    assert not stale_at(forgotten + 1)


def test_age_equal_to_the_ttl_is_fresh(routers: Routers, room: SessionKey, start: float) -> None:
    """A route is fresh through the last moment of its TTL."""
    router = routers(EVENT)
    router.at(start).set(room, HOME, observed_at=start).result()
    assert router.at(start + 100).resolve(room).result().source is ResolutionSource.EXACT
    assert router.at(start + 100.001).resolve(room).result().source is ResolutionSource.NONE


def test_a_resolve_does_not_extend_a_life(routers: Routers, room: SessionKey, start: float) -> None:
    """However often a route is answered, it goes stale when its TTL is over."""
    router = routers(EVENT)
    router.at(start).set(room, HOME, observed_at=start).result()
    for age_s in range(0, 101, 10):
        assert router.at(start + age_s).resolve(room).result().route == HOME
    assert router.at(start + 101).resolve(room).result().route is None
