"""Each operation, with all its arguments and all that it answers."""

from __future__ import annotations

import time
from dataclasses import replace
from math import inf

import pytest

from ray_router import (
    Confidence,
    Delivery,
    FallbackReason,
    Freshness,
    Holdings,
    NoRouteError,
    Origin,
    PressureLevel,
    ReportOutcome,
    Resolution,
    ResolutionSource,
    Route,
    RouterHandle,
    Scope,
    SessionKey,
    SetOutcome,
)

from .subjects import AWAY, ELSEWHERE, EVENT, HOME, Routers, varied


@pytest.fixture
def at_start(routers: Routers, start: float) -> RouterHandle:
    """A router with an event clock, at the beginning of the test's time."""
    return routers(EVENT).at(start)


def test_set_says_what_the_write_did(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A new route is stored, a known one refreshed, and what is older than all that is kept is superseded."""
    assert at_start.set(room, HOME).result().outcome is SetOutcome.STORED
    assert at_start.set(room, HOME, start - 5).result().outcome is SetOutcome.SUPERSEDED
    assert at_start.at(start + 1).set(room, HOME).result().outcome is SetOutcome.REFRESHED
    result = at_start.at(start + 2).set(room, AWAY).result()
    assert result.outcome is SetOutcome.STORED
    assert result.partition == at_start.resolve(room).result().partition
    assert result.evicted == 0


def test_set_says_how_many_it_evicted(routers: Routers, channel: str) -> None:
    """A write into a full partition says how many sessions with a route left for it."""
    router = routers(varied(EVENT, partitions=1, max_entries_per_partition=2)).at(1e9)
    writes = [router.set(SessionKey(channel, "bot", f"room_{number}"), HOME) for number in range(3)]
    assert [write.result().evicted for write in writes] == [0, 0, 1]


def test_a_write_is_stamped_with_the_present(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A write without a stamp is observed now, and a stamp to come is clamped to now."""
    at_start.set(room, HOME).result()
    record = at_start.get(room).result()
    assert record is not None
    assert record.observed_at == pytest.approx(start, abs=1e-5)
    at_start.at(start + 10).set(room, AWAY, observed_at=start + 1_000).result()
    record = at_start.at(start + 10).get(room).result()
    assert record is not None
    assert (record.route, record.observed_at) == (AWAY, start + 10)


def test_a_wall_clock_router_stamps_with_the_present(routers: Routers, room: SessionKey) -> None:
    """On a wall clock a write is stamped between its submission and its answer."""
    router = routers()
    before = time.time()
    router.set(room, HOME).result()
    record = router.get(room).result()
    assert record is not None
    assert before <= record.observed_at <= time.time()


def test_an_old_event_is_old_on_arrival(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A route observed before its whole TTL is stale at once."""
    at_start.set(room, HOME, observed_at=start - 101).result()
    record = at_start.get(room).result()
    assert record is not None
    assert record.freshness is Freshness.STALE
    assert (record.age_s, record.expires_in_s) == (101, -1)


def test_a_write_may_have_its_own_ttl(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """``ttl_s`` outweighs the router's own, and infinity never expires."""
    at_start.set(room, HOME, ttl_s=5).result()
    other = replace(room, room="other")
    at_start.set(other, HOME, ttl_s=inf).result()
    later = at_start.at(start + 6)
    assert [later.resolve(key).result().stale for key in (room, other)] == [True, False]
    assert later.resolve(other).result().expires_in_s == inf


def test_an_operator_outranks_a_user(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """An operator's route comes first, never expires unless told to, and leaves the user's as alternate."""
    at_start.set(room, AWAY, origin=Origin.OPERATOR).result()
    at_start.at(start + 1).set(room, HOME).result()
    record = at_start.at(start + 2).get(room).result()
    assert record is not None
    assert (record.route, record.origin, record.alternates) == (AWAY, Origin.OPERATOR, (HOME,))
    assert record.expires_in_s == inf


def test_get_tells_all_that_is_stored(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A record has the key, the primary route, its times and origin, and the alternates in their order."""
    for number, route in enumerate((HOME, AWAY, ELSEWHERE)):
        at_start.set(room, route, observed_at=start - 3 + number).result()
    record = at_start.get(str(room)).result()
    assert record is not None
    assert record.key == room
    assert (record.route, record.alternates) == (ELSEWHERE, (AWAY, HOME))
    assert (record.observed_at, record.age_s, record.expires_in_s) == (start - 1, 1, 99)
    assert (record.freshness, record.origin) == (Freshness.FRESH, Origin.INBOUND)
    assert not record.failed


def test_get_looks_at_the_session_itself(at_start: RouterHandle, room: SessionKey) -> None:
    """A thread without a route of its own has no record, whatever its room has."""
    at_start.set(room, HOME).result()
    assert at_start.get(replace(room, thread="thread")).result() is None


def test_resolve_answers_with_a_receipt(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """The session's own route is exact, and the receipt says whose, how old, how long and from where."""
    written = at_start.set(room, ELSEWHERE).result()
    later = at_start.at(start + 30)
    answer = later.resolve(room).result()
    assert answer.age_s == pytest.approx(30, abs=1e-5)
    assert answer.expires_in_s == pytest.approx(70, abs=1e-5)
    assert replace(answer, age_s=30.0, expires_in_s=70.0) == Resolution(
        key=room,
        route=ELSEWHERE,
        source=ResolutionSource.EXACT,
        reason=None,
        stale=False,
        confidence=Confidence.OBSERVED,
        matched_scope=Scope.ROOM,
        age_s=30.0,
        expires_in_s=70.0,
        partition=written.partition,
        epoch=1,
    )
    assert answer
    assert not answer.fallback
    assert answer.require() == ELSEWHERE


def test_a_miss_is_an_answer(at_start: RouterHandle, room: SessionKey) -> None:
    """A session that nobody knows has no route, is false, and says so when a route is required."""
    answer = at_start.resolve(room).result()
    assert not answer
    assert (answer.route, answer.source, answer.reason) == (None, ResolutionSource.NONE, FallbackReason.MISS)
    assert (answer.confidence, answer.stale, answer.fallback) == (Confidence.NONE, False, False)
    with pytest.raises(NoRouteError, match="room"):
        answer.require()


def test_fallbacks_are_tried_in_order(at_start: RouterHandle, room: SessionKey) -> None:
    """The first fallback that is valid for the session answers, as provided."""
    foreign = Route("home", channel="another")
    answer = at_start.resolve(room, [foreign, AWAY, HOME]).result()
    assert (answer.route, answer.source) == (AWAY, ResolutionSource.PROVIDED)
    assert (answer.reason, answer.confidence) == (FallbackReason.MISS, Confidence.PROVIDED)
    assert answer.fallback


def test_a_stale_route_is_answered_only_when_asked(
    at_start: RouterHandle, room: SessionKey, start: float
) -> None:
    """``allow_stale`` is the last rung: the session's own route past its TTL."""
    at_start.set(room, HOME, observed_at=start).result()
    later = at_start.at(start + 150)
    assert not later.resolve(room).result()
    answer = later.resolve(room, allow_stale=True).result()
    assert (answer.route, answer.source, answer.confidence) == (
        HOME,
        ResolutionSource.STALE,
        Confidence.STALE,
    )
    assert (answer.reason, answer.stale, answer.expires_in_s) == (FallbackReason.STALE, True, -50)


@pytest.mark.parametrize("widest", list(Scope))
def test_wider_scopes_answer_as_far_as_allowed(at_start: RouterHandle, channel: str, widest: Scope) -> None:
    """A thread is answered by the narrowest wider scope that has a route, no wider than allowed."""
    at_start.set(SessionKey(channel, "bot"), HOME).result()
    at_start.set(SessionKey(channel), AWAY).result()
    thread = SessionKey(channel, "bot", "room", "thread")
    answer = at_start.resolve(thread, widest_scope=widest).result()
    if widest < Scope.INSTANCE:
        assert not answer
    else:
        assert (answer.route, answer.matched_scope) == (HOME, Scope.INSTANCE)
        assert (answer.source, answer.reason) == (ResolutionSource.SCOPE, FallbackReason.SCOPE_MISS)
        assert answer.confidence is Confidence.INHERITED


def test_confidence_may_be_demanded(at_start: RouterHandle, room: SessionKey) -> None:
    """What is less sure than asked for is passed over, and the answer says that this was why."""
    at_start.set(room, HOME).result()
    answer = at_start.resolve(room, [AWAY], min_confidence=Confidence.CONFIRMED).result()
    assert (answer.route, answer.reason) == (None, FallbackReason.LOW_CONFIDENCE)
    assert at_start.resolve(room, min_confidence=Confidence.OBSERVED).result().route == HOME


def test_a_delivery_confirms(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """DELIVERED makes the route confirmed and extends its life from the time of delivery."""
    at_start.set(room, HOME, observed_at=start - 50).result()
    report = at_start.report(room, HOME, Delivery.DELIVERED, at=start).result()
    assert report.outcome is ReportOutcome.APPLIED
    answer = at_start.resolve(room).result()
    assert (answer.confidence, answer.expires_in_s) == (Confidence.CONFIRMED, 100)
    assert report.partition == answer.partition


def test_an_older_report_is_superseded(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A report about an earlier time than is known already says that it changed nothing."""
    at_start.set(room, HOME, observed_at=start - 50).result()
    at_start.report(room, HOME, Delivery.DELIVERED, at=start - 1).result()
    earlier = at_start.report(room, HOME, Delivery.DELIVERED, at=start - 2).result()
    assert earlier.outcome is ReportOutcome.SUPERSEDED


def test_a_permanent_failure_moves_on(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """PERMANENT takes the route out until it is observed again; the next best answers as alternate."""
    at_start.set(room, AWAY, observed_at=start - 2).result()
    at_start.set(room, HOME, observed_at=start - 1).result()
    at_start.report(room, HOME, Delivery.PERMANENT, at=start).result()
    later = at_start.at(start + 1)
    answer = later.resolve(room).result()
    assert (answer.route, answer.source, answer.reason) == (
        AWAY,
        ResolutionSource.ALTERNATE,
        FallbackReason.FAILED,
    )
    record = later.get(room).result()
    assert record is not None
    assert (record.route, record.failed) == (HOME, True)
    later.set(room, HOME).result()
    assert later.resolve(room).result().source is ResolutionSource.EXACT


def test_a_temporary_failure_passes(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """TRANSIENT skips the route for as long as the provider wants to be left alone."""
    at_start.set(room, HOME, observed_at=start - 1).result()
    at_start.report(room, HOME, Delivery.TRANSIENT, at=start, retry_after_s=30).result()
    answer = at_start.at(start + 29).resolve(room).result()
    assert (answer.route, answer.reason) == (None, FallbackReason.FAILED)
    assert at_start.at(start + 31).resolve(room).result().route == HOME


def test_a_move_replaces_the_route(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """MOVED fails the old route and observes the new one at the same time."""
    at_start.set(room, HOME, observed_at=start - 1).result()
    at_start.report(room, HOME, Delivery.MOVED, at=start, moved_to=AWAY).result()
    record = at_start.get(room).result()
    assert record is not None
    assert (record.route, record.observed_at, record.origin) == (AWAY, start, Origin.INBOUND)
    assert at_start.resolve(room).result().route == AWAY


def test_a_report_is_stamped_with_the_present(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A report without a time happened now, after every write before it."""
    at_start.set(room, HOME).result()
    at_start.report(room, HOME, Delivery.PERMANENT).result()
    assert not at_start.resolve(room).result()
    at_start.set(room, HOME).result()
    assert at_start.resolve(room).result().route == HOME


def test_delete_forgets_and_refuses_the_past(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """A deletion says whether there was a route, and what was observed before it comes back no more."""
    assert at_start.delete(room).result() is False
    later = at_start.at(start + 10)
    later.set(room, HOME).result()
    assert later.delete(room).result() is True
    assert later.get(room).result() is None
    assert later.set(room, HOME, observed_at=start + 5).result().outcome is SetOutcome.SUPERSEDED
    assert not later.resolve(room).result()
    assert later.set(room, HOME).result().outcome is SetOutcome.STORED


def test_prune_moves_on_what_is_due(at_start: RouterHandle, channel: str, start: float) -> None:
    """``prune`` moves on every session whose time has come, and says how many, and on how many partitions."""
    rooms = [SessionKey(channel, "bot", f"room_{number}") for number in range(40)]
    at_start.resolve_many(rooms).result()  # the time of a partition is that of its latest call
    at_start.prune().result()
    before = at_start.stats().result()
    at_start.set_many([(key, HOME) for key in rooms]).result()
    assert at_start.prune().result().pruned == 0
    later = at_start.at(start + 101)
    later.resolve_many(rooms[:10]).result()  # tidies up a little by itself
    assert 0 < later.prune().result().pruned < len(rooms)
    after = later.stats().result()
    assert after.traffic.went_stale == before.traffic.went_stale + len(rooms)
    assert after.holdings.live == before.holdings.live
    assert after.holdings.stale == before.holdings.stale + len(rooms)
    last = later.prune().result()
    assert (last.pruned, last.partitions) == (0, EVENT.partitions)


def test_stats_add_up(at_start: RouterHandle, room: SessionKey, start: float) -> None:
    """Stats count what was asked and hold what is held, for each partition and in total."""
    before = at_start.stats().result()
    partition = at_start.set(room, HOME, observed_at=start - 1).result().partition
    at_start.set(room, HOME, observed_at=start).result()
    at_start.set(room, HOME, observed_at=start - 1).result()
    at_start.resolve(room).result()
    at_start.resolve(replace(room, thread="thread")).result()
    at_start.resolve(replace(room, room="nowhere"), [AWAY]).result()
    at_start.report(room, HOME, Delivery.DELIVERED).result()
    at_start.delete(room).result()
    after = at_start.stats().result()

    def grew(name: str) -> int:
        return int(getattr(after.traffic, name)) - int(getattr(before.traffic, name))

    assert [grew(name) for name in ("stored", "refreshed", "superseded", "sets")] == [1, 1, 1, 3]
    assert [grew(name) for name in ("resolves", "exact", "scope", "provided")] == [3, 1, 1, 1]
    assert [grew(name) for name in ("reports", "deletes", "new_sessions", "refused")] == [1, 1, 1, 0]
    assert len(after.partitions) == EVENT.partitions
    assert after.epoch == 1
    assert after.down == ()
    assert sum(each.slots for each in after.partitions) == 16_384
    owner = after.partitions[partition]
    assert (owner.partition, owner.available, owner.incarnation, owner.restarts) == (partition, True, 1, 0)
    assert (owner.capacity, owner.level) == (EVENT.max_entries_per_partition, PressureLevel.NORMAL)
    assert owner.pid > 0
    assert owner.uptime_s > 0


def test_stats_name_the_router(routers: Routers, channel: str) -> None:
    """Stats carry the router's name and hold the defaults once, though every partition keeps them."""
    router = routers()
    before = router.stats().result().holdings.defaults
    router.set(SessionKey(channel), HOME).result()
    stats = router.stats().result()
    assert stats.name == router.config.name
    assert stats.holdings.defaults == before + 1
    assert isinstance(stats.partitions[0].holdings, Holdings)
