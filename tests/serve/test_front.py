"""A front with an agent and senders of its own, and what it says of a router that does not answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from channels.samples import SLACK, TELEGRAM, changed

from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.model import Confidence
from ray_router.serve import front
from ray_router.serve.front import RouterState
from ray_router.testing import FaultyTransport
from ray_router.transport import LocalTransport

from . import local_agent
from .platforms import slack, telegram
from .scene import scene

AGENT: dict[str, Any] = {
    "handler": f"{local_agent.__name__}:make_handler",
    "senders": f"{local_agent.__name__}:make_senders",
}


async def test_the_loop(secrets: Path) -> None:
    """A message is answered in its own thread, and the delivery confirms its route."""
    local_agent.SENT.clear()
    async with scene(secrets, **AGENT) as here:
        room = changed(TELEGRAM, message__is_topic_message=..., message__message_thread_id=...)
        assert (await here.post("telegram", telegram(room))).status_code == 200
        topic = changed(TELEGRAM, update_id=2, message__message_id=8, message__text="in a topic")
        assert (await here.post("telegram", telegram(topic))).status_code == 200
        places = [(route.external_room_id, route.external_thread_id) for route, _ in local_agent.SENT]
        assert places == [("-100", None), ("-100", "4")]
        assert [payload for _, payload in local_agent.SENT] == ["hi", "in a topic"]
        assert (await here.router.resolve("telegram:bot:-100:4")).confidence is Confidence.CONFIRMED


async def test_a_reply_that_cannot_be_sent(secrets: Path) -> None:
    """Nobody sends to Slack: the handler fails, and the platform is to deliver again."""
    async with scene(secrets, **AGENT) as here:
        assert (await here.post("slack", slack(SLACK))).status_code == 424
        assert await here.stored() == 0


async def test_a_router_that_hangs(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is down as far as the front is concerned, and the question does not hang."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, call_timeout_s=30.0)))
    async with scene(secrets, router=RouterHandle(transport)) as here:
        assert await here.front.router_state() is RouterState.UP
        transport.freeze(0)
        monkeypatch.setattr(front, "_ROUTER_ANSWERS_WITHIN_S", 0.02)
        here.front._state_until = -1.0
        asked = [here.front.router_state() for _ in range(3)]
        assert set(await asyncio.gather(*asked)) <= {RouterState.UP, RouterState.DOWN}
        assert await here.front.router_state() is RouterState.DOWN
        transport.thaw(0)
