"""When things fall due: a calendar queue (Brown, CACM 31(10), 1988) of one-second days.

Items of a day lie in a dict, so that each can be moved or taken out at once; days are ordered by a heap,
which is built anew when most of its days were emptied, so that nothing is left behind. Taking what is
due costs what is due. A day is due when it is over, so an item may be taken up to a second late, never
early: what a session *is* at a moment is always computed from its state, not from where it lies here.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import floor, inf
from typing import Generic, TypeVar

DAY_S = 1.0
NEVER = None
_SLACK = 64  # emptied days that may stay in the heap, however few days there are

Item = TypeVar("Item", bound="str | int")


class Calendar(Generic[Item]):
    """Items, each on one day or none. A day is a whole number of ``DAY_S`` since 1970; None is never."""

    def __init__(self) -> None:
        self._days: dict[int, dict[Item, None]] = {}
        self._order: list[int] = []

    @staticmethod
    def day_of(due_at: float) -> int | None:
        """The day on which something due at ``due_at`` (epoch seconds) lies."""
        return NEVER if due_at == inf else floor(due_at / DAY_S)

    def add(self, item: Item, day: int | None) -> None:
        """Put an item on a day; it must lie on none."""
        if day is NEVER:
            return
        items = self._days.get(day)
        if items is None:
            items = self._days[day] = {}
            heappush(self._order, day)
        items[item] = None

    def discard(self, item: Item, day: int | None) -> None:
        """Take an item off the day it lies on, unless it was taken when it was due."""
        if day is NEVER or day not in self._days:
            return
        items = self._days[day]
        items.pop(item, None)
        if not items:
            del self._days[day]
            if len(self._order) > 2 * len(self._days) + _SLACK:
                self._order = sorted(self._days)  # a sorted list is a heap

    def take_due(self, now: float) -> Item | None:
        """Take one item that is due, the earliest day first; None when nothing is."""
        while self._order and (self._order[0] + 1) * DAY_S <= now:
            items = self._days.get(self._order[0])
            if items:
                item, _ = items.popitem()
                if not items:
                    del self._days[heappop(self._order)]
                return item
            heappop(self._order)
        return None
