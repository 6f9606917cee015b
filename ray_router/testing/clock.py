"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import threading


class ManualClock:
    """Seconds that only a test moves. Call it to read it; safe from any thread.

    >>> clock = ManualClock(1_000.0)
    >>> clock.advance(30)
    >>> clock()
    1030.0
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: backwards.
        """
        if seconds < 0:
            raise ValueError(f"time goes on, not back: {seconds} s")
        with self._lock:
            self._now += seconds
