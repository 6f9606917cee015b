"""``in_background``: work of many calls in a thread of its own, as a submission like any other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from ray_router.handle.promise import Failure, Promise
from ray_router.handle.reply import Submission

T = TypeVar("T")


class Work(Promise[T]):
    """What a thread is busy with; it settles by itself."""

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""
        return self.wait(timeout_s)

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Nothing has to be done."""


def in_background(name: str, work: Callable[[], T]) -> Submission[T]:
    """Begin some work in a thread, which ends with the process; what it comes to is the submission's."""
    outcome: Work[T] = Work()

    def run() -> None:
        try:
            outcome.settle(work())
        except Exception as error:  # whatever it is, whoever waits is told
            outcome.settle(error)

    def result() -> T:
        found = outcome.outcome
        if isinstance(found, Exception):
            raise found
        assert not isinstance(found, Failure), "work succeeds, or raises"
        return found

    threading.Thread(target=run, name=name, daemon=True).start()
    return Submission((outcome,), result)
