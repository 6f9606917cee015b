"""``Repeats``: which sends are the same, and what the first of them came to.

An idempotency key belongs to a session. While the first send is under way its repeats wait for it and
share its fate, whatever that is, errors included. Once it has delivered, repeats get its result for as
long as the key is remembered. A send that did not deliver is not remembered: its repeat is a new try,
which is what the caller asks for; where an attempt had timed out, it may deliver a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cachetools import TTLCache

from ray_router.gateway.result import SendResult

RepeatKey = tuple[str, str]
"""Session and idempotency key."""


class Flight:
    """A send under way, and how many callers wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[SendResult]) -> None:
        self.task = task
        self.waiting = 0


class Repeats:
    """Bounded memory of keyed sends: those under way (by the gateway's own bound), and those delivered.

    Args:
        remembered_keys: delivered sends remembered at most.
        remembered_for_s: for how many seconds.
        clock: monotonic seconds.
    """

    def __init__(self, remembered_keys: int, remembered_for_s: float, clock: Callable[[], float]) -> None:
        self._flights: dict[RepeatKey, Flight] = {}
        self._delivered: TTLCache[RepeatKey, SendResult] = TTLCache(
            remembered_keys, remembered_for_s, timer=clock
        )

    def __len__(self) -> int:
        return len(self._delivered)

    def result(self, key: RepeatKey) -> SendResult | None:
        """What the first send came to, if it delivered and is remembered."""
        return self._delivered.get(key)

    def flight(self, key: RepeatKey) -> Flight | None:
        """The first send, if it is under way."""
        return self._flights.get(key)

    def departed(self, key: RepeatKey, flight: Flight) -> None:
        """The first send is under way; it is remembered by itself when it has delivered."""
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._landed(key, flight))

    def forsake(self, key: RepeatKey) -> None:
        """The send under way is being cancelled: a repeat must not share that."""
        self._flights.pop(key, None)

    def _landed(self, key: RepeatKey, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        task = flight.task
        if not task.cancelled() and task.exception() is None and task.result().delivered:
            self._delivered[key] = task.result()
