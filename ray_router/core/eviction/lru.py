"""LRU: the session that nobody wrote or resolved for the longest time leaves first.

Exact at any capacity. 91 B a session (an ``OrderedDict``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from sys import getsizeof


class LeastRecentlyUsed:
    """LRU; the capacity makes no difference to it."""

    ghosts = 0

    def __init__(self, capacity: int) -> None:
        self._order: OrderedDict[str, None] = OrderedDict()

    def admit(self, key: str) -> None:
        self._order[key] = None

    def touch(self, key: str) -> None:
        self._order.move_to_end(key)

    def touch_all(self, keys: Sequence[str]) -> None:
        move_to_end = self._order.move_to_end
        for key in keys:
            move_to_end(key)

    def forget(self, key: str) -> None:
        del self._order[key]

    def evict(self) -> str:
        return self._order.popitem(last=False)[0]

    def __sizeof__(self) -> int:
        return getsizeof(self._order)
