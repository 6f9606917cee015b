"""``RouterLevel``: the router's own pressure level, as far as it is known; asking never holds anybody up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from math import inf

from ray_router.errors import RouterError
from ray_router.handle import RouterHandle
from ray_router.model import PressureLevel

_log = logging.getLogger(__name__)


class RouterLevel:
    """Remembers the last answer, and asks again when it is read after ``every_s`` seconds.

    Args:
        every_s: None never asks, and the level stays NORMAL.
        clock: monotonic seconds.
    """

    def __init__(self, router: RouterHandle, every_s: float | None, clock: Callable[[], float]) -> None:
        self._router = router
        self._every_s = inf if every_s is None else every_s
        self._clock = clock
        self._asked_at = -inf if every_s is not None else inf
        self._level = PressureLevel.NORMAL
        self._asking: asyncio.Task[None] | None = None

    @property
    def known(self) -> PressureLevel:
        """The level last heard of; NORMAL when the router did not answer."""
        return self._level

    def read(self) -> PressureLevel:
        """The level last heard of; asks for the next one in the background, in a running event loop."""
        now = self._clock()
        if self._asking is None and now - self._asked_at >= self._every_s:
            self._asked_at = now
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        return self._level

    async def aclose(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _ask(self) -> None:
        try:
            self._level = (await self._router.stats()).level
        except RouterError as error:
            self._level = PressureLevel.NORMAL  # not known is no reason to refuse
            _log.debug("the router's pressure level is not known: %s", error)
        finally:
            self._asking = None
