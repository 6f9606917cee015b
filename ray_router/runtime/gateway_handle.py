"""``GatewayHandle``: a deployed gateway, from one process. A session's messages all go to one lane.

What a lane's death means for a message is typed. A call that Ray lost may have been carried out, up to the
sender's own effect: ``OutcomeUnknownError``, and nothing is sent again by itself, since the idempotency
keys that could tell died with the lane. From then on the lane counts as down, and calls fail at once with
``GatewayUnavailableError``, having sent nothing, until it has answered a ping, which Ray holds back until
the actor lives again. What comes after that goes to a lane that remembers nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property, partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import ray
from ray.actor import ActorHandle

from ray_router.core.slots import slot_function
from ray_router.errors import RouterError
from ray_router.gateway import (
    GatewayOverloadedError,
    GatewayStats,
    GatewayUnavailableError,
    OutcomeUnknownError,
    Priority,
    SendResult,
)
from ray_router.gateway.arrivals import CallId
from ray_router.gateway.outgoing import Outgoing, check_idempotency_key, check_priority
from ray_router.gateway.sender import problem_of
from ray_router.handle import Reply
from ray_router.handle.promise import Promise
from ray_router.handle.reply import Submission
from ray_router.model import Confidence, PressureLevel, Route, Scope, SessionKey
from ray_router.runtime.gateway_actor import SPARE_CALLS, GatewayPlan, SendCall, lane_name
from ray_router.telemetry import application_tracer

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from ray_router.telemetry.gateway_spans import MessageSpan

_log = logging.getLogger(__name__)

_BEYOND_THE_SEND_S = 10.0  # for its reports, and for the way there and back
_STATS_WITHIN_S = 2.0

T = TypeVar("T")


class LaneCall(Promise[object]):
    """A call to a lane's actor, under way. Settles with its answer, or with ``OutcomeUnknownError``."""

    __slots__ = ("_deadline", "_future", "_lane", "_reference")

    def __init__(self, lane: int, reference: ray.ObjectRef[Any], within_s: float) -> None:
        super().__init__()
        self._lane = lane
        self._reference = reference
        self._deadline = time.monotonic() + within_s
        self._future: Future[Any] | None = None

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""
        remaining_s = max(0.0, self._deadline - time.monotonic())
        try:
            self.settle(ray.get(self._reference, timeout=min(timeout_s, remaining_s)))
        except ray.exceptions.GetTimeoutError:
            if remaining_s <= timeout_s:
                self._give_up()
        except Exception as error:  # whatever Ray raises, the answer is lost
            self.settle(OutcomeUnknownError(self._lane, problem_of(error)))
        return self.settled

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that this settles without a waiting thread."""
        if self._future is None:
            self._future = self._reference.future()
            self._future.add_done_callback(self._arrive)
        if loop is not None:
            timer = loop.call_later(max(0.0, self._deadline - time.monotonic()), self._give_up)
            self.on_settled(partial(_cancel_soon, loop, timer))

    def _arrive(self, future: Future[Any]) -> None:
        error = future.exception()
        self.settle(future.result() if error is None else OutcomeUnknownError(self._lane, problem_of(error)))

    def _give_up(self) -> None:
        self.settle(OutcomeUnknownError(self._lane, "it did not answer in time"))


class Lane:
    """The way to one lane's actor, for any thread.

    ``_submitting`` keeps numbering and submitting together. ``_book`` guards what is known, is held for
    moments only and never while Ray is called, since Ray's own thread asks for it when an answer comes.
    Both are reentrant: collecting garbage may end a forgotten reply, and with it call ``_answered``.
    """

    def __init__(self, index: int, plan: GatewayPlan) -> None:
        self.index = index
        self._plan = plan
        self._within_s = plan.settings.send_timeout_s + _BEYOND_THE_SEND_S
        self._most_calls = plan.settings.max_pending + SPARE_CALLS
        self._submitting = threading.RLock()
        self._book = threading.RLock()
        self._caller = uuid4().hex
        self._numbers = count()
        self._under_way = 0
        self._unanswered: dict[str, CallId] = {}
        self._actor: ActorHandle[Any] | None = None
        self._lives = 0
        self._down = False
        self._ping: Future[Any] | None = None

    def send(
        self,
        outgoing: Outgoing,
        idempotency_key: str | None,
        priority: Priority,
        span: MessageSpan | None = None,
    ) -> Reply[SendResult]:
        """Submit a message, behind this handle's other messages of its session.

        Args:
            span: records the call, and is ended with it.
        """
        session = outgoing.session
        with self._submitting:
            try:
                self._check_room(priority)
                actor, life = self._living()
            except (GatewayOverloadedError, GatewayUnavailableError) as error:
                if span is not None:
                    span.failed(error)
                return _failed(error)
            call = (self._caller, next(self._numbers))
            with self._book:
                after = self._unanswered.get(session)
            reference = actor.send.remote(
                SendCall(
                    self._plan.fingerprint,
                    call,
                    after,
                    session,
                    outgoing.payload,
                    outgoing.fallbacks,
                    idempotency_key,
                    outgoing.min_confidence,
                    outgoing.allow_stale,
                    outgoing.widest_scope,
                    priority,
                    None if span is None else span.traceparent,
                )
            )
            with self._book:
                self._under_way += 1
                self._unanswered[session] = call
        under_way = LaneCall(self.index, reference, self._within_s)
        under_way.on_settled(partial(self._answered, session, call))
        if span is not None:
            under_way.on_settled(partial(_end, span, under_way))
        return Reply(Submission([under_way], partial(self._result, under_way, life)))

    def stats(self) -> LaneCall | None:
        """Ask for the lane's stats; None when it is down."""
        try:
            actor, _ = self._living()
        except GatewayUnavailableError:
            return None
        return LaneCall(self.index, actor.stats.remote(), _STATS_WITHIN_S)

    def _check_room(self, priority: Priority) -> None:
        """Ray's own limit on calls would hold back pings as well, so calls are counted here.

        Raises:
            GatewayOverloadedError: more calls of this handle are unanswered than the lane can hold anyway.
        """
        if self._under_way >= self._most_calls:
            problem = (
                f"{self._under_way} calls of this handle are unanswered; the limit is {self._most_calls}"
            )
            raise GatewayOverloadedError(PressureLevel.SHED, priority, problem)

    def _living(self) -> tuple[ActorHandle[Any], int]:
        """The actor, and which of its lives as far as is known here.

        Raises:
            GatewayUnavailableError: it does not answer, or there is none.
        """
        with self._book:
            if self._down:
                if self._ping is None or not self._ping.done():
                    raise GatewayUnavailableError(self.index, "it is restarting, or does not answer")
                if self._ping.exception() is not None:
                    self._actor = None  # gone for good; another may have taken its name
                self._down, self._ping = False, None
                self._lives += 1
            actor, life = self._actor, self._lives
        if actor is None:
            name, namespace = lane_name(self._plan.name, self.index), self._plan.namespace
            try:
                actor = self._actor = ray.get_actor(name, namespace=namespace)
            except ValueError:
                raise GatewayUnavailableError(self.index, "no actor has its name") from None
        return actor, life

    def _answered(self, session: str, call: CallId) -> None:
        with self._book:
            self._under_way -= 1
            if self._unanswered.get(session) == call:
                del self._unanswered[session]

    def _result(self, under_way: LaneCall, life: int) -> SendResult:
        outcome = under_way.outcome
        if isinstance(outcome, OutcomeUnknownError):
            self._lose(life)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, SendResult)
        return outcome

    def _lose(self, life: int) -> None:
        """The lane counts as down until it answers a ping.

        Args:
            life: the lane's as far as the lost call knew: news of an earlier one is no news.
        """
        with self._book:
            if self._down or life != self._lives:
                return
            self._down = True
            self._unanswered.clear()
        # Ray's own thread may be the one that says so, and it must not be kept with calls.
        threading.Thread(target=self._begin_ping, name="ray-router-gateway-ping", daemon=True).start()

    def _begin_ping(self) -> None:
        actor = self._actor
        assert actor is not None
        try:
            # Ray holds it back until the actor lives again, and repeats it if need be.
            ping: Future[Any] = actor.ping.options(max_task_retries=-1).remote().future()
        except Exception as error:  # whatever it is, the next call will find out
            _log.warning("lane %d could not be pinged: %s", self.index, error)
            ping = Future()
            ping.set_exception(error)
        with self._book:
            self._ping = ping


class GatewayHandle:
    """A deployed gateway. Pickles, and may be used from any thread and any event loop.

    ``send`` submits at once and returns a ``Reply``: ``await`` it, or call ``.result()``. Giving up waiting
    does not call the message back.
    """

    def __init__(self, plan: GatewayPlan) -> None:
        self.plan = plan

    def __reduce__(self) -> tuple[type[GatewayHandle], tuple[GatewayPlan]]:
        return GatewayHandle, (self.plan,)

    def __repr__(self) -> str:
        return f"<GatewayHandle {self.plan.name}, {self.plan.lanes} lanes>"

    def send(
        self,
        key: SessionKey | str,
        payload: object,
        fallbacks: Sequence[Route] = (),
        idempotency_key: str | None = None,
        *,
        min_confidence: Confidence = Confidence.NONE,
        allow_stale: bool = False,
        widest_scope: Scope = Scope.ROOM,
        priority: Priority = Priority.NORMAL,
    ) -> Reply[SendResult]:
        """Send a message to a session; the arguments are those of ``OutboundGateway.send``.

        The payload must pickle. Messages of one session leave in the order in which one handle was given
        them; between handles, in the order of arrival. Idempotency keys are remembered by the lane's actor,
        and forgotten when it dies.

        Raises:
            InvalidInputError: at once.
            GatewayUnavailableError: on waiting; the lane is down, nothing was sent.
            OutcomeUnknownError: on waiting; the lane died or fell silent, it may have been sent.
            RouterError: on waiting; whatever ``OutboundGateway.send`` raises.
        """
        outgoing = Outgoing.checked(
            key,
            payload,
            fallbacks,
            allow_stale=allow_stale,
            widest_scope=widest_scope,
            min_confidence=min_confidence,
        )
        check_idempotency_key(idempotency_key)
        priority = check_priority(priority)
        lane = self._lanes[self._slot_of(outgoing.session) % self.plan.lanes]
        return lane.send(outgoing, idempotency_key, priority, self._span(lane, outgoing.key.channel))

    def stats(self) -> Reply[tuple[GatewayStats | None, ...]]:
        """The stats of each lane; None for one that does not answer."""
        calls = [lane.stats() for lane in self._lanes]
        return Reply(
            Submission(
                [call for call in calls if call is not None],
                lambda: tuple(None if call is None else _stats(call) for call in calls),
            )
        )

    def _span(self, lane: Lane, channel: str) -> MessageSpan | None:
        """What records a call, if the application records traces."""
        if self._tracer is None:
            return None
        from ray_router.telemetry.gateway_spans import MessageSpan

        return MessageSpan(self._tracer, self.plan.name, lane.index, channel)

    @cached_property
    def _tracer(self) -> Tracer | None:
        return application_tracer()

    @cached_property
    def _lanes(self) -> tuple[Lane, ...]:
        return tuple(Lane(index, self.plan) for index in range(self.plan.lanes))

    @cached_property
    def _slot_of(self) -> Callable[[str], int]:
        return slot_function("room")


def _stats(call: LaneCall) -> GatewayStats | None:
    return call.outcome if isinstance(call.outcome, GatewayStats) else None


def _end(span: MessageSpan, under_way: LaneCall) -> None:
    outcome = under_way.outcome
    if isinstance(outcome, SendResult):
        span.answered(outcome.outcome.value)
    else:
        span.failed(outcome)


def _failed(error: RouterError) -> Reply[T]:
    def answer() -> T:
        raise error

    return Reply(Submission((), answer))


def _cancel_soon(loop: asyncio.AbstractEventLoop, timer: asyncio.TimerHandle) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(timer.cancel)
