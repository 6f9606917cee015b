"""Sending while the router, or a partition of it, is down."""

from __future__ import annotations

import asyncio

import pytest

from ray_router.config import RouterConfig
from ray_router.errors import RouterNotFoundError
from ray_router.gateway import SendOutcome
from ray_router.gateway.lookup import NO_PARTITION
from ray_router.handle import RouterHandle
from ray_router.model import (
    Confidence,
    FallbackReason,
    PartitionStats,
    PressureLevel,
    ResolutionSource,
    Route,
    RouterStats,
)
from ray_router.testing import ManualClock
from ray_router.transport import LocalTransport, Request
from ray_router.transport.local import Settled

from .scene import ELSEWHERE, HERE, KEY, THERE, Scene, faulty_router, turns, until
from .senders import job


class Nowhere(LocalTransport):
    """A transport to a router that is not deployed."""

    def open(self) -> object:  # type: ignore[override]
        raise RouterNotFoundError("no router 'default' is deployed")


def nowhere() -> RouterHandle:
    return RouterHandle(Nowhere(RouterConfig()))  # type: ignore[arg-type]


async def test_fallbacks_answer() -> None:
    """A dead partition's sessions are answered from the fallbacks; the lost report is counted, not raised."""
    router, transport = faulty_router(call_timeout_s=0.05)
    scene = Scene(router=router)
    await router.set(KEY, HERE)
    transport.kill(0)
    result = await scene.gateway.send(KEY, job(1), [THERE])
    assert result.delivered
    assert result.resolution is not None
    assert (result.resolution.source, result.resolution.reason) == (
        ResolutionSource.PROVIDED,
        FallbackReason.UNAVAILABLE,
    )
    assert (result.reports_written, result.reports_lost) == (0, 1)
    assert scene.gateway.stats().reports_lost == 1


async def test_the_next_fallback_when_nobody_remembers() -> None:
    """Without a router to remember a failure, the gateway still tries each fallback once, in order."""
    router, transport = faulty_router(call_timeout_s=0.05)
    scene = Scene(router=router)
    await router.set(KEY, HERE)
    transport.kill(0)
    script = {"here": ["permanent"], "there": ["permanent"]}
    result = await scene.gateway.send(KEY, job(1, script), [HERE, THERE, ELSEWHERE])
    assert [each.route for each in result.attempts] == [HERE, THERE, ELSEWHERE]
    assert (result.outcome, result.reports_lost) == (SendOutcome.DELIVERED, 3)


async def test_without_fallbacks() -> None:
    """With nothing to fall back on the result says that it was the router."""
    router, transport = faulty_router(call_timeout_s=0.05)
    scene = Scene(router=router)
    await router.set(KEY, HERE)
    transport.kill(0)
    result = await scene.gateway.send(KEY, job(1))
    assert (result.outcome, result.resolution) == (SendOutcome.ROUTER_UNAVAILABLE, None)
    assert result.problem is not None and "partition 0 is unavailable" in result.problem
    transport.revive(0)


async def test_dies_between_two_candidates() -> None:
    """A router that dies while a message goes from route to route leaves what is known on the result."""
    router, transport = faulty_router(call_timeout_s=0.05)
    scene = Scene(router=router)
    await router.set(KEY, HERE)
    play = scene.sender._play

    async def die(step: str, detail: str) -> object:
        transport.kill(0)
        return await play(step, detail)

    scene.sender._play = die  # type: ignore[method-assign,assignment]
    result = await scene.gateway.send(KEY, job(1, {"here": ["permanent"]}))
    assert (result.outcome, result.reports_lost) == (SendOutcome.ROUTER_UNAVAILABLE, 1)
    assert [each.route for each in result.attempts] == [HERE]


async def test_comes_back() -> None:
    """Once the partition answers again, it is asked again."""
    router, transport = faulty_router(call_timeout_s=5.0)
    scene = Scene(router=router)
    await router.set(KEY, HERE)
    transport.kill(0)
    sending = asyncio.create_task(scene.gateway.send(KEY, job(1), [THERE]))
    await turns()
    transport.revive(0)
    first = await sending
    assert first.route == THERE
    while (await scene.gateway.send(KEY, job(2), [THERE])).reports_lost:
        pass
    await router.set(KEY, HERE)
    assert (await scene.gateway.send(KEY, job(3), [THERE])).route == HERE


async def test_no_such_router() -> None:
    """A router that cannot even be found is a router that is down."""
    scene = Scene(router=nowhere())
    result = await scene.gateway.send(KEY, job(1), [Route("wrong", channel="irc"), THERE])
    assert result.route == THERE
    assert result.resolution is not None
    assert result.resolution.reason is FallbackReason.UNAVAILABLE
    assert (result.resolution.partition, result.resolution.epoch) == (NO_PARTITION, 0)
    assert result.reports_lost == 1
    assert (await scene.gateway.send(KEY, job(2))).outcome is SendOutcome.ROUTER_UNAVAILABLE
    sure = await scene.gateway.send(KEY, job(3), [THERE], min_confidence=Confidence.OBSERVED)
    assert sure.outcome is SendOutcome.ROUTER_UNAVAILABLE


class Pressed(LocalTransport):
    """A router whose only partition is under a given pressure."""

    level = PressureLevel.WARN
    asked = 0

    def ask(self, partition: int, request: Request) -> object:  # type: ignore[override]
        self.asked += 1
        return Settled(PartitionStats(partition, level=self.level))


async def test_the_routers_level() -> None:
    """The router's pressure level is asked for now and then, and never waited for."""
    transport = Pressed(RouterConfig(partitions=1))
    clock = ManualClock()
    scene = Scene(router=RouterHandle(transport, clock=clock), router_level_every_s=5.0)  # type: ignore[arg-type]
    assert scene.gateway.stats().level is PressureLevel.NORMAL
    await scene.gateway.send(KEY, job(1), [HERE])
    await until(lambda: scene.gateway.stats().level is PressureLevel.WARN)
    for number in range(5):
        await scene.gateway.send(KEY, job(number), [HERE])
    assert transport.asked == 1
    scene.clock.advance(5.0)
    await scene.gateway.send(KEY, job(9), [HERE])
    await until(lambda: transport.asked == 2)


async def test_the_routers_level_left_out() -> None:
    """It is not asked for where it is not wanted."""
    transport = Pressed(RouterConfig(partitions=1))
    scene = Scene(router=RouterHandle(transport), router_level_every_s=None)  # type: ignore[arg-type]
    await scene.gateway.send(KEY, job(1), [HERE])
    await turns()
    assert transport.asked == 0


async def test_the_routers_level_unknown() -> None:
    """A router that does not answer is no reason to refuse; closing does not wait for it either."""
    scene = Scene(router=nowhere())
    await scene.gateway.send(KEY, job(1), [HERE])
    await turns()
    assert scene.gateway.stats().level is PressureLevel.NORMAL
    stats: asyncio.Future[RouterStats] = asyncio.get_running_loop().create_future()
    scene.router.stats = lambda: stats  # type: ignore[method-assign,assignment,return-value]
    scene.clock.advance(60.0)
    await scene.gateway.send(KEY, job(2), [HERE])
    await turns()
    await scene.gateway.aclose()
    assert stats.cancelled()
    with pytest.raises(asyncio.CancelledError):
        await stats
