"""Defaults of instances and channels: written once, kept by every partition."""

from __future__ import annotations

import pytest

from ray_router import Delivery, Origin, ResolutionSource, Scope, SessionKey, SetOutcome

from .subjects import AWAY, EVENT, HOME, WALL, Routers


@pytest.mark.parametrize("scope", [Scope.INSTANCE, Scope.CHANNEL])
def test_a_default_is_answered_from_every_partition(routers: Routers, channel: str, scope: Scope) -> None:
    """One write, and sessions on all partitions fall back on it, in one call each."""
    router, batches = routers.counted()
    key = SessionKey(channel, "bot" if scope is Scope.INSTANCE else None)
    assert router.set(key, HOME).result().outcome is SetOutcome.STORED
    assert batches == dict.fromkeys(range(WALL.partitions), 1)
    batches.clear()
    rooms = [SessionKey(channel, "bot", f"room_{number}") for number in range(50)]
    answers = router.resolve_many(rooms, widest_scope=scope).result()
    assert {answer.partition for answer in answers} == set(range(WALL.partitions))
    assert {(answer.route, answer.matched_scope) for answer in answers} == {(HOME, scope)}
    assert batches == dict.fromkeys(range(WALL.partitions), 1)


def test_a_default_is_a_session_like_any_other(routers: Routers, channel: str, start: float) -> None:
    """It can be looked at, resolved, reported on and deleted, everywhere at once."""
    router = routers(EVENT).at(start)
    key = SessionKey(channel, "bot")
    router.set(key, AWAY, observed_at=start - 2, origin=Origin.SYSTEM).result()
    router.set(key, HOME, observed_at=start - 1).result()
    record = router.get(key).result()
    assert record is not None
    assert (record.route, record.alternates) == (HOME, (AWAY,))
    assert router.resolve(key).result().source is ResolutionSource.EXACT
    router.report(key, HOME, Delivery.PERMANENT, at=start).result()
    rooms = [SessionKey(channel, "bot", f"room_{number}") for number in range(20)]
    answers = router.resolve_many(rooms, widest_scope=Scope.CHANNEL).result()
    assert {answer.route for answer in answers} == {AWAY}
    assert router.delete(key).result() is True
    assert not any(router.resolve_many(rooms, widest_scope=Scope.CHANNEL).result())
    assert router.delete(key).result() is False


def test_a_default_does_not_expire_unless_told_to(routers: Routers, channel: str, start: float) -> None:
    """Without a TTL of its own a default stands until further notice."""
    router = routers(EVENT)
    router.at(start).set(SessionKey(channel, "bot"), HOME).result()
    router.at(start).set(SessionKey(channel, "other"), HOME, ttl_s=5).result()
    later = router.at(start + 50 * 86_400)
    assert later.resolve(SessionKey(channel, "bot")).result().route == HOME
    assert later.resolve(SessionKey(channel, "other")).result().route is None


def test_the_instance_comes_before_the_channel(routers: Routers, channel: str) -> None:
    """The ladder goes from narrow to wide."""
    router = routers()
    router.set_many([(SessionKey(channel), AWAY), (SessionKey(channel, "bot"), HOME)]).result()
    keys = [SessionKey(channel, "bot", "room"), SessionKey(channel, "another", "room")]
    answers = router.resolve_many(keys, widest_scope=Scope.CHANNEL).result()
    assert [answer.route for answer in answers] == [HOME, AWAY]
