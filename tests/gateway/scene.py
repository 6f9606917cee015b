"""A gateway in this process over a router in this process, with time that stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any

from ray_router.config import RouterConfig
from ray_router.gateway import GatewaySettings, OutboundGateway, Senders
from ray_router.handle import RouterHandle
from ray_router.model import Route
from ray_router.testing import FaultyTransport, ManualClock, local_router
from ray_router.transport import LocalTransport

from .senders import ScriptedSender

KEY = "tg:bot:room"
HERE, THERE, ELSEWHERE = Route("here"), Route("there"), Route("elsewhere")


class Scene:
    """``slept`` keeps what the gateway waited; waiting takes no time but the clock's."""

    def __init__(
        self,
        *,
        config: RouterConfig | None = None,
        senders: Senders | None = None,
        router: RouterHandle | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.clock = ManualClock()
        self.router = router or local_router(config, clock=self.clock)
        self.sender = ScriptedSender()
        self.slept: list[float] = []
        self.gateway = OutboundGateway(
            self.router,
            {"tg": self.sender} if senders is None else senders,
            settings=GatewaySettings(**settings),
            random=Random(seed),
            clock=self.clock,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def knows(self, *routes: Route, key: str = KEY) -> None:
        """Each route was observed a second after the one before."""
        for route in routes:
            self.clock.advance(1)
            await self.router.set(key, route)


def faulty_router(**settings: Any) -> tuple[RouterHandle, FaultyTransport]:
    """A router whose partitions fail on demand."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, **settings)))
    return RouterHandle(transport), transport


async def turns(count: int = 20) -> None:
    """Let everything that can go on in this thread go on a little."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], *, within_s: float = 30.0) -> None:
    """Wait for a state, which a thread of the router's may have to bring about.

    Raises:
        TimeoutError: it did not come about.
    """
    give_up_at = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not so within {within_s:g} s")
        await asyncio.sleep(0)
