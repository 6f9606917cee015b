"""The course of a message: candidates, moves, retries and reports, over a router that is up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ray_router.config import RouterConfig
from ray_router.errors import InvalidInputError, InvalidRouteError
from ray_router.gateway import AttemptOutcome, SendOutcome, SendResult
from ray_router.model import Confidence, FallbackReason, Origin, ResolutionSource, Route, Scope

from .scene import ELSEWHERE, HERE, KEY, THERE, Scene
from .senders import job

ATTEMPTS = AttemptOutcome


def course(result: SendResult) -> list[tuple[str, AttemptOutcome, int]]:
    return [(each.route.external_room_id, each.outcome, each.retry) for each in result.attempts]


async def test_delivered() -> None:
    """A message goes along the session's route; the receipt has its resolution, attempt and report."""
    scene = Scene()
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1))
    assert result and result.delivered
    assert str(result.key) == KEY
    assert (result.route, result.message_id, result.problem) == (HERE, "1", None)
    assert result.resolution is not None
    assert (result.resolution.source, result.resolution.route) == (ResolutionSource.EXACT, HERE)
    assert course(result) == [("here", ATTEMPTS.DELIVERED, 0)]
    assert (result.reports_written, result.reports_lost, result.retries, result.unsure) == (1, 0, 0, False)
    assert (await scene.router.resolve(KEY)).confidence is Confidence.CONFIRMED


async def test_no_route() -> None:
    """Nothing known, nothing sent, and nothing reported."""
    scene = Scene()
    result = await scene.gateway.send(KEY, job(1))
    assert (result.outcome, result.problem) == (SendOutcome.NO_ROUTE, "no route: miss")
    assert result.resolution is not None and result.resolution.reason is FallbackReason.MISS
    assert (result.attempts, result.reports_written, scene.sender.calls) == ((), 0, [])
    assert (result.route, result.retry_after_s) == (None, None)


async def test_primary_fails_alternate_delivers() -> None:
    """The primary fails for good, the alternate delivers, the next send uses it at once, confirmed."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    first = await scene.gateway.send(KEY, job(1, {"here": ["permanent"]}))
    assert course(first) == [("here", ATTEMPTS.PERMANENT, 0), ("there", ATTEMPTS.DELIVERED, 0)]
    assert first.attempts[0].problem == "no such chat"
    assert first.resolution is not None
    assert (first.resolution.source, first.resolution.reason) == (
        ResolutionSource.ALTERNATE,
        FallbackReason.FAILED,
    )
    assert (first.outcome, first.route, first.reports_written) == (SendOutcome.DELIVERED, THERE, 2)

    second = await scene.gateway.send(KEY, job(2))
    assert course(second) == [("there", ATTEMPTS.DELIVERED, 0)]
    assert second.resolution is not None
    assert second.resolution.confidence is Confidence.CONFIRMED
    assert second.resolution.reason is FallbackReason.FAILED

    await scene.knows(HERE)  # the user is heard from there again
    third = await scene.gateway.send(KEY, job(3))
    assert course(third) == [("here", ATTEMPTS.DELIVERED, 0)]


async def test_stale_route() -> None:
    """A stale route is passed over for a fallback, used where that is allowed, and revived by delivery."""
    scene = Scene(config=RouterConfig(ttl_s=60.0))
    await scene.knows(HERE)
    scene.clock.advance(61.0)
    refused = await scene.gateway.send(KEY, job(1))
    assert (refused.outcome, refused.problem) == (SendOutcome.NO_ROUTE, "no route: stale")
    provided = await scene.gateway.send(KEY, job(2), [THERE])
    assert (provided.route, provided.resolution.stale) == (THERE, True)  # type: ignore[union-attr]
    allowed = await scene.gateway.send(KEY, job(3), allow_stale=True)
    assert allowed.resolution is not None and allowed.resolution.source is ResolutionSource.STALE
    revived = await scene.gateway.send(KEY, job(4))
    assert revived.resolution is not None
    assert (revived.resolution.source, revived.resolution.confidence) == (
        ResolutionSource.EXACT,
        Confidence.CONFIRMED,
    )


async def test_every_route_fails() -> None:
    """Each valid candidate is tried once, stored ones before the caller's; then it is over."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    script = {"here": ["permanent"], "there": ["permanent"], "elsewhere": ["permanent"]}
    result = await scene.gateway.send(KEY, job(1, script), [ELSEWHERE, HERE, THERE])
    assert [each.route for each in result.attempts] == [HERE, THERE, ELSEWHERE]
    assert (result.outcome, result.problem) == (SendOutcome.ROUTES_FAILED, "no such chat")
    assert result.resolution is not None and result.resolution.route is None
    assert result.reports_written == 3
    again = await scene.gateway.send(KEY, job(2), [ELSEWHERE])
    assert (again.outcome, again.problem) == (SendOutcome.NO_ROUTE, "no route: failed")


async def test_revived_while_it_was_tried() -> None:
    """A route that a user revives in mid-send is not tried a second time for the same message."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    play = scene.sender._play

    async def revive(step: str, detail: str) -> object:
        if step == "permanent":
            scene.clock.advance(1)
            await scene.router.set(KEY, HERE, observed_at=scene.clock() + 0.5)
        return await play(step, detail)

    scene.sender._play = revive  # type: ignore[method-assign,assignment]
    result = await scene.gateway.send(KEY, job(1, {"here": ["permanent"], "there": ["permanent"]}))
    rooms = [each.route.external_room_id for each in result.attempts]
    assert len(rooms) == len(set(rooms))


async def test_most_routes() -> None:
    """A message is tried on so many routes and no more."""
    scene = Scene(max_routes=2)
    await scene.knows(ELSEWHERE, THERE, HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["permanent"], "there": ["permanent"]}))
    assert [each.route for each in result.attempts] == [HERE, THERE]
    assert result.outcome is SendOutcome.ROUTES_FAILED
    assert result.problem == "2 routes were tried, which is the limit"


async def test_message_refused() -> None:
    """A message that no route would take is tried on one, and that route stays good."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["refused"]}))
    assert course(result) == [("here", ATTEMPTS.MESSAGE_REFUSED, 0)]
    assert (result.outcome, result.reports_written) == (SendOutcome.MESSAGE_REFUSED, 0)
    assert (await scene.router.resolve(KEY)).route == HERE


async def test_moved() -> None:
    """A move is followed at once, and remembered."""
    scene = Scene()
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["moved:there"]}))
    assert course(result) == [("here", ATTEMPTS.MOVED, 0), ("there", ATTEMPTS.DELIVERED, 0)]
    assert result.resolution is not None and result.resolution.route == HERE
    assert (result.route, result.reports_written) == (THERE, 2)
    again = await scene.gateway.send(KEY, job(2))
    assert course(again) == [("there", ATTEMPTS.DELIVERED, 0)]
    assert again.resolution is not None
    assert (again.resolution.source, again.resolution.confidence) == (
        ResolutionSource.EXACT,
        Confidence.CONFIRMED,
    )
    record = await scene.router.get(KEY)
    assert record is not None and record.origin is Origin.INBOUND


async def test_moved_again() -> None:
    """A second move in one send is remembered and not followed; the next send starts there."""
    scene = Scene()
    await scene.knows(HERE)
    script = {"here": ["moved:there"], "there": ["moved:elsewhere"]}
    result = await scene.gateway.send(KEY, job(1, script))
    assert course(result) == [("here", ATTEMPTS.MOVED, 0), ("there", ATTEMPTS.MOVED, 0)]
    assert (result.outcome, result.reports_written) == (SendOutcome.MOVED_AGAIN, 2)
    assert (await scene.gateway.send(KEY, job(2))).route == ELSEWHERE


async def test_moved_back_to_what_was_tried() -> None:
    """A move to a route that has failed is not followed; that the router now offers it ends the search."""
    scene = Scene()
    await scene.knows(ELSEWHERE, THERE, HERE)
    script = {"here": ["permanent"], "there": ["moved:here"]}
    result = await scene.gateway.send(KEY, job(1, script))
    assert course(result)[:2] == [("here", ATTEMPTS.PERMANENT, 0), ("there", ATTEMPTS.MOVED, 0)]
    assert result.outcome is SendOutcome.ROUTES_FAILED


async def test_moved_to_a_dead_end() -> None:
    """When the place that it moved to fails for good, the next candidate is tried."""
    scene = Scene()
    await scene.knows(ELSEWHERE, HERE)
    script = {"here": ["moved:there"], "there": ["permanent"]}
    result = await scene.gateway.send(KEY, job(1, script))
    assert [each.route for each in result.attempts] == [HERE, THERE, ELSEWHERE]
    assert result.delivered


async def test_retried() -> None:
    """A temporary failure is retried on the same route, each failure reported; the clock shows the pauses."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["retryable", "oserror"]}))
    assert course(result) == [
        ("here", ATTEMPTS.RETRYABLE, 0),
        ("here", ATTEMPTS.RETRYABLE, 1),
        ("here", ATTEMPTS.DELIVERED, 2),
    ]
    assert (result.retries, result.reports_written) == (2, 3)
    assert result.attempts[1].problem == "ConnectionError: reset"
    assert len(scene.slept) == 2
    assert result.elapsed_s == pytest.approx(sum(scene.slept))
    assert (await scene.router.resolve(KEY)).route == HERE


async def test_retries_exhausted() -> None:
    """When retries run out the message failed; the router passes the route over for a while, then not."""
    scene = Scene(max_retries=2)
    await scene.knows(THERE, HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["retryable"] * 9}))
    assert (result.outcome, result.problem) == (SendOutcome.RETRIES_EXHAUSTED, "busy")
    assert len(result.attempts) == 3
    assert (await scene.gateway.send(KEY, job(2))).route == THERE
    scene.clock.advance(60.0)
    assert (await scene.router.resolve(KEY)).route == HERE


async def test_retry_after() -> None:
    """The platform's wish is obeyed, shown, and known to the router."""
    scene = Scene(max_retries=1)
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["retryable:20", "retryable:30"]}))
    assert 20 <= scene.slept[0] <= 20.5
    assert (result.outcome, result.retry_after_s) == (SendOutcome.RETRIES_EXHAUSTED, 30.0)
    scene.clock.advance(29.0)
    assert not await scene.router.resolve(KEY)
    scene.clock.advance(1.5)
    assert await scene.router.resolve(KEY)


async def test_retry_after_the_deadline() -> None:
    """A platform that asks for more time than the send has ends it at once."""
    scene = Scene(send_timeout_s=60.0)
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["retryable:61"]}))
    assert (result.outcome, result.retry_after_s, scene.slept) == (SendOutcome.RETRIES_EXHAUSTED, 61.0, [])


async def test_program_fault() -> None:
    """A sender with a bug sends nothing, and blames no route for it."""
    scene = Scene()
    await scene.knows(HERE)
    for number, step in enumerate(["typeerror", "nonsense"]):
        result = await scene.gateway.send(KEY, job(number, {"here": [step]}))
        assert (result.outcome, result.reports_written) == (SendOutcome.MESSAGE_REFUSED, 0)
    assert (await scene.router.resolve(KEY)).route == HERE


async def test_raised_verdict() -> None:
    """A verdict may be raised."""
    scene = Scene()
    await scene.knows(THERE, HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["raised"]}))
    assert (result.route, result.attempts[0].problem) == (THERE, "blocked")


async def test_wishes_reach_the_router() -> None:
    """Scope, confidence and fallbacks are the router's to judge."""
    scene = Scene()
    await scene.router.set("tg:bot:*", ELSEWHERE)
    assert (await scene.gateway.send(KEY, job(1))).outcome is SendOutcome.NO_ROUTE
    wide = await scene.gateway.send(KEY, job(2), widest_scope=Scope.INSTANCE)
    assert wide.resolution is not None and wide.resolution.matched_scope is Scope.INSTANCE
    sure = await scene.gateway.send(KEY, job(3), [HERE], min_confidence=Confidence.OBSERVED)
    assert (sure.outcome, sure.problem) == (SendOutcome.NO_ROUTE, "no route: low_confidence")
    provided = await scene.gateway.send(KEY, job(4), [HERE])
    assert provided.resolution is not None
    assert provided.resolution.confidence is Confidence.PROVIDED


async def test_a_failure_of_a_wider_route_is_the_sessions_own() -> None:
    """A thread that cannot be reached through its room's route says nothing about the room."""
    scene = Scene()
    await scene.knows(HERE)
    thread = f"{KEY}:thread"
    result = await scene.gateway.send(thread, job(1, {"here": ["permanent"]}), [THERE])
    assert [each.route for each in result.attempts] == [HERE, THERE]
    assert (await scene.router.resolve(KEY)).route == HERE
    assert (await scene.gateway.send(thread, job(2), [THERE])).route == THERE


async def test_refused_by_the_router() -> None:
    """What the router's limits refuse is the caller's error, and takes no place for long."""
    scene = Scene(config=RouterConfig(max_route_bytes=10, max_fallbacks=1))
    with pytest.raises(InvalidRouteError, match=r"fallbacks\[0\]"):
        await scene.gateway.send(KEY, job(1), [Route("far too long a room id")])
    with pytest.raises(InvalidInputError, match="fallbacks"):
        await scene.gateway.send(KEY, job(1), [HERE, THERE])
    assert scene.gateway.stats().pending == 0


async def test_moved_beyond_the_routers_limits() -> None:
    """A new route that the router cannot store is followed all the same; its report is lost, and counted."""
    scene = Scene(config=RouterConfig(max_route_bytes=10))
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["moved:far too long a room id"]}))
    assert result.delivered
    assert (result.reports_written, result.reports_lost) == (0, 2)
    assert scene.gateway.stats().reports_lost == 2


def test_require() -> None:
    """Whoever needs delivery can insist on it."""
    from ray_router.gateway import NotDeliveredError
    from ray_router.model import SessionKey

    failed = SendResult(
        SessionKey.parse(KEY), SendOutcome.NO_ROUTE, None, (), None, "no route: miss", 0, 0, 0.0, 0.0
    )
    with pytest.raises(NotDeliveredError, match=r"not delivered \(no_route\): no route: miss"):
        failed.require()
    delivered = replace(failed, outcome=SendOutcome.DELIVERED)
    assert delivered.require() is delivered
