"""What the page is sent: what changed between two looks, and what is left of a partition that is silent."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

from ray_router import RouterHandle
from ray_router.dashboard import dashboard_app
from ray_router.testing import ManualClock
from ray_router.transport import PartitionBroken, Settled

from .scene import Scene


class Watched:
    """A scene whose clock is ours, and the page's questions to it."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.scene = Scene(self.clock, **settings)

    async def look(self, after_s: float = 1.0, since: float | str = 0) -> Any:
        """What the page is sent a while later."""
        self.clock.advance(after_s)
        async with self.scene.client() as http:
            answer = await http.get("/api/state", params={"since": since})
        assert answer.status_code == 200
        return answer.json()
