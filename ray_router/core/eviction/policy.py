"""``EvictionPolicy``: the small interface between the table and whatever decides who leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MOST_LOOKS = 128
"""Sessions that one ``evict`` passes over at most.

A policy that gives used sessions another chance may meet nothing but used ones, a million of them in a
row. After this many it takes the next whatever its merits: some 15 us at the worst. Over the logs and
traces of the tests no hit ratio moves by more than 0.2 points for it.
"""


class EvictionPolicy(Protocol):
    """The order in which live sessions would leave.

    It knows keys only, and decides nothing on its own: the table tells it of every session that comes to
    life, is used, or leaves, and asks it which to evict. Its state is bounded by the capacity with which
    it was made, that of all live sessions together; ghosts, if it keeps any, are of evicted sessions alone.
    """

    def admit(self, key: str) -> None:
        """A session came to life; there was room for it."""

    def touch(self, key: str) -> None:
        """A live session was used: it answered, or was observed anew.

        A request that resolves a session and writes it, in whatever order, uses it once: of a resolve and
        a write in a row only the first is told. Coming to life is a write.
        """

    def touch_all(self, keys: Sequence[str]) -> None:
        """``touch`` for many, in order."""

    def forget(self, key: str) -> None:
        """A live session left of itself: it went stale, or was deleted."""

    def evict(self) -> str:
        """Give up the session that is to make room; there is at least one."""

    @property
    def ghosts(self) -> int:
        """Evicted sessions that it remembers."""

    def __sizeof__(self) -> int:
        """Bytes that its queues and ghosts take, without the keys, which are the table's."""
