"""Who is let in, and what a browser is told about every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS: Final = {
    # Nothing from elsewhere, nothing written into the page, no frame around it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Asks for a bearer token before anything else of a request is looked at.

    Args:
        admits: whether a token is a right one; asked of no token too, and then of no weight.
    """

    def __init__(self, app: ASGIApp, admits: Callable[[str], bool]) -> None:
        self._app = app
        self._admits = admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer 401."""
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        shown = token.strip() if kind.lower() == "bearer" else ""
        if self._admits(shown) and shown:
            await self._app(scope, receive, send)
            return
        problem = {"error": "unauthorized", "problem": "needs a valid bearer token", "field": None}
        await JSONResponse(problem, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)


class PlainHeaders:
    """Adds to every answer what keeps a browser from doing more with it than it should."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                # What is told of a router is not kept; the page's own files are asked for anew each time.
                is_json = headers.get("content-type", "").startswith("application/json")
                headers["Cache-Control"] = "no-store" if is_json else "no-cache"
            await send(message)

        await self._app(scope, receive, with_headers)
