"""An observer that remembers, and a router in this process."""

from __future__ import annotations

import threading
import time
from typing import TypeVar

from ray_router.config import RouterConfig
from ray_router.core.events import Event, Observer, Unguarded
from ray_router.handle import RouterHandle
from ray_router.testing.clock import ManualClock
from ray_router.transport import LocalTransport

E = TypeVar("E", bound=tuple)  # type: ignore[type-arg]  # events are named tuples


class RecordingObserver:
    """Keeps every event, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def loud(observer: Observer) -> Observer:
    """An observer whose failures reach whoever called the router, instead of the log."""
    return Unguarded(observer)


def local_router(
    config: RouterConfig | None = None,
    *,
    clock: ManualClock | None = None,
    observer: Observer | None = None,
) -> RouterHandle:
    """A router in this process, without Ray, by the same rules.

    Args:
        config: the router's config.
        clock: moves when told to; the present time when left out.
        observer: told of every event. What it raises reaches the caller: a router that serves users logs
            an observer's first failure and goes on, a test had better fail.

    >>> from ray_router import Route
    >>> router = local_router()
    >>> router.set("telegram:bot:room", Route("-100123")).result().outcome.value
    'stored'
    >>> router.resolve("telegram:bot:room:thread").result().require().external_room_id
    '-100123'
    """
    if observer is not None:
        observer = loud(observer)
    now = clock or time.time
    transport = LocalTransport(config or RouterConfig(), clock=now, observer=observer)
    return RouterHandle(transport, clock=now)
