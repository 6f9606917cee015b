"""A router in this process whose partitions fail on demand, and its page, with or without a web server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from ray_router import Route, RouterConfig, RouterHandle
from ray_router.dashboard import dashboard_app, listening
from ray_router.testing import FaultyTransport, ManualClock, wait_until
from ray_router.transport import LocalTransport

TOKEN = "a-token-of-tests"
LET_IN = {"Authorization": f"Bearer {TOKEN}"}
KEY = "telegram:bot_1:room_9"


class Scene:
    """``router`` over ``transport``, and ``app``, its page.

    Args:
        clock: of all of them; the present time when left out.
    """

    def __init__(self, clock: ManualClock | None = None, **settings: Any) -> None:
        now: Callable[[], float] = clock or time.time
        config = RouterConfig(**{"name": "chat", "partitions": 4, **settings})
        self.transport = FaultyTransport(LocalTransport(config, clock=now))
        self.router = RouterHandle(self.transport, clock=now)
        self.app = dashboard_app(self.router, lambda shown: shown == TOKEN, clock=now)

    async def talk(self, rooms: int = 40) -> None:
        """Some traffic: each room writes, and is asked for along with one that nobody knows."""
        await self.router.set_many((f"telegram:bot_1:room_{n}", Route(f"-100{n}")) for n in range(rooms))
        asked = [f"telegram:bot_1:room_{n}" for n in range(rooms)]
        threads = [f"{each}:thread" for each in asked[: rooms // 2]]
        await self.router.resolve_many([*asked, *threads, *(f"irc:net:#{n}" for n in range(rooms // 4))])

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Whoever has the token, or what other headers there are."""
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers or LET_IN)


@contextmanager
def served(scene: Scene) -> Iterator[str]:
    """The page under a web server; where it is."""
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(scene.app, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.force_exit = server.should_exit = True
        thread.join()
        listener.close()
