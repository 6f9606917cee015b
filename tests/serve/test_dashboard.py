"""The live page as a part of the front: where it is wanted, and for whom."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from .platforms import BEARER
from .scene import scene


async def test_it_is_there_where_it_is_wanted(secrets: Path) -> None:
    """Behind the API's own tokens, and who has none is counted."""
    async with scene(secrets, dashboard=True) as here:
        answer = await here.http.get("/dashboard")
        assert (answer.status_code, answer.headers["location"]) == (307, "http://front/dashboard/")
        page = await here.http.get("/dashboard/")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert (await here.http.get("/dashboard/static/page.js")).status_code == 200
        assert (await here.http.get("/dashboard/api/state")).status_code == 401
        assert here.count("refused.api_token") == 1
        state = (await here.http.get("/dashboard/api/state", headers=BEARER)).json()
        assert state["router"]["name"] == here.router.config.name
        asked = await here.http.post("/dashboard/api/explain", json={"key": "a:b:c"}, headers=BEARER)
        assert asked.json()["outcome"] == "explained"


async def test_it_is_not_there_unless_it_is_asked_for(secrets: Path) -> None:
    """Not even for whoever has a token."""
    async with scene(secrets) as here:
        assert (await here.http.get("/dashboard/", headers=BEARER)).status_code == 404


async def test_without_tokens_it_shows_nothing(secrets: Path) -> None:
    """Not with an empty one either."""
    async with scene(secrets, dashboard=True, api_tokens=[]) as here:
        for shown in ("Bearer", "Bearer ", "Bearer api-token"):
            answer = await here.http.get("/dashboard/api/state", headers={"Authorization": shown})
            assert answer.status_code == 401
