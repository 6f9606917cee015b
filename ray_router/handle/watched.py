"""``WatchedCall``: one call of a handle, as its observer and its trace are told of it.

Made only when somebody watches; a call that nobody watches costs a look for this, and no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ray_router.core.events import Called, Observer
from ray_router.handle.promise import Failure, Promise
from ray_router.telemetry import HandleTelemetry

if TYPE_CHECKING:
    from ray_router.telemetry.spans import CallSpan

_ANSWERED, _FAILED = "answered", "failed"


class WatchedCall:
    """Begins when the call is submitted, and ends when all that it was asked of have settled.

    Args:
        operation: the handle's method.
        router: the router's name.
        count: how many keys it is about.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        telemetry: HandleTelemetry,
        operation: str,
        router: str,
        count: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = telemetry.tell
        self._operation = operation
        self._clock = clock
        self._begun_at = clock()
        self._left = 0
        self._outcomes: dict[str, int] = {}
        self._lock = threading.Lock()  # partitions are heard from in different threads
        self._span: CallSpan | None = None
        if telemetry.tracer is not None:
            from ray_router.telemetry.spans import CallSpan

            self._span = CallSpan(telemetry.tracer, operation, router, count)

    @property
    def traceparent(self) -> str | None:
        """What to send along."""
        return None if self._span is None else self._span.traceparent

    def follow(self, parts: Sequence[tuple[int, int, Promise[Any]]]) -> None:
        """See each (partition, keys, part) settle."""
        self._left = len(parts)
        for partition, count, part in parts:
            part.on_settled(partial(self._settled, partition, count, part))
        if not parts:
            self._over()

    def _settled(self, partition: int, count: int, part: Promise[Any]) -> None:
        outcome = _outcome(part)
        with self._lock:
            self._left -= 1
            self._outcomes[outcome] = self._outcomes.get(outcome, 0) + count
            last = not self._left
        if self._span is not None and outcome != _ANSWERED:
            self._span.failed(partition, outcome)
        if last:
            self._over()

    def _over(self) -> None:
        if self._span is not None:
            self._span.end()
        if self._tell is not None:
            took_s: float | None = self._clock() - self._begun_at
            for outcome, keys in self._outcomes.items():
                self._tell(Called(self._operation, outcome, keys, took_s))
                took_s = None


def follow_alone(
    tell: Observer, operation: str, part: Promise[Any], clock: Callable[[], float] = time.monotonic
) -> None:
    """See a call about one key settle that begins now and is one part, of which nobody records a trace."""
    begun_at = clock()
    part.on_settled(lambda: tell(Called(operation, _outcome(part), 1, clock() - begun_at)))


def _outcome(part: Promise[Any]) -> str:
    said = part.outcome
    if isinstance(said, Failure):
        return said.kind.value
    return _FAILED if isinstance(said, Exception) else _ANSWERED
