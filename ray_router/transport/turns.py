"""``Turns``: a lock whose holder lets others go first in the middle of long work."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType

_BREATH_S = 0.0005  # for whoever waits to wake up and take its turn


class Turns:
    """A mutual exclusion for short work beside long: whoever works for long gives way between two pieces."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[None] = deque()

    def __enter__(self) -> None:
        self._waiting.append(None)
        self._lock.acquire()
        self._waiting.pop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._lock.release()

    def give_way(self) -> None:
        """Let those who wait go first, if there are any; for the holder alone."""
        if self._waiting:
            self._lock.release()
            time.sleep(_BREATH_S)
            self._lock.acquire()
