"""``/v1`` over HTTP: for whoever has a token, and what is said when something is wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.model import Confidence, Route
from ray_router.testing import FaultyTransport
from ray_router.transport import LocalTransport

from .platforms import BEARER
from .scene import Scene, scene

KEY = "telegram:bot:room"
REPORT: dict[str, Any] = {"key": KEY, "route": {"external_room_id": "-100"}, "delivery": "delivered"}


async def resolve(here: Scene, **params: Any) -> Any:
    """The answer of ``/v1/resolve``, with its status."""
    answer = await here.http.get("/v1/resolve", params={"key": KEY, **params}, headers=BEARER)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("path", ["/v1/resolve?key=a:b:c", "/v1/report", "/v1/counts"])
@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer guess", "Basic YXBpLXRva2Vu", "Bearer api-token2"]
)
async def test_a_token_is_needed(here: Scene, path: str, token: str | None) -> None:
    """And asked for before the body is looked at."""
    headers = {} if token is None else {"Authorization": token}
    method = "POST" if path.endswith("report") else "GET"
    answer = await here.http.request(method, path, headers=headers, content=b"{ not JSON")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_without_tokens_nobody_is_let_in(secrets: Path) -> None:
    """Not even with an empty one."""
    async with scene(secrets, api_tokens=[]) as here:
        for headers in ({}, {"Authorization": "Bearer "}, BEARER):
            assert (await here.http.get("/v1/counts", headers=headers)).status_code == 401


async def test_resolve(here: Scene) -> None:
    """The whole resolution, in JSON: what never expires is null."""
    await here.router.set(KEY, Route("-100", metadata={"lang": "de"}))
    status, answer = await resolve(here)
    assert status == 200
    assert answer["route"] == {
        "external_room_id": "-100",
        "external_thread_id": None,
        "channel": None,
        "instance": None,
        "metadata": {"lang": "de"},
    }
    assert (answer["key"], answer["source"], answer["confidence"]) == (KEY, "exact", "observed")
    assert (answer["matched_scope"], answer["stale"], answer["fallback"]) == ("room", False, False)
    assert answer["expires_in_s"] is None
    assert answer["age_s"] >= 0


async def test_the_ladder_over_http(here: Scene) -> None:
    """Fallbacks in order, a widest scope, a minimum of confidence."""
    assert (await resolve(here))[1]["reason"] == "miss"
    _, answer = await resolve(here, fallback=["one", "two"])
    assert (answer["route"]["external_room_id"], answer["source"]) == ("one", "provided")
    _, answer = await resolve(here, fallback=["one"], min_confidence="observed")
    assert (answer["route"], answer["reason"]) == (None, "low_confidence")
    await here.router.set("telegram:bot:*", Route("lobby"))
    _, answer = await resolve(here, widest_scope="instance")
    assert answer["route"]["external_room_id"] == "lobby"


async def test_report(here: Scene) -> None:
    """A delivery confirms the route, a permanent failure holds it back."""
    await here.router.set(KEY, Route("-100"))
    answer = await here.http.post("/v1/report", json=REPORT, headers=BEARER)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    assert (await here.router.resolve(KEY)).confidence is Confidence.CONFIRMED
    moved = REPORT | {"delivery": "moved", "moved_to": {"external_room_id": "-200", "metadata": {"a": "b"}}}
    assert (await here.http.post("/v1/report", json=moved, headers=BEARER)).status_code == 200
    assert (await here.router.resolve(KEY)).require() == Route("-200", metadata={"a": "b"})


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"key": "a:b"}, "key"),
        ({"key": ""}, "key"),
        ({"key": "a:b:%zz"}, "room"),
        ({"key": "a:b:" + "x" * 600}, "room"),
        ({"fallback": [""]}, "external_room_id"),
        ({"fallback": ["x"] * 33}, "fallbacks"),
        ({"fallback": ["x"] * 101}, "fallback"),
        ({"widest_scope": "world"}, "widest_scope"),
        ({"min_confidence": "high"}, "min_confidence"),
        ({"allow_stale": "perhaps"}, "allow_stale"),
    ],
)
async def test_what_resolve_refuses(here: Scene, params: Any, field: str) -> None:
    """The field is named."""
    status, answer = await resolve(here, **params)
    assert (status, answer["error"], answer["field"]) == (422, "invalid", field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": "a"}, "key"),
        ({"key": 3}, "key"),
        ({"route": {}}, "route.external_room_id"),
        ({"route": {"external_room_id": ""}}, "route.external_room_id"),
        ({"route": {"external_room_id": "x", "odd": 1}}, "route.odd"),
        ({"delivery": "lost"}, "delivery"),
        ({"delivery": "moved"}, "moved_to"),
        ({"at": math.nan}, "at"),
        ({"at": math.inf}, "at"),
        ({"at": "soon"}, "at"),
        ({"retry_after_s": -1.0}, "retry_after_s"),
        ({"odd": 1}, "odd"),
    ],
)
async def test_what_report_refuses(here: Scene, changes: Any, field: str) -> None:
    """The field is named, whatever JSON may hold."""
    import json

    content = json.dumps(REPORT | changes)
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = await here.http.post("/v1/report", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid"), answer.text
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"at": ' + b"9" * 5_000 + b"}",
        b"null",
        b'{"key": "\\ud800", "route": {"external_room_id": "\\ud800"}, "delivery": "delivered"}',
        b'{"key": "a:b:c", "route": {"external_room_id": "x", "\\ud800": "x"}, "delivery": "delivered"}',
        b'{"key": "a:b:c", "route": {"external_room_id": "\\u0000"}, "delivery": "delivered"}',
    ],
)
async def test_broken_reports(here: Scene, content: bytes) -> None:
    """Whatever a client sends gets an answer that is no server's error."""
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = await here.http.post("/v1/report", content=content, headers=headers)
    assert answer.status_code in (200, 400, 422), answer.text
    assert answer.json()


async def test_a_router_that_is_down(secrets: Path) -> None:
    """503, with when to try again; a fallback is an answer all the same."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, call_timeout_s=0.05)))
    async with scene(secrets, router=RouterHandle(transport)) as here:
        assert (await resolve(here))[0] == 200
        transport.kill(0)
        status, answer = await resolve(here)
        assert (status, answer["error"]) == (503, "unavailable")
        answer = await here.http.post("/v1/report", json=REPORT, headers=BEARER)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        status, answer = await resolve(here, fallback=["one"])
        assert (status, answer["route"]["external_room_id"], answer["reason"]) == (200, "one", "unavailable")


async def test_readiness_tells_of_the_router(secrets: Path) -> None:
    """And is ready whatever it is told; the router is asked now and then, not each time."""
    config = RouterConfig(partitions=2, call_timeout_s=0.05)
    transport = FaultyTransport(LocalTransport(config))
    async with scene(secrets, router=RouterHandle(transport)) as here:
        states = []
        for dead in ((), (0,), (0, 1)):
            for partition in dead:
                transport.kill(partition)
            here.front._state_until = -1.0
            states.append((await here.http.get("/readyz")).json())
        assert states == [{"ready": True, "router": state} for state in ("up", "degraded", "down")]
        asked = sum(transport.asked.values())
        assert (await here.http.get("/readyz")).status_code == 200
        assert sum(transport.asked.values()) == asked


async def test_health_and_documentation(here: Scene) -> None:
    """Open to all: a sign of life, the OpenAPI document, and a page for people."""
    assert (await here.http.get("/healthz")).json() == {"status": "ok"}
    document = (await here.http.get("/openapi.json")).json()
    assert {"/v1/resolve", "/v1/report", "/webhooks/{channel}/{instance}", "/healthz", "/readyz"} <= set(
        document["paths"]
    )
    assert "HTTPBearer" in str(document["paths"]["/v1/resolve"]["get"]["security"])
    assert (await here.http.get("/docs")).headers["content-type"].startswith("text/html")


async def test_no_such_page(here: Scene) -> None:
    """Also said in JSON."""
    answer = await here.http.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    answer = await here.http.delete("/v1/resolve")
    assert (answer.status_code, answer.json()["error"]) == (405, "not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_counts(here: Scene) -> None:
    """Of what this replica did."""
    await here.http.get("/v1/counts")
    answer = await here.http.get("/v1/counts", headers=BEARER)
    assert answer.json() == {"refused.api_token": 1}
