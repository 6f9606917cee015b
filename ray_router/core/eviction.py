"""Which live session goes when a partition is full: one small interface, and the policies behind it.

A policy knows keys only. The table tells it of every session that comes to life, is asked for, or
leaves, and asks it for a victim; it never decides on its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol


class EvictionPolicy(Protocol):
    """The order in which live sessions would leave."""

    def admit(self, key: str) -> None:
        """A session came to life."""

    def touch(self, key: str) -> None:
        """A live session answered, or was observed anew."""

    def forget(self, key: str) -> None:
        """A live session left, for whatever cause."""

    def victim(self) -> str:
        """The live session to leave next; it stays until it is forgotten."""


class LeastRecentlyUsed:
    """LRU: the session that nobody wrote or resolved for the longest time; exact at any capacity."""

    def __init__(self) -> None:
        self._order: OrderedDict[str, None] = OrderedDict()

    def admit(self, key: str) -> None:
        self._order[key] = None

    def touch(self, key: str) -> None:
        self._order.move_to_end(key)

    def forget(self, key: str) -> None:
        del self._order[key]

    def victim(self) -> str:
        return next(iter(self._order))


POLICIES: dict[str, Callable[[], EvictionPolicy]] = {"lru": LeastRecentlyUsed}
"""Policies by the name they have in a config."""
