"""Adaptive: LRU where sessions come back soon, S3-FIFO where most come once, and what lies between.

Two queues, as in S3-FIFO (Yang et al., SOSP 2023): newcomers, and proven sessions. What is changed is
taken from elsewhere:

* Newcomers stand in the order of their last use, so that a long queue of them is LRU.
* A newcomer is proven by a use that is not correlated with its coming: one after a tenth as many others
  came as the newcomers' queue may hold (the correlation window of Clock2Q+, Zhai et al., VLDB 2026; first
  in LRU-K, O'Neil et al., SIGMOD 1993). A message and the replies to it prove nothing.
* Proven sessions form a clock with two bits each: whoever was used since the hand last came by stays.
* The newcomers' share of the capacity, from one tenth to nine, follows the ghosts, as in ARC (Megiddo and
  Modha, FAST 2003): an evicted newcomer that comes back would have been kept by a greater share, an evicted
  proven session by a lesser one. As in S3-FIFO's own adaptive variant only those count that come back
  soon, within a tenth of the capacity's evictions: that is what one more place would be worth. A newcomer
  is proven by coming back, and so lost less; the other side weighs half as much again. The share moves
  once in so many evictions, and never far, since returns come in bursts.

Each constant may be halved or doubled without costing 0.3 points on any log or trace of the tests; what
keeps the share from moving far and what weighs the sides matter most.

95 B a session, and 18 B of ghosts for each place once there was an eviction. At most ``MOST_LOOKS``
sessions are given another chance in one eviction.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from sys import getsizeof

from ray_router.core.eviction.ghosts import Ghosts
from ray_router.core.eviction.lru import LeastRecentlyUsed
from ray_router.core.eviction.policy import MOST_LOOKS, EvictionPolicy

_LEAST_CAPACITY = 64  # below, too few come back to learn from, and LRU keeps more of the chat logs
_LEAST_SHARE, _FIRST_SHARE, _MOST_SHARE = 0.1, 0.5, 0.9
_WINDOW = 0.1  # of the newcomers' queue
_SOON = 0.1  # of the capacity
_WEIGHT = 1.5  # of a proven session's return, where a newcomer's is 1
_STEP, _MOST_STEP = 0.02, 0.05  # by how much the share moves for one return, and for any number of them
_MOST_USES = 3  # two bits
_PROVEN = -1
_TICKS = 1_000  # in which the capacity is counted: sessions that come within one share a number's memory


def adaptive(capacity: int) -> EvictionPolicy:
    """The adaptive policy, or LRU for a capacity of which it could make nothing."""
    return LeastRecentlyUsed(capacity) if capacity < _LEAST_CAPACITY else Adaptive(capacity)


class Adaptive:
    """The adaptive policy for ``capacity`` sessions."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._newcomers: OrderedDict[str, int] = OrderedDict()  # the tick in which each came, or _PROVEN
        self._proven: OrderedDict[str, int] = OrderedDict()  # uses since the hand came by
        self._soon = max(1, int(capacity * _SOON))
        self._once_newcomers = Ghosts(capacity)
        self._once_proven = Ghosts(self._soon)
        self._tick = max(1, capacity // _TICKS)  # newcomers
        self._came, self._now = 0, 0
        self._evictions = 0
        self._pull = 0.0  # returns since the share moved last: of newcomers, less those of proven sessions
        self._set_share(_FIRST_SHARE)

    def admit(self, key: str) -> None:
        evictions = self._once_newcomers.take(key)
        if evictions is not None:
            self._pull += evictions <= self._soon
            self._proven[key] = 0
            return
        if self._once_proven.take(key) is not None:
            self._pull -= _WEIGHT
        self._came += 1
        if self._came % self._tick == 0:
            self._now += 1
        self._newcomers[key] = self._now

    def touch(self, key: str) -> None:
        came = self._newcomers.get(key)
        if came is None:
            self._proven[key] = min(_MOST_USES, self._proven[key] + 1)
            return
        if came != _PROVEN and came <= self._now - self._window:
            self._newcomers[key] = _PROVEN
        self._newcomers.move_to_end(key)

    def touch_all(self, keys: Sequence[str]) -> None:
        newcomers, proven = self._newcomers, self._proven
        came = list(map(newcomers.get, keys))
        since = self._now - self._window
        if came.count(_PROVEN) == len(came) or (since < 0 and None not in came):  # nobody is to be proven
            deque(map(newcomers.move_to_end, keys), maxlen=0)
            return
        for key, tick in zip(keys, came, strict=True):
            if tick is None:
                if (uses := proven[key]) < _MOST_USES:
                    proven[key] = uses + 1
                continue
            if tick != _PROVEN and tick <= since:
                newcomers[key] = _PROVEN
            newcomers.move_to_end(key)

    def forget(self, key: str) -> None:
        del (self._newcomers if key in self._newcomers else self._proven)[key]

    def evict(self) -> str:
        self._evictions += 1
        if self._evictions % self._soon == 0:
            self._move_share()
        looks = MOST_LOOKS
        while True:
            if self._newcomers and len(self._proven) <= self._most_proven:
                key, came = self._newcomers.popitem(last=False)
                if came != _PROVEN or not looks:
                    self._once_newcomers.add(key)
                    return key
                self._proven[key] = 0
            else:
                key, uses = self._proven.popitem(last=False)
                if not uses or not looks:
                    self._once_proven.add(key)
                    return key
                self._proven[key] = uses - 1
            looks -= 1

    @property
    def ghosts(self) -> int:
        return self._once_newcomers.count() + self._once_proven.count()

    def __sizeof__(self) -> int:
        queues = (self._newcomers, self._proven)
        return sum(map(getsizeof, (*queues, self._once_newcomers, self._once_proven)))

    def _move_share(self) -> None:
        step = max(-_MOST_STEP, min(_MOST_STEP, _STEP * self._pull))
        self._pull = 0.0
        self._set_share(max(_LEAST_SHARE, min(_MOST_SHARE, self._share + step)))

    def _set_share(self, share: float) -> None:
        self._share = share
        self._most_proven = self._capacity * (1 - share)
        self._window = self._capacity * share * _WINDOW / self._tick  # ticks
