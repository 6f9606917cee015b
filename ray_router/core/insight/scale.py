"""``Scale``: positive numbers in classes of equal ratio: seconds and years fit into one small table."""

from __future__ import annotations

from math import inf, log2


class Scale:
    """Class 0 is (0, 1]; each further one is (a, a * 2**(1 / per_doubling)], and the last takes the rest.

    With eight to a doubling a class is nine per cent wide, and a curve read off class totals with a straight
    line within a class is off by hundredths of a point where it climbs by five points a doubling.
    """

    def __init__(self, per_doubling: int, doublings: int) -> None:
        self.classes = per_doubling * doublings + 1
        self._per_doubling = per_doubling

    def class_of(self, value: float) -> int:
        """The class of a number; one of 0 or less is in the first."""
        if value <= 1.0:
            return 0
        if value == inf:
            return self.classes - 1
        return min(self.classes - 1, -int(-log2(value) * self._per_doubling // 1))

    def share_below(self, value: float, number: int) -> float:
        """Which share of a class lies at or below ``value``, 0 to 1, if it is spread evenly on the scale."""
        if number == 0:
            return min(1.0, max(0.0, value))
        if value == inf:
            return 1.0
        place = log2(value) * self._per_doubling if value > 1.0 else 0.0
        return min(1.0, max(0.0, place - (number - 1)))

    def upper_end(self, number: int) -> float:
        """The greatest number of a class."""
        return float(2.0 ** (number / self._per_doubling))


AGES = Scale(8, 32)
"""Seconds, up to a century."""

INTERVALS = Scale(4, 40)
"""Uses of a partition, counted."""
