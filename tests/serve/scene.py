"""A front in this process, over a router in this process, and a client that speaks HTTP to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.serve import Front, FrontSettings, create_app
from ray_router.testing import local_router

from .platforms import INSTANCE, Signed, front_settings


class Scene:
    """``router``: routes never expire, since recorded events are old."""

    def __init__(self, front: Front, http: httpx.AsyncClient) -> None:
        self.front = front
        self.router = front.router
        self.http = http

    async def post(self, channel: str, signed: Signed, instance: str = INSTANCE) -> httpx.Response:
        """Deliver."""
        return await self.http.post(
            f"/webhooks/{channel}/{instance}", content=signed.body, headers=signed.headers
        )

    async def stored(self) -> int:
        """How many sessions the router knows."""
        return (await self.router.stats()).holdings.entries

    def count(self, name: str) -> int:
        """How often something happened."""
        return self.front.counts[name]


@asynccontextmanager
async def scene(folder: Path, *, router: RouterHandle | None = None, **settings: Any) -> AsyncIterator[Scene]:
    """A front whose secrets are in a folder."""
    built = FrontSettings.build(**front_settings(folder, **settings))
    front = Front(built, router or local_router(RouterConfig(ttl_s=None)))
    transport = httpx.ASGITransport(create_app(front))
    async with httpx.AsyncClient(transport=transport, base_url="http://front") as http:
        yield Scene(front, http)
    await front.aclose()
