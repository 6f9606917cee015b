"""``Scale``: positive numbers in classes of equal ratio: seconds and years fit into one small table."""

from __future__ import annotations

from bisect import bisect_left
from math import log2


class Scale:
    """Class 0 is (0, 1]; each further one is (a, a * 2**(1 / per_doubling)], and the last takes the rest.

    With eight to a doubling a class is nine per cent wide, and a curve read off class totals with a straight
    line within a class is off by hundredths of a point where it climbs by five points a doubling.
    """

    def __init__(self, per_doubling: int, doublings: int) -> None:
        self.classes = per_doubling * doublings + 1
        self._per_doubling = per_doubling
        self._ends: list[float] = [2.0 ** (number / per_doubling) for number in range(self.classes)]

    def class_of(self, value: float) -> int:
        """The class of a number; one of 0 or less is in the first."""
        return min(self.classes - 1, bisect_left(self._ends, value))

    def share_below(self, value: float, number: int) -> float:
        """Which share of a class lies at or below ``value``, 0 to 1, if it is spread evenly on the scale."""
        if number == 0:
            return min(1.0, max(0.0, value))
        if value >= self._ends[number]:
            return 1.0
        if value <= self._ends[number - 1]:
            return 0.0
        return log2(value) * self._per_doubling - (number - 1)

    def upper_end(self, number: int) -> float:
        """The greatest number of a class; of the last, where it would end if it were like the others."""
        return self._ends[number]


AGES = Scale(8, 32)
"""Seconds, up to a century."""

INTERVALS = Scale(4, 40)
"""Uses of a partition, counted."""
