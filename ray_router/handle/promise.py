"""``Promise``: the outcome of one part of a submission, settled once, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Generic, NamedTuple, TypeVar, Union

T = TypeVar("T")


class FailureKind(Enum):
    """Why a partition gave no answer."""

    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    DEADLINE = "deadline"
    LATE = "late"
    MOVED = "moved"


class Failure(NamedTuple):
    """A partition gave no answer."""

    kind: FailureKind
    problem: str


Outcome = Union[T, Failure, Exception]
"""An answer; no answer; or a fault in what was asked, to be raised."""


class Promise(Generic[T]):
    """Settles once; later settlements are ignored, so that whoever learns the outcome may say so."""

    __slots__ = ("_arrived", "_callbacks", "_lock", "_outcome", "_settled")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a forgotten reply may be collected while this is held
        self._callbacks: list[Callable[[], None]] = []
        self._outcome: Outcome[T] | None = None
        self._settled = False
        self._arrived: threading.Event | None = None

    @property
    def settled(self) -> bool:
        """Whether there is an outcome."""
        return self._settled

    @property
    def outcome(self) -> Outcome[T]:
        """The outcome of a settled promise."""
        assert self._settled
        return self._outcome  # type: ignore[return-value]  # None is an answer where T allows it

    def settle(self, outcome: Outcome[T]) -> None:
        """Give the outcome, unless there is one."""
        with self._lock:
            if self._settled:
                return
            self._outcome, self._settled = outcome, True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_settled(self, callback: Callable[[], None]) -> None:
        """Call back once when it settles, at once if it has; by whoever settles it."""
        with self._lock:
            if not self._settled:
                self._callbacks.append(callback)
                return
        callback()

    def wait(self, timeout_s: float) -> bool:
        """Block until it settles, at most this long; whether it has."""
        if self._settled:
            return True
        if self._arrived is None:
            arrived = self._arrived = threading.Event()
            self.on_settled(arrived.set)
        return self._arrived.wait(timeout_s) or self._settled
