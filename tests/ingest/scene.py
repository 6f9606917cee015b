"""Ingest over a router in this process, with time that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ray_router.channels import InboundMessage, RoomKind, place
from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.ingest import Admitted, Ingest, IngestSettings, Policy, Ruling
from ray_router.testing import ManualClock, local_router


def message(
    number: int = 1,
    *,
    room: str = "room",
    at: float | None = 1_700_000_000.0,
    text: str | None = "hello",
    **place_more: str,
) -> InboundMessage:
    """What a user wrote."""
    key, route = place("tg", "bot", room, **place_more)
    return InboundMessage(key, route, str(number), at, "user", text, RoomKind.GROUP)


def saying(ruling: Any, *, name: str = "policy", heard: list[InboundMessage] | None = None) -> Policy:
    """A policy that says one thing of everything."""

    async def judge(message: InboundMessage) -> Ruling:
        if heard is not None:
            heard.append(message)
        if isinstance(ruling, BaseException):
            raise ruling
        return ruling  # type: ignore[no-any-return]

    return Policy(name, judge)


class Scene:
    """``handled`` keeps what reached the handler; ``fail`` makes it raise; ``gate`` holds it up."""

    def __init__(
        self,
        *,
        gaters: Sequence[Policy] = (),
        moderators: Sequence[Policy] = (),
        router: RouterHandle | None = None,
        **settings: Any,
    ) -> None:
        self.clock = ManualClock()
        self.handled: list[Admitted] = []
        self.fail: BaseException | None = None
        self.gate: asyncio.Event | None = None
        self.router = router or local_router(RouterConfig(ttl_s=None), clock=self.clock)
        self.ingest = Ingest(
            self.router,
            self.handle,
            gaters=gaters,
            moderators=moderators,
            settings=IngestSettings(**settings),
            clock=self.clock,
            monotonic=self.clock,
        )

    async def handle(self, admitted: Admitted) -> object:
        self.handled.append(admitted)
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        return len(self.handled)
