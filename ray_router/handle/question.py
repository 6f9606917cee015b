"""The commonest submission of all, in as few steps as it can have: one key resolved, nothing wished.

``Questions`` asks them, a ``Question`` is a passenger that boards a batch as nothing but its key, and a
``QuestionReply`` waits for it alone. Whatever wishes anything goes the general way, which gives the same
answers: at 100 coroutines a resolve takes this way in half the time.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from ray_router.core.events import Observer
from ray_router.core.operations import Answers, Operation, Resolve
from ray_router.errors import DeadlineExceededError
from ray_router.handle.intake import check_key_fits, key_text
from ray_router.handle.lane import Lane, Pending
from ray_router.handle.manner import USUAL
from ray_router.handle.ownership import Ownership
from ray_router.handle.reply import NO_LIMIT_S, Reply, Submission, arrive, forsake, refuse_to_block
from ray_router.handle.resolutions import AnswerTerms, Share, exact_resolution, only_resolution
from ray_router.handle.scatter import said
from ray_router.handle.watched import follow_alone
from ray_router.model import Resolution, SessionKey
from ray_router.transport import Directory


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
        key: as the caller wrote it.
    """

    __slots__ = ("_key", "_question", "_terms")

    def __init__(self, question: Question, key: SessionKey | str, terms: AnswerTerms) -> None:
        self._collected = False
        self._question = question
        self._key = key
        self._terms = terms

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
        return _answer(question, self._key, self._terms)

    def __await__(self) -> Generator[Any, None, Resolution]:
        self._collected = True
        question = self._question
        if not question.settled:
            loop = asyncio.get_running_loop()
            arrival: asyncio.Future[None] = loop.create_future()
            question.on_settled(partial(arrive, loop, arrival))
            question.lane.watch(loop)
            yield from arrival
        return _answer(question, self._key, self._terms)

    def __del__(self) -> None:
        if not self._collected and not sys.is_finalizing():
            question = self._question
            forsake(Submission((question,), partial(_answer, question, self._key, self._terms)))


class Questions:
    """Asks questions of a router, as long as its topology is this one.

    Args:
        lane: the lane to a partition.
        tell: told of each call; None for nobody.
    """

    def __init__(
        self,
        directory: Directory,
        ownership: Ownership,
        lane: Callable[[int], Lane],
        terms: AnswerTerms,
        tell: Observer | None,
    ) -> None:
        self.event_clock = directory.config.clock == "event"
        self._limits = directory.config.limits
        self._timeout_s = directory.config.call_timeout_s
        self._owner = ownership.owner
        self.topology = ownership.topology
        self._since = ownership.topology.since
        self._lane = lane
        self._terms = terms
        self._tell = tell

    def ask(self, key: SessionKey | str, now: float | None) -> QuestionReply:
        """Where does a reply to this session go?

        Args:
            now: epoch seconds, on a router with an event clock and on no other.

        Raises:
            InvalidKeyError: it is no key, or too long.
        """
        text = key_text(key)
        check_key_fits(text, self._limits)
        lane = self._lane(self._owner(text))
        question = Question(lane, text, now, time.monotonic() + self._timeout_s, self._since)
        if self._tell is not None:
            follow_alone(self._tell, "resolve", question)
        lane.put(question)
        return QuestionReply(question, key, self._terms)


def _answer(question: Question, key: SessionKey | str, terms: AnswerTerms) -> Resolution:
    outcome = question.outcome
    if type(outcome) is tuple:
        answers = outcome[0]
        if type(answers) is Answers and type(record := answers.items[0]) is str:
            partition = question.lane.partition
            return exact_resolution(key, record, answers.now, partition, False, terms)
    return only_resolution(key, Share(question.lane.partition, None, said(outcome)), terms)
