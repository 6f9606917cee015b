"""The whole loop on a real Ray while a partition of the router is killed under load."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from typing import Any

import pytest

from ray_router import RouterConfig, RouterHandle
from ray_router.channels import InboundMessage, RoomKind, place
from ray_router.gateway import GatewaySettings, OutboundGateway, SendResult
from ray_router.ingest import Ingest, IngestResult
from ray_router.model import FallbackReason, ResolutionSource, SetOutcome
from ray_router.runtime import deploy, shutdown

from .senders import ScriptedSender, job

pytestmark = pytest.mark.ray

SESSIONS = 40
VICTIM = 0


class Load:
    """Users who write and are answered, over and over; each answer brings the message's own route along."""

    def __init__(self, router: RouterHandle) -> None:
        self.sender = ScriptedSender()
        self.gateway = OutboundGateway(
            router, {"tg": self.sender}, settings=GatewaySettings(router_level_every_s=None)
        )
        self.ingest = Ingest(router, self.handle)
        self.received: list[IngestResult] = []
        self.sent: list[SendResult] = []

    async def handle(self, admitted: Any) -> None:
        message = admitted.message
        self.sent.append(await self.gateway.send(message.key, job(int(message.message_id)), [message.route]))

    async def round(self, number: int) -> None:
        """Every user writes once."""
        await asyncio.gather(*(self._write(number * SESSIONS + each, f"{each}") for each in range(SESSIONS)))

    async def _write(self, number: int, room: str) -> None:
        key, route = place("tg", "bot", room)
        message = InboundMessage(key, route, str(number), None, "user", "hello", RoomKind.DIRECT)
        self.received.append(await self.ingest.receive(message))

    @property
    def unavailable(self) -> int:
        """Answers that went along a fallback because the router was down."""
        return sum(
            each.resolution.reason is FallbackReason.UNAVAILABLE for each in self.sent if each.resolution
        )


async def test_partition_killed_under_load(ray_cluster: str, namespace: str) -> None:
    """Inbound goes on, outbound answers from its fallbacks, other partitions never notice; all is counted."""
    config = RouterConfig(name="victim", partitions=2, call_timeout_s=0.5)
    router = await asyncio.to_thread(deploy, config, namespace=namespace)
    load = Load(router)
    try:
        number = 0
        for number in range(2):
            await load.round(number)
        assert load.unavailable == 0
        stats = await router.stats()
        os.kill(stats.partitions[VICTIM].pid, signal.SIGKILL)
        while not load.unavailable:
            number += 1
            await load.round(number)
        while (await router.stats()).down or (await recovered(load, number := number + 1)):
            continue
    finally:
        await load.gateway.aclose()
        await asyncio.to_thread(shutdown, "victim", namespace=namespace)

    messages = (number + 1) * SESSIONS
    assert len(load.received) == len(load.sent) == messages
    assert all(result.accepted for result in load.received)
    assert all(result.delivered for result in load.sent)
    assert sum(map(len, load.sender.delivered.values())) == messages

    sources = Counter(each.resolution.source for each in load.sent if each.resolution)
    assert sources[ResolutionSource.EXACT] > 0
    for result in load.sent:
        assert result.resolution is not None
        if result.resolution.reason is FallbackReason.UNAVAILABLE:
            assert (result.resolution.source, result.resolution.partition) == (
                ResolutionSource.PROVIDED,
                VICTIM,
            )
        if result.reports_lost:
            assert result.resolution.partition == VICTIM
        assert result.reports_written + result.reports_lost == 1
    lost = [result for result in load.received if result.route_write is SetOutcome.UNAVAILABLE]
    assert all(result.route_problem for result in lost)
    written = [result for result in load.received if result.route_write is not SetOutcome.UNAVAILABLE]
    assert all(result.route_problem is None for result in written)


async def recovered(load: Load, number: int) -> bool:
    """Another round, and whether the router was still down for any of it; False when it is back."""
    before = load.unavailable
    await load.round(number)
    return load.unavailable > before
