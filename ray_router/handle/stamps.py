"""The handle's clock: strictly increasing stamps for what happens now, none later than now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf, nextafter


class Stamps:
    """Gives each submission its time, once; a retry carries the same.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = -inf
        self._lock = threading.Lock()

    def now(self) -> float:
        """A stamp later than every stamp before it."""
        with self._lock:
            self._last = max(self._clock(), nextafter(self._last, inf))
            return self._last

    def at(self, stamp: float) -> float:
        """A given stamp, or now if it lies in the future."""
        return min(float(stamp), self._clock())
