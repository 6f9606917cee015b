"""SIEVE: one queue, and a hand that walks it from the oldest session to the newest and round again.

Zhang, Yang, Yue, Vigfusson, Rashmi, "SIEVE is simpler than LRU" (NSDI 2024). The hand passes over sessions
that were used since it last came by, which stay where they are, and evicts the first that was not. The
queue is kept as its two sides of the hand, so that passing over is a move from the front of one to the end
of the other, and nothing needs to be found in the middle.

91 B a session; a use moves nothing. At most ``MOST_LOOKS`` sessions are passed over in one eviction, where
the original has no such bound.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from sys import getsizeof

from ray_router.core.eviction.policy import MOST_LOOKS


class Sieve:
    """SIEVE; the capacity makes no difference to it."""

    ghosts = 0

    def __init__(self, capacity: int) -> None:
        self._ahead: OrderedDict[str, bool] = OrderedDict()  # from the hand to the newest: whether used
        self._passed: OrderedDict[str, bool] = OrderedDict()  # from the oldest to the hand

    def admit(self, key: str) -> None:
        self._come_round()
        self._ahead[key] = False

    def touch(self, key: str) -> None:
        (self._ahead if key in self._ahead else self._passed)[key] = True

    def touch_all(self, keys: Sequence[str]) -> None:
        ahead, passed = self._ahead, self._passed
        for key in keys:
            (ahead if key in ahead else passed)[key] = True

    def forget(self, key: str) -> None:
        del (self._ahead if key in self._ahead else self._passed)[key]

    def evict(self) -> str:
        for _ in range(MOST_LOOKS):
            self._come_round()
            key, used = self._ahead.popitem(last=False)
            if not used:
                return key
            self._passed[key] = False
        self._come_round()
        return self._ahead.popitem(last=False)[0]

    def __sizeof__(self) -> int:
        return getsizeof(self._ahead) + getsizeof(self._passed)

    def _come_round(self) -> None:
        """Past the newest, the hand is at the oldest."""
        if not self._ahead:
            self._ahead, self._passed = self._passed, self._ahead
