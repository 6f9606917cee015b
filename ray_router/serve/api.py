"""``/v1``: resolving and reporting over HTTP, for whoever shows a bearer token, before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ray_router.model import Confidence, Route, Scope
from ray_router.serve.endpoints import Arrival
from ray_router.serve.front import Front
from ray_router.serve.problems import documented
from ray_router.serve.wire import ReportBody, ReportResultBody, ResolutionBody

_BEARER = HTTPBearer(auto_error=False, description="One of the front's api_tokens.")
_MOST_FALLBACKS = 100

ScopeName = Literal["thread", "room", "instance", "channel"]
ConfidenceName = Literal["none", "stale", "provided", "inherited", "alternate", "observed", "confirmed"]
Call = Callable[[Request], Coroutine[Any, Any, Response]]


def api(front: Front) -> APIRouter:
    """The routes of a front's API."""

    class Guarded(APIRoute):
        """FastAPI reads a request's body before its dependencies are asked: the token is asked for here."""

        def get_route_handler(self) -> Call:
            inner = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                if not front.admits(Arrival(request.headers, b"", 0.0).bearer):
                    raise HTTPException(401, "needs a valid bearer token", {"WWW-Authenticate": "Bearer"})
                return await inner(request)

            return guarded

    routes = APIRouter(
        prefix="/v1",
        tags=["router"],
        route_class=Guarded,
        dependencies=[Depends(_BEARER)],  # for the OpenAPI document
        responses=documented(401, 422),
    )

    @routes.get("/resolve", summary="Where does a reply go?", responses=documented(503))
    async def resolve(
        key: Annotated[str, Query(description="channel:instance:room[:thread]", examples=["tg:bot:room"])],
        fallback: Annotated[
            list[str] | None,
            Query(description="Id of a room to fall back on; in order.", max_length=_MOST_FALLBACKS),
        ] = None,
        allow_stale: Annotated[bool, Query(description="A route past its TTL rather than none.")] = False,
        widest_scope: Annotated[ScopeName, Query(description="How far to look.")] = "room",
        min_confidence: Annotated[ConfidenceName, Query(description="Pass over what is less sure.")] = "none",
    ) -> ResolutionBody:
        """Where a reply to a session goes, and how sure that is. Its ``route`` is null on a miss."""
        answer = await front.router.resolve(
            key,
            [Route(room) for room in fallback or ()],
            allow_stale=allow_stale,
            widest_scope=_named(Scope, widest_scope),
            min_confidence=_named(Confidence, min_confidence),
        )
        return ResolutionBody.of(answer)

    @routes.post("/report", summary="What became of a message?", responses=documented(400, 413, 503))
    async def report(body: ReportBody) -> ReportResultBody:
        """Tell the router what became of a message that was sent along a route."""
        result = await front.router.report(
            body.key,
            body.route.route(),
            body.outcome(),
            at=body.at,
            moved_to=None if body.moved_to is None else body.moved_to.route(),
            retry_after_s=body.retry_after_s,
        )
        return ReportResultBody.of(result)

    @routes.get("/counts", summary="What did this replica receive and refuse?")
    async def counts() -> dict[str, int]:
        """How often what happened since the replica that answers was started."""
        return dict(sorted(front.counts.items()))

    return routes


def _named(vocabulary: type[IntEnum], name: str) -> Any:
    return vocabulary[name.upper()]
