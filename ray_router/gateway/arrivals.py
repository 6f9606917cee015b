"""``Arrivals``: lets calls in as each caller made them, over a runtime that mixes them up.

Calls to one Ray asyncio actor may begin in any order (measured on Ray 2.60: of 300 concurrent calls with
payloads of mixed size, about 200 were out of place). So a call says which of its caller's calls it must
come after, if that one was unanswered when it was made, and waits until that one is in. A predecessor that
never comes, because it was lost on the way, is waited for only so long.
"""

from __future__ import annotations

import asyncio

from cachetools import LRUCache

CallId = tuple[str, int]
"""Caller and number."""


class Arrivals:
    """Which calls are in, for one event loop.

    Args:
        remembered: calls remembered at most.
        patience_s: seconds to wait for a predecessor.
    """

    def __init__(self, remembered: int, patience_s: float) -> None:
        self._patience_s = patience_s
        self._arrived: LRUCache[CallId, None] = LRUCache(remembered)
        self._awaited: dict[CallId, asyncio.Future[None]] = {}

    async def come_in(self, call: CallId, after: CallId | None) -> None:
        """Return when it is this call's turn.

        Whoever waits for it comes in at a later turn of the loop, when this one has got to its first wait.
        """
        if after is not None and after not in self._arrived:
            await self._wait_for(after)
        self._arrived[call] = None
        awaited = self._awaited.pop(call, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    async def _wait_for(self, call: CallId) -> None:
        arrival = self._awaited[call] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait({arrival}, timeout=self._patience_s)
        finally:
            self._awaited.pop(call, None)
