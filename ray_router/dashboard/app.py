"""``dashboard_app``: the page and what it asks for, as one ASGI application that may stand anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ray_router.dashboard.guard import Guard, PlainHeaders
from ray_router.dashboard.questions import answer_to
from ray_router.dashboard.state import state
from ray_router.dashboard.watch import Watch
from ray_router.handle import RouterHandle

_FILES: Final = Path(__file__).parent / "static"
_MOST_BYTES: Final = 262_144


def dashboard_app(
    router: RouterHandle, admits: Callable[[str], bool], *, clock: Callable[[], float] = time.time
) -> Starlette:
    """The live page of a router.

    The page itself has nothing in it, and goes to everybody; what it shows goes to whoever has a token.

    Args:
        router: need not be there yet, nor stay.
        admits: whether a bearer token is a right one.
        clock: epoch seconds.

    >>> import asyncio, httpx
    >>> from ray_router.testing import local_router
    >>> async def ask(token):
    ...     app = dashboard_app(local_router(), lambda shown: shown == "secret")
    ...     async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
    ...         return await http.get("/api/state", headers={"Authorization": f"Bearer {token}"})
    >>> asyncio.run(ask("guess")).status_code
    401
    >>> asyncio.run(ask("secret")).json()["level"]
    'normal'
    """
    watch = Watch(router, clock)

    async def page(request: Request) -> Response:
        return FileResponse(_FILES / "index.html")

    async def now(request: Request) -> Response:
        await watch.look()
        return JSONResponse(state(watch, _seconds(request.query_params.get("since"))))

    async def explain(request: Request) -> Response:
        return JSONResponse(await answer_to(await request.body(), router))

    guarded = [
        Middleware(Guard, admits=admits),
        Middleware(RequestBodyLimitMiddleware, max_body_size=_MOST_BYTES),
    ]
    return Starlette(
        routes=[
            Route("/", page),
            Mount(
                "/api",
                routes=[Route("/state", now), Route("/explain", explain, methods=["POST"])],
                middleware=guarded,
            ),
            Mount("/static", StaticFiles(directory=_FILES)),
        ],
        middleware=[Middleware(PlainHeaders)],
    )


def _seconds(text: str | None) -> float:
    """Epoch seconds; what is none is long ago."""
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
