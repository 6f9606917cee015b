"""Whatever the OpenAPI document allows, and a good deal more, gets an answer that the document describes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

import httpx
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ray_router.config import RouterConfig
from ray_router.serve import Front, FrontSettings, create_app
from ray_router.testing import local_router, wait_until

from .platforms import BEARER, PLATFORMS, front_settings

OPEN = "open"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MANY = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ANYBODY = itertools.cycle(["nobody", *PLATFORMS])


class Served(NamedTuple):
    """A front that a web server has, and where."""

    front: Front
    url: str


@pytest.fixture(scope="module")
def served(secrets: Path) -> Iterator[Served]:
    """A front under uvicorn, which is the server of Ray Serve; each platform has an open bot too."""
    raw = front_settings(secrets)
    for instances in raw["webhooks"].values():
        instances[OPEN] = {"open": True}
    front = Front(FrontSettings.build(**raw), local_router(RouterConfig(ttl_s=None)))
    server = uvicorn.Server(uvicorn.Config(create_app(front), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(front, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()


@pytest.fixture
def document(served: Served) -> Any:
    """The OpenAPI document, as it is served."""
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


def attempt(document: Any, call: Callable[[Any], object]) -> int:
    """Make calls of every operation of a document, as it allows them and as it does not; how many."""
    calls = 0
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for found in document.get_all_operations():

            @MANY
            @given(case=found.ok().as_strategy(generation_mode=mode))
            def made_up(case: Any) -> None:
                nonlocal calls
                calls += 1
                call(case)

            with suppress(Unsatisfiable):  # where there is nothing that would not be allowed
                made_up()
    return calls


def test_a_stranger(document: Any) -> None:
    """Who has no token and no secret."""
    assert attempt(document, lambda case: case.call_and_validate(checks=CHECKS)) > 300


def test_whoever_has_a_token(document: Any) -> None:
    """May send whatever they like."""
    api = document.include(path_regex="^/v1/")
    assert attempt(api, lambda case: case.call_and_validate(checks=CHECKS, headers=BEARER)) > 100


def test_an_open_webhook(document: Any) -> None:
    """What is let in unchecked is read, whatever it is."""

    def call(case: Any) -> None:
        case.path_parameters = {"channel": next(ANYBODY), "instance": OPEN}
        case.call_and_validate(checks=CHECKS)

    assert attempt(document.include(path="/webhooks/{channel}/{instance}", method="POST"), call) > 40


def test_nothing_was_stored(served: Served) -> None:
    """By a stranger's, by what is broken, by a caller without a token, and whatever was made up before."""
    httpx.post(f"{served.url}/webhooks/slack/nobody", json={})
    httpx.post(f"{served.url}/webhooks/telegram/{OPEN}", content=b"broken")
    httpx.get(f"{served.url}/v1/resolve", params={"key": "a:b:c"})
    assert served.front.router.stats().result().holdings.entries == 0
    counts = served.front.counts
    assert counts["refused.unknown"] > 0
    assert counts["broken"] > 0
    assert counts["refused.api_token"] > 0
