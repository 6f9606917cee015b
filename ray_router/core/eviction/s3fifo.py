"""S3-FIFO: a small queue for newcomers, a main queue for those that were used in it, and a ghost queue.

Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you need for cache eviction" (SOSP 2023), in the form
that libCacheSim has given it since: a tenth of the capacity for newcomers, two uses there to move on,
ghosts for nine tenths, and newcomers in the main queue while it fills for the first time. Who came once is
gone after a tenth of the time that LRU would keep it: good where most sessions come once, bad for chats
that pause for some minutes.

95 B a session and 16 B a ghost; a use moves nothing. At most ``MOST_LOOKS`` sessions are given another
chance in one eviction, where the original has no such bound.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from sys import getsizeof

from ray_router.core.eviction.ghosts import Ghosts
from ray_router.core.eviction.policy import MOST_LOOKS

_USES_TO_MOVE_ON = 2
_MOST_USES = 3  # two bits


class S3Fifo:
    """S3-FIFO for ``capacity`` sessions."""

    def __init__(self, capacity: int) -> None:
        self._small: OrderedDict[str, int] = OrderedDict()  # uses of each session
        self._main: OrderedDict[str, int] = OrderedDict()
        self._most_small = max(1, capacity // 10)
        self._most_main = capacity - self._most_small
        self._ghosts = Ghosts(max(1, self._most_main))
        self._filling = True

    def admit(self, key: str) -> None:
        known = self._ghosts.take(key) is not None
        if known or (self._filling and len(self._small) >= self._most_small):
            self._main[key] = 0
        else:
            self._small[key] = 0

    def touch(self, key: str) -> None:
        queue = self._small if key in self._small else self._main
        queue[key] = min(_MOST_USES, queue[key] + 1)

    def touch_all(self, keys: Sequence[str]) -> None:
        small, main = self._small, self._main
        for key in keys:
            queue = small if key in small else main
            if (uses := queue[key]) < _MOST_USES:
                queue[key] = uses + 1

    def forget(self, key: str) -> None:
        del (self._small if key in self._small else self._main)[key]

    def evict(self) -> str:
        self._filling = False
        looks = MOST_LOOKS
        if len(self._main) <= self._most_main:
            while self._small:
                key, uses = self._small.popitem(last=False)
                if uses < _USES_TO_MOVE_ON or not looks:
                    self._ghosts.add(key)
                    return key
                self._main[key] = 0
                looks -= 1
        while True:
            key, uses = self._main.popitem(last=False)
            if not uses or not looks:
                return key
            self._main[key] = uses - 1
            looks -= 1

    @property
    def ghosts(self) -> int:
        return self._ghosts.count()

    def __sizeof__(self) -> int:
        return sum(map(getsizeof, (self._small, self._main, self._ghosts)))
