"""``create_app``: the front as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

import ray_router
from ray_router.dashboard import dashboard_app
from ray_router.serve import problems
from ray_router.serve.api import api
from ray_router.serve.front import Front, RouterState
from ray_router.serve.webhooks import webhooks


class Alive(BaseModel):
    """A sign of life."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether deliveries are received, and whether the router answers."""

    ready: Literal[True] = True
    router: RouterState


def create_app(front: Front) -> FastAPI:
    """The ASGI application of a front; when it is shut down, the front is closed.

    >>> import asyncio, httpx
    >>> from ray_router.serve import FrontSettings
    >>> from ray_router.testing import local_router
    >>> async def ask():
    ...     app = create_app(Front(FrontSettings(), local_router()))
    ...     async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://front") as http:
    ...         return (await http.get("/healthz")).json()
    >>> asyncio.run(ask())
    {'status': 'ok'}
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await front.aclose()

    app = FastAPI(
        title="ray_router",
        version=ray_router.__version__,
        summary="Webhooks in, routes out.",
        lifespan=lifespan,
    )
    problems.install(app)
    # Counts what comes in, and refuses at the limit, so that no more of it is ever held.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=front.settings.max_body_bytes)
    app.include_router(webhooks(front))
    app.include_router(api(front))
    if front.settings.dashboard:
        app.mount("/dashboard", dashboard_app(front.router, front.admits, clock=front.clock))

    @app.get("/healthz", tags=["health"], summary="Is it alive?")
    async def healthz() -> Alive:
        """This replica answers."""
        return Alive()

    @app.get("/readyz", tags=["health"], summary="Does it receive?")
    async def readyz() -> Ready:
        """This replica has its secrets and its handler, and receives deliveries.

        It does so while the router is down, too, so that is told beside it and makes no difference.
        """
        return Ready(router=await front.router_state())

    return app
