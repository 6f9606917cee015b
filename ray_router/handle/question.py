"""The commonest submission of all, in as few steps as it can have: one key resolved, nothing wished.

A ``Question`` is a passenger that boards a batch as nothing but its key, and a ``QuestionReply`` waits for
it alone. Whatever wishes anything goes the general way, which gives the same answers.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from ray_router.core.operations import Operation, Resolve
from ray_router.errors import DeadlineExceededError
from ray_router.handle.lane import Lane, Pending
from ray_router.handle.manner import USUAL
from ray_router.handle.reply import NO_LIMIT_S, Reply, Submission, arrive, forsake, refuse_to_block
from ray_router.model import Resolution


class Question(Pending):
    """What is the route of this key?

    Args:
        key: canonical text.
        now: epoch seconds, on a router with an event clock.
        deadline: monotonic seconds.
        since: the epoch of the decree by which the lane was chosen.
    """

    __slots__ = ()

    def __init__(self, lane: Lane, key: str, now: float | None, deadline: float, since: int) -> None:
        # All slots at once: going through the constructors would take longer than all the rest.
        self._lock = threading.RLock()
        self._callbacks = []
        self._outcome = None
        self._settled = False
        self._arrived = None
        self.lane = lane
        self.key = key
        self.manner = USUAL
        self.now = now
        self.deadline = deadline
        self.since = since
        self.size = 1

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The same in general terms."""
        assert self.key is not None
        return (Resolve((self.key,)),)


class QuestionReply(Reply[Resolution]):
    """The answer to a question that is on its way.

    Args:
        read: makes the resolution of the settled question, or raises.
    """

    __slots__ = ("_question", "_read")

    def __init__(self, question: Question, read: Callable[[Question], Resolution]) -> None:
        self._collected = False
        self._question = question
        self._read = read

    def done(self) -> bool:
        """Whether the answer is there, as of any reply."""
        return self._question.settled

    def result(self, timeout_s: float | None = None) -> Resolution:
        """Block until the answer is there, and return it; as any reply does."""
        refuse_to_block()
        self._collected = True
        question = self._question
        limit_s = NO_LIMIT_S if timeout_s is None else timeout_s
        if not question.settled and not question.pump(limit_s):
            raise DeadlineExceededError(f"no answer within {timeout_s:g} s")
        return self._read(question)

    def __await__(self) -> Generator[Any, None, Resolution]:
        self._collected = True
        question = self._question
        if not question.settled:
            loop = asyncio.get_running_loop()
            arrival: asyncio.Future[None] = loop.create_future()
            question.on_settled(partial(arrive, loop, arrival))
            question.lane.watch(loop)
            yield from arrival
        return self._read(question)

    def __del__(self) -> None:
        if not self._collected and not sys.is_finalizing():
            question, read = self._question, self._read
            forsake(Submission((question,), lambda: read(question)))
