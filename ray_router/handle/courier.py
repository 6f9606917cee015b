"""``Courier``: a thread that carries out what nobody is waiting for, and looks after late calls.

It starts when it is first needed and ends when there has been nothing to do for a while, so a program
that waits for each of its calls never has one.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

_log = logging.getLogger(__name__)

TICK_S = 0.05
_IDLE_TICKS = 100


class Attended(Protocol):
    """Something with late calls to look after."""

    def tick(self) -> bool:
        """Do what has come due; whether there is anything left to look after."""


class Owner(Protocol):
    """Whoever has what the courier attends; when it is gone, so is the courier."""

    def attended(self) -> Iterable[Attended]:
        """All that may need attention."""


class Courier:
    """Carries out what is posted, in order, and ticks its owner's lanes while they are busy."""

    def __init__(self, owner: Owner) -> None:
        self._owner = weakref.ref(owner)
        self._posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.RLock()  # a forgotten reply may be collected while this is held
        self._thread: threading.Thread | None = None
        self._wanted = False

    def post(self, errand: Callable[[], None]) -> None:
        """Carry this out soon, in the courier's thread."""
        self._posted.put(errand)
        self.attend()

    def attend(self) -> None:
        """Be there: some lane is busy."""
        self._wanted = True  # before looking: a thread about to end sees this, or is seen to have ended
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._run, name="ray-router-courier", daemon=True)
        with self._lock:
            if self._thread is None:
                self._thread = thread
                thread.start()

    def _run(self) -> None:
        idle, ticked_at = 0, time.monotonic()
        while True:
            with suppress(Empty):
                self._carry_out(self._posted.get(timeout=TICK_S))
            if time.monotonic() - ticked_at < TICK_S:
                continue
            ticked_at = time.monotonic()
            self._wanted = False
            idle = 0 if self._tick() else idle + 1
            if idle > _IDLE_TICKS:
                self._thread = None
                if self._wanted or not self._posted.empty():
                    self.attend()
                return

    def _tick(self) -> bool:
        owner = self._owner()
        busy = False
        for lane in () if owner is None else tuple(owner.attended()):
            try:
                busy = lane.tick() or busy
            except Exception:  # one lane's trouble must not stop the others' care
                _log.exception("looking after a partition's calls failed")
        return busy

    def _carry_out(self, errand: Callable[[], None]) -> None:
        try:
            errand()
        except Exception:  # the errand has nobody to raise to
            _log.exception("a posted errand failed")
