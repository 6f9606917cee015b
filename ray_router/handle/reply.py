"""``Reply``: one submission, two waits: ``await reply`` and ``reply.result()``."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from ray_router.errors import DeadlineExceededError
from ray_router.handle.promise import Promise

_log = logging.getLogger(__name__)
NO_LIMIT_S = 365 * 86_400.0

T = TypeVar("T")


class Part(Protocol):
    """What a submission asks of one partition."""

    @property
    def settled(self) -> bool:
        """Whether there is an outcome."""

    def on_settled(self, callback: Callable[[], None]) -> None:
        """Call back once when there is."""

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that this settles without a waiting thread."""


class Submission(Generic[T]):
    """What a reply waits for: its parts, and how they make one result (or an error, raised)."""

    def __init__(self, parts: Sequence[Part], combine: Callable[[], T]) -> None:
        self.parts = parts
        self.combine = combine


class Reply(Generic[T]):
    """The answer to a submission that is on its way.

    ``await reply`` in async code, ``reply.result()`` elsewhere; both as often as you like. It has no
    truth value. An error that nobody collects is logged.
    """

    __slots__ = ("_collected", "_launched", "_submission")

    def __init__(self, launched: Promise[Submission[T]] | Submission[T]) -> None:
        self._collected = False
        if isinstance(launched, Submission):
            self._launched: Promise[Submission[T]] | None = None
            self._submission: Submission[T] | None = launched
        else:
            self._launched, self._submission = launched, None

    def __bool__(self) -> bool:
        raise TypeError("a Reply has no truth value: await it or call .result()")

    def done(self) -> bool:
        """Whether the answer, or the error in its place, is there: ``result()`` would not wait."""
        launched = self._launched
        if launched is not None:
            if not launched.settled:
                return False
            if isinstance(launched.outcome, Exception):
                return True
        return all(part.settled for part in self._sent().parts)

    def result(self, timeout_s: float | None = None) -> T:
        """Block until the answer is there, and return it.

        Args:
            timeout_s: seconds to wait at most; the call itself goes on, with its own deadline.

        Raises:
            RuntimeError: called in a running event loop, which it would block.
            DeadlineExceededError: not answered within ``timeout_s``.
            RouterError: whatever the call raises.
        """
        refuse_to_block()
        self._collected = True
        until = time.monotonic() + (NO_LIMIT_S if timeout_s is None else timeout_s)
        if self._launched is not None and not self._launched.wait(until - time.monotonic()):
            raise DeadlineExceededError(f"no answer within {timeout_s:g} s")
        submission = self._sent()
        for part in submission.parts:
            if not part.settled and not part.pump(until - time.monotonic()):
                raise DeadlineExceededError(f"no answer within {timeout_s:g} s")
        return submission.combine()

    def __await__(self) -> Generator[Any, None, T]:
        self._collected = True
        loop = asyncio.get_running_loop()
        if self._launched is not None and not self._launched.settled:
            yield from _arrival(loop, [self._launched]).__await__()
        submission = self._sent()
        unsettled = [part for part in submission.parts if not part.settled]
        if unsettled:
            arrival = _arrival(loop, unsettled)
            for part in unsettled:
                part.watch(loop)
            yield from arrival.__await__()
        return submission.combine()

    def __del__(self) -> None:
        if self._collected or sys.is_finalizing():
            return
        if self._launched is not None:
            self._launched.on_settled(lambda launched=self._launched: _forsake_launch(launched))  # type: ignore[misc]
        elif self._submission is not None:
            forsake(self._submission)

    def _sent(self) -> Submission[T]:
        if self._submission is None:
            assert self._launched is not None
            outcome = self._launched.outcome
            if isinstance(outcome, Exception):
                raise outcome
            assert isinstance(outcome, Submission)
            self._submission, self._launched = outcome, None
        return self._submission


class _Settling(Protocol):
    def on_settled(self, callback: Callable[[], None]) -> None: ...


def _arrival(loop: asyncio.AbstractEventLoop, parts: Sequence[_Settling]) -> asyncio.Future[None]:
    """A future of this loop that is done when all the parts have settled, wherever they settle."""
    arrival: asyncio.Future[None] = loop.create_future()
    left = [len(parts)]
    lock = threading.Lock()  # parts settle in different threads

    def settled() -> None:
        with lock:
            left[0] -= 1
            last = not left[0]
        if last:
            arrive(loop, arrival)

    for part in parts:
        part.on_settled(settled)
    return arrival


def arrive(loop: asyncio.AbstractEventLoop, arrival: asyncio.Future[None]) -> None:
    """What this future of this loop waits for is there; from any thread."""
    if asyncio._get_running_loop() is loop:
        if not arrival.done():
            arrival.set_result(None)
        return
    try:
        loop.call_soon_threadsafe(arrive, loop, arrival)
    except RuntimeError:
        _log.debug("the event loop that waited for a reply is closed")


def _forsake_launch(launched: Promise[Submission[Any]]) -> None:
    if isinstance(launched.outcome, Submission):
        forsake(launched.outcome)
    else:
        _log.error("a reply that nobody waited for failed: %s", launched.outcome)


def forsake(submission: Submission[Any]) -> None:
    """Nobody will ask: see it through, and log what would have been raised."""

    seen_through = False

    def settled() -> None:
        nonlocal seen_through
        if not seen_through and all(part.settled for part in submission.parts):
            seen_through = True
            try:
                submission.combine()
            except Exception as error:  # whatever the waiter would have been given
                _log.error("a reply that nobody waited for failed: %s", error)

    for part in submission.parts:
        part.on_settled(settled)
        if not part.settled:
            part.watch(None)


def refuse_to_block() -> None:
    """A thread that runs an event loop must not be blocked.

    Raises:
        RuntimeError: this one does.
    """
    if _in_event_loop():
        raise RuntimeError("this would block the running event loop: await the reply instead")


def _in_event_loop() -> bool:
    """Whether this thread runs an event loop that must not be blocked. A notebook's own may be."""
    if asyncio._get_running_loop() is None:
        return False
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is None
