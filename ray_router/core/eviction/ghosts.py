"""Ghosts: which keys were evicted of late, and how long ago."""

from __future__ import annotations

from array import array
from sys import getsizeof

from ray_router.core.slots import key_hash

_WAYS = 8
_FILLED = 4  # of eight on average: one in twenty of the oldest ghosts finds no place any more
_TIME = 0xFFFF_FFFF
_COUNTED = 64  # buckets at least, to tell how many ghosts there are


class Ghosts:
    """The last ``bound`` keys that were added, and when, counted in additions.

    A table of buckets as in S3-FIFO (Yang et al., SOSP 2023, section 4.2): half of a key's 64-bit hash and
    the time of its addition are one word, and a bucket is a queue of eight. Up to a bound of 8 it is exact;
    beyond, a full bucket forgets its oldest ghost before its time, which happens to one in fifty.

    16 B a ghost, none of which the garbage collector visits. They are taken for all at the first addition:
    by then there are as many sessions.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._buckets = -(-bound // _FILLED) if bound > _WAYS else 1
        self._words = array("Q")
        self._additions = 0

    def __sizeof__(self) -> int:
        """Bytes, which are the same however many are remembered."""
        return getsizeof(self._words)

    def count(self) -> int:
        """How many are remembered; beyond 127 buckets, by every second, third or so on of them."""
        if not self._words:
            return 0
        counted = range(0, self._buckets, max(1, self._buckets // _COUNTED))
        words = (word for bucket in counted for word in self._words[bucket * _WAYS : (bucket + 1) * _WAYS])
        found = sum(bool(word) and self._age(word) <= self._bound for word in words)
        return found * self._buckets // len(counted)

    def add(self, key: str) -> None:
        """Remember a key that is not remembered."""
        if not self._words:
            self._words = array("Q", [0]) * (self._buckets * _WAYS)
        self._additions += 1
        hashed = key_hash(key)
        first = hashed % self._buckets * _WAYS
        bucket = self._words[first : first + _WAYS - 1]
        bucket.insert(0, hashed & ~_TIME | self._additions & _TIME)
        self._words[first : first + _WAYS] = bucket

    def take(self, key: str) -> int | None:
        """Forget a key, and say how many were added since it, itself included; None: it is not known."""
        if not self._words:
            return None
        hashed = key_hash(key)
        first = hashed % self._buckets * _WAYS
        for place, word in enumerate(self._words[first : first + _WAYS], first):
            if word and (word ^ hashed) <= _TIME:
                self._words[place] = 0
                age = self._age(word)
                return age if age <= self._bound else None
        return None

    def _age(self, word: int) -> int:
        """How many were added since a word was, itself included."""
        return (self._additions - word + 1) & _TIME
