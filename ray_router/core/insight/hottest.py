"""``Hottest``: the names that come most often, in bounded memory.

Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data
streams", ICDT 2005), for weighted names: a name that is not counted takes the place of the one that was
counted least, together with its count, which is then the most by which it may be overcounted. Of all that
came, every name with more than one ``places``-th is there.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from typing import NamedTuple


class Hot(NamedTuple):
    """A name with how much came of it, of which at most ``over`` was others'."""

    name: str
    weight: float
    over: float


class Hottest:
    """Counts of at most ``places`` names.

    All counts are halved after each ``fades_at`` samples, so that what was hot long ago cools down.
    """

    def __init__(self, places: int = 128, fades_at: int = 1 << 16) -> None:
        self._places = places
        self._fades_at = fades_at
        self._counts: dict[str, float] = {}
        self._over: dict[str, float] = {}
        self._coolest: list[tuple[float, str]] = []  # each name once, with a count that it had
        self._samples = 0
        self.total = 0.0

    def add(self, name: str, weight: float) -> None:
        """A name came, for so many."""
        self.total += weight
        counted = self._counts.get(name)
        if counted is None:
            counted = self._over[name] = self._vacated()
            heappush(self._coolest, (counted + weight, name))
        self._counts[name] = counted + weight
        self._samples += 1
        if self._samples >= self._fades_at:
            self._fade()

    def top(self, most: int) -> tuple[Hot, ...]:
        """The hottest names, the hottest first, then by name."""
        ranked = sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))
        return tuple(Hot(name, count, self._over[name]) for name, count in ranked[:most])

    def _vacated(self) -> float:
        """Make room for a name, and return the count that it inherits."""
        if len(self._counts) < self._places:
            return 0.0
        while True:
            count, name = self._coolest[0]
            counted = self._counts[name]
            if counted == count:
                break
            heapreplace(self._coolest, (counted, name))  # it came again since
        heappop(self._coolest)
        del self._over[name]
        return self._counts.pop(name)

    def _fade(self) -> None:
        self._samples //= 2
        self.total /= 2
        self._counts = {name: count / 2 for name, count in self._counts.items()}
        self._over = {name: over / 2 for name, over in self._over.items()}
        self._coolest = [(count, name) for name, count in self._counts.items()]
        heapify(self._coolest)
