"""Published keys: fetched when they are needed, not more often than that, and kept when they cannot be."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from channels.samples import TEAMS

from ray_router.serve.endpoints.keys import Keys
from ray_router.testing import ManualClock

from .platforms import AUDIENCE, INSTANCE, published, teams
from .scene import scene


class Publisher:
    """Publishes keys over HTTP."""

    def __init__(self) -> None:
        self.content = json.dumps(published("one")).encode()
        self.status = 200
        self.asked = 0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                self.send_response(publisher.status)
                self.end_headers()
                self.wfile.write(publisher.content)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"

    def close(self) -> None:
        """It is there no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Publishes the key ``one``."""
    made = Publisher()
    yield made
    made.close()


async def test_keys_are_fetched_once(publisher: Publisher) -> None:
    """However many want them at once, and however many wait."""
    keys = Keys({}, publisher.url, ManualClock())
    found = await asyncio.gather(*(keys.find("one") for _ in range(20)))
    assert all(found)
    assert await keys.find("one") is not None
    assert publisher.asked == 1


async def test_a_new_key(publisher: Publisher) -> None:
    """An unknown id has them fetched again, but not at once: made-up ids are cheap for whoever makes them."""
    clock = ManualClock()
    keys = Keys({}, publisher.url, clock)
    assert await keys.find("one") is not None
    publisher.content = json.dumps(published("two")).encode()
    for number in range(50):
        assert await keys.find(f"made up {number}") is None
    assert publisher.asked == 1
    clock.advance(30)
    assert await keys.find("two") is not None
    assert await keys.find("one") is None  # withdrawn
    assert publisher.asked == 2


async def test_they_are_fetched_again_every_hour(publisher: Publisher) -> None:
    """So that a key that is withdrawn counts no more."""
    clock = ManualClock()
    keys = Keys({}, publisher.url, clock)
    assert await keys.find("one") is not None
    publisher.content = json.dumps(published("two")).encode()
    clock.advance(3_599)
    assert await keys.find("one") is not None
    clock.advance(1)
    assert await keys.find("one") is None


@pytest.mark.parametrize(
    ("status", "content"), [(500, b""), (200, b"<html>"), (200, b"[" * 100_000), (200, b"{}")]
)
async def test_those_of_before_go_on_counting(publisher: Publisher, status: int, content: bytes) -> None:
    """While they cannot be fetched."""
    clock = ManualClock()
    keys = Keys({}, publisher.url, clock)
    assert await keys.find("one") is not None
    publisher.status, publisher.content = status, content
    clock.advance(3_600)
    assert await keys.find("one") is not None
    assert publisher.asked == 2
    assert await keys.find("one") is not None
    assert publisher.asked == 2


async def test_nobody_publishes_any(caplog: pytest.LogCaptureFixture) -> None:
    """There is no key then, and no error."""
    publisher = Publisher()
    publisher.close()
    assert await Keys({}, publisher.url).find("one") is None
    assert "could not be fetched" in caplog.text


async def test_tokens_of_a_published_key(publisher: Publisher, secrets: Path) -> None:
    """What is configured by its URL is what tokens are checked by."""
    webhooks = {"teams": {INSTANCE: {"audience": AUDIENCE["teams"], "keys_url": publisher.url}}}
    async with scene(secrets, webhooks=webhooks) as here:
        assert (await here.post("teams", teams(TEAMS, key_id="one"))).status_code == 200
        assert (await here.post("teams", teams(TEAMS, key_id="two"))).status_code == 401
        assert (await here.post("teams", teams(TEAMS, key_id="one", signed_with="two"))).status_code == 401
