"""``Dedupe``: which messages have been received, and which are being.

A message is known by its session and its id, since platforms number messages room by room. It is
remembered once its fate is known, and only if that is final: a message whose handler failed, or whose
denial was a policy's fault and not its decision, is forgotten, so that the platform's retry gets through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cachetools import TTLCache

from ray_router.channels import InboundMessage
from ray_router.ingest.result import IngestOutcome, IngestResult

MessageKey = tuple[str, str]
"""Session and message id."""


def message_key(message: InboundMessage) -> MessageKey:
    """What makes two deliveries the same message."""
    return str(message.key), message.message_id


class InProgress:
    """The first delivery of a message."""

    def __init__(self) -> None:
        self._fate: asyncio.Future[IngestResult | None] = asyncio.get_running_loop().create_future()

    def settle(self, result: IngestResult | None) -> None:
        """It is over; None: it was cancelled, and has no fate."""
        self._fate.set_result(result)

    async def learn(self) -> IngestResult | None:
        """Wait until it is over. Whoever is cancelled while waiting leaves it as it is."""
        await asyncio.wait({self._fate})
        return self._fate.result()


class Dedupe:
    """Bounded memory of messages, for one event loop.

    Args:
        remembered_messages: messages with a final fate remembered at most.
        remembered_for_s: for how many seconds.
        clock: monotonic seconds.
    """

    def __init__(self, remembered_messages: int, remembered_for_s: float, clock: Callable[[], float]) -> None:
        self._received: TTLCache[MessageKey, IngestOutcome] = TTLCache(
            remembered_messages, remembered_for_s, timer=clock
        )
        self._in_progress: dict[MessageKey, InProgress] = {}

    def received(self, key: MessageKey) -> IngestOutcome | None:
        """What became of a message, if it was received and is remembered."""
        return self._received.get(key)

    def being_received(self, key: MessageKey) -> InProgress | None:
        """A message's first delivery, if it is in progress."""
        return self._in_progress.get(key)

    def begin(self, key: MessageKey) -> None:
        """This is the first delivery."""
        self._in_progress[key] = InProgress()

    def remember(self, key: MessageKey, outcome: IngestOutcome) -> None:
        """A message's fate is final."""
        self._received[key] = outcome

    def end(self, key: MessageKey, result: IngestResult | None) -> None:
        """The first delivery is over: tell those that wait for it. None: it was cancelled."""
        self._in_progress.pop(key).settle(result)
