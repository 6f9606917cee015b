"""When things fall due: a calendar queue (Brown, CACM 31(10), 1988) of one-second days.

Each day is a list of what is due on it, last in first out; days are ordered by heaps. Nothing is taken
out when it is moved to another day: whoever lists an item knows where it really lies, and passes over a
listing that no longer holds. Listings that do not hold are swept away a few at a time once they are the
half, so 9 B an item is all that it takes. Taking what is due costs what is due.

A day is *reached* when it begins, and *due* when it is over, so an item may be taken up to a second late,
never early: what a session *is* at a moment is always computed from its state, not from where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import floor, inf
from sys import getsizeof
from typing import Generic, TypeVar

DAY_S = 1.0
NEVER = None
_SLACK = 256  # listings that may be there in vain, however few hold
_DAY_BYTES, _LISTING_BYTES = 130, 9  # a list and a number, twice; a pointer, in a list that may grow
_SWEPT_AT_ONCE = 16  # listings looked at for each one added, once half of them are in vain

Item = TypeVar("Item", bound="str | int")


class Calendar(Generic[Item]):
    """Items, listed on days. A day is a whole number of ``DAY_S`` since 1970; None is never.

    ``reached_until`` is the last day that was reached, -inf before any was.

    Args:
        holds: whether an item really lies on a day.
    """

    def __init__(self, holds: Callable[[Item, int], bool]) -> None:
        self._holds = holds
        self._days: dict[int, list[Item]] = {}
        self._ahead: list[int] = []
        self._reached: list[int] = []
        self.reached_until: float = -inf
        self._listings = 0
        self._sweep: Iterator[None] | None = None

    def __len__(self) -> int:
        return self._listings

    def __sizeof__(self) -> int:
        """What days and listings take, without the items; estimated, since there may be many days."""
        return getsizeof(self._days) + _DAY_BYTES * len(self._days) + _LISTING_BYTES * self._listings

    @staticmethod
    def day_of(due_at: float) -> int | None:
        """The day on which something due at ``due_at`` (epoch seconds) lies."""
        return NEVER if due_at == inf else floor(due_at / DAY_S)

    def add(self, item: Item, day: int | None, items: int) -> None:
        """List an item on a day. ``items``: how many there are in all, wherever they lie."""
        if day is NEVER:
            return
        listed = self._days.get(day)
        if listed is None:
            listed = self._days[day] = []
            heappush(self._reached if day <= self.reached_until else self._ahead, day)
        listed.append(item)
        self._listings += 1
        if self._listings > 2 * items + _SLACK:
            self._sweep_some()

    def reach(self, now: float) -> list[Item]:
        """Reach one day that has begun by ``now``, the earliest; what is listed on it."""
        while self._ahead and self._ahead[0] * DAY_S <= now:
            day = heappop(self._ahead)
            self.reached_until = max(self.reached_until, day)
            if day in self._days:
                heappush(self._reached, day)
                return list(self._days[day])
        return []

    def reach_all(self, now: float) -> int:
        """Reach the day of ``now``, when all that began before it are: what is added to it is reached too."""
        today = floor(now / DAY_S)
        self.reached_until = max(self.reached_until, today)
        return today

    def all_reached(self, now: float) -> bool:
        """Whether every day that has begun by ``now`` was reached."""
        return not self._ahead or self._ahead[0] * DAY_S > now

    def take_due(self, now: float) -> Item | None:
        """Take one item that is due, the earliest day first; None when nothing is."""
        while True:
            heap = self._earliest()
            if not heap or (heap[0] + 1) * DAY_S > now:
                return None
            day = heap[0]
            listed = self._days.get(day)
            while listed:
                item = listed.pop()
                self._listings -= 1
                if self._holds(item, day):
                    return item
            self._days.pop(day, None)
            heappop(heap)

    def _earliest(self) -> list[int]:
        if not self._reached or (self._ahead and self._ahead[0] < self._reached[0]):
            return self._ahead
        return self._reached

    def _sweep_some(self) -> None:
        """Look at a few listings, and drop those that do not hold, or stand twice."""
        if self._sweep is None:
            self._sweep = self._sweeping()
        next(self._sweep)

    def _sweeping(self) -> Iterator[None]:
        looks = 0
        while True:
            for day in list(self._days):
                listed = self._days.get(day)
                end = len(listed) if listed else 0
                while listed and end > 0:
                    first = max(0, end - _SWEPT_AT_ONCE)
                    some = listed[first:end]
                    holding = dict.fromkeys(item for item in reversed(some) if self._holds(item, day))
                    listed[first:end] = list(holding)[::-1]
                    self._listings -= len(some) - len(holding)
                    looks += len(some)
                    end = first
                    if looks >= _SWEPT_AT_ONCE:
                        looks = 0
                        yield
                        end = min(end, len(listed))
                if listed is not None and not listed:
                    self._days.pop(day, None)
            self._forget_days()
            yield

    def _forget_days(self) -> None:
        """Days on which nothing is listed any more leave the heaps."""
        for heap in (self._ahead, self._reached):
            if len(heap) > 2 * len(self._days) + _SLACK:
                heap[:] = sorted({day for day in heap if day in self._days})  # a sorted list is a heap
