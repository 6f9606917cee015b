"""How close a partition is to its limits, as one number and a level.

Pressure is the larger of two ratios: how long callers wait in front of the partition over the time
they would wait at most, and how many live routes are evicted young for each new session.
"""

from __future__ import annotations

from collections import deque
from math import exp, floor

from ray_router.model import PressureLevel

_WINDOW_S = 10
_WEIGHT = 0.2  # of a new report in the moving average of waiting
_LEAST_NEW_SESSIONS = 10  # fewer say nothing about thrashing
_LEVELS = (
    (0.95, PressureLevel.SHED),
    (0.85, PressureLevel.DEGRADED),
    (0.70, PressureLevel.WARN),
)
_LEAST_LEVEL = _LEVELS[-1][0]


def level_of(pressure: float) -> PressureLevel:
    """The level of a pressure: WARN from 0.70, DEGRADED from 0.85, SHED from 0.95."""
    if pressure < _LEAST_LEVEL:
        return PressureLevel.NORMAL
    return next(level for least, level in _LEVELS if pressure >= least)


class Pressure:
    """The pressure of one partition; all times are epoch seconds, given."""

    def __init__(self, call_timeout_s: float) -> None:
        self._call_timeout_s = call_timeout_s
        self._waiting_s = 0.0
        self._waited_at = 0.0
        self._seconds: deque[tuple[int, int, int]] = deque()  # (second, new sessions, young evictions)

    def waited(self, waited_s: float, now: float) -> None:
        """A caller waited this long in front of the partition."""
        average = self.waiting_s(now)
        self._waiting_s = average + _WEIGHT * (waited_s - average)
        self._waited_at = now

    def churned(self, new_sessions: int, young_evictions: int, now: float) -> None:
        """Sessions came to life, and live ones left before they were old."""
        second = floor(now)
        if self._seconds and self._seconds[-1][0] == second:
            _, new, young = self._seconds.pop()
            new_sessions, young_evictions = new + new_sessions, young + young_evictions
        self._seconds.append((second, new_sessions, young_evictions))
        self._drop_old(now)

    def at(self, now: float) -> float:
        """The pressure: 0 is idle, 1 is at the limit."""
        waiting = self.waiting_s(now) / self._call_timeout_s
        if not self._seconds:
            return waiting
        self._drop_old(now)
        new = sum([second[1] for second in self._seconds])
        young = sum([second[2] for second in self._seconds])
        thrashing = young / new if new >= _LEAST_NEW_SESSIONS else 0.0
        return max(thrashing, waiting)

    def waiting_s(self, now: float) -> float:
        """How long callers wait in front of the partition, on a moving average, seconds.

        Waiting that nobody reports any more fades, or callers that gave up would hold it up for ever.
        """
        return self._waiting_s * exp(-max(0.0, now - self._waited_at) / _WINDOW_S)

    def _drop_old(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= floor(now) - _WINDOW_S:
            self._seconds.popleft()
        while len(self._seconds) > _WINDOW_S:  # a clock that went back must not make it grow
            self._seconds.popleft()
