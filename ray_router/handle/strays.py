"""``Strays``: the sessions that this process lately wrote past their owner, which may not know it yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

_FORWARDED_WITHIN_S = 5.0  # whoever took it passes it on far sooner, unless the owner is away
_MOST = 10_000


class Strays:
    """Keys, and until when their owner is passed over for what the standby knows.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, keys: Iterable[str]) -> None:
        """These were written without their owner."""
        until = self._clock() + _FORWARDED_WITHIN_S
        with self._lock:
            for key in keys:
                self._until.pop(key, None)
                self._until[key] = until
            while len(self._until) > _MOST:
                del self._until[next(iter(self._until))]

    def __contains__(self, key: str) -> bool:
        if not self._until:
            return False
        until = self._until.get(key)
        if until is not None and until < self._clock():
            with self._lock:
                self._until.pop(key, None)
            return False
        return until is not None
