"""``OutboundGateway``: sends messages along the routes that a router knows, in this process.

A send is accepted or refused at once, in the order of the calls; what was accepted is then a matter of
its session's lane, its ``Dispatch``, and its time. Delivery is at least once: an attempt that got no answer
is retried, and may have delivered.
"""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ray_router.budget import Lifetime
from ray_router.gateway.dispatch import Dispatch
from ray_router.gateway.errors import GatewayClosedError, NoSenderError
from ray_router.gateway.journal import Journal
from ray_router.gateway.lanes import Lanes, Place
from ray_router.gateway.outgoing import Outgoing, check_idempotency_key, check_priority
from ray_router.gateway.priority import Priority
from ray_router.gateway.repeats import Flight, RepeatKey, Repeats
from ray_router.gateway.result import GatewayStats, SendOutcome, SendResult
from ray_router.gateway.retry import Sleep
from ray_router.gateway.router_level import RouterLevel
from ray_router.gateway.sender import Sender, Senders, Verdict, judge_exception
from ray_router.gateway.settings import GatewaySettings
from ray_router.handle import RouterHandle
from ray_router.model import Confidence, Route, Scope, SessionKey
from ray_router.telemetry import application_tracer

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_CANCELLED_WITHIN_S = 2.0  # longer than a sender is given to end itself


class Gateway(Protocol):
    """What sends: an ``OutboundGateway`` of this process, or the handle of one that runs on Ray."""

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
    ) -> Awaitable[SendResult]:
        """See ``OutboundGateway.send``."""


class OutboundGateway:
    """Sends from this process, in one event loop.

    Args:
        router: where routes come from and reports go to.
        senders: channel -> its sender, as a mapping, or as a function that returns None for none.
        settings: the bounds.
        judge: the verdict for what a sender raises without meaning to; see ``judge_exception``.
        random: where jitter comes from.
        clock: monotonic seconds; measures, and ages idempotency keys.
        sleep: waits between retries.
        tracer: records the sends; the application's, if it has one, when left out.
    """

    def __init__(
        self,
        router: RouterHandle,
        senders: Senders,
        *,
        settings: GatewaySettings | None = None,
        judge: Callable[[Exception], Verdict] = judge_exception,
        random: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        tracer: Tracer | None = None,
    ) -> None:
        self.settings = settings or GatewaySettings()
        self._router = router
        self._sender_of = senders.get if isinstance(senders, Mapping) else senders
        self._clock = clock
        self._dispatch = Dispatch(
            router,
            self.settings,
            random=random or random_module.Random(),
            clock=clock,
            sleep=sleep,
            judge=judge,
        )
        self._lanes = Lanes(self.settings.max_pending, self.settings.max_pending_per_session)
        self._repeats = Repeats(self.settings.remembered_keys, self.settings.remembered_for_s, clock)
        self._router_level = RouterLevel(router, self.settings.router_level_every_s, clock)
        self._tasks: set[asyncio.Task[SendResult]] = set()
        self._outcomes = dict.fromkeys(SendOutcome, 0)
        self._reports_lost = 0
        self._closed = False
        self._tracer = application_tracer() if tracer is None else tracer

    async def send(
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
    ) -> SendResult:
        """Send a message to a session, and say what became of it.

        Messages of a session leave one at a time, in the order of the calls; sessions do not wait for each
        other. Cancelling the caller cancels the send, unless a repeat waits for it too.

        Args:
            payload: handed to the channel's sender as it is.
            fallbacks: routes to fall back on when the router knows nothing better, in order; and when the
                router is down.
            idempotency_key: names the send in its session: a repeat gets the result of the first, once
                that has delivered, and shares its fate while it is under way; see ``Repeats``.
            min_confidence: routes that are less sure are passed over.
            allow_stale: send along a route past its TTL rather than not at all.
            widest_scope: how far to look beyond the session itself.
            priority: who goes without when there is not room for all.

        Raises:
            InvalidInputError: bad input.
            NoSenderError: nobody delivers to the channel.
            GatewayOverloadedError: there is no room; at once, nothing was sent.
            GatewayClosedError: the gateway is closed, or was, with this message under way.
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
        sender = self._sender(outgoing.key.channel)
        repeat = None if idempotency_key is None else (outgoing.session, idempotency_key)
        if repeat is not None:
            if (remembered := self._repeats.result(repeat)) is not None:
                return remembered
            if (under_way := self._repeats.flight(repeat)) is not None:
                return await self._land(under_way, repeat)
        if self._closed:
            raise GatewayClosedError(False)
        place = self._lanes.admit(outgoing.session, priority, self._router_level.read())
        task = asyncio.get_running_loop().create_task(self._traced(outgoing, sender, place))
        task.add_done_callback(partial(self._carried, place))
        self._tasks.add(task)
        flight = Flight(task)
        if repeat is not None:
            self._repeats.departed(repeat, flight)
        return await self._land(flight, repeat)

    def stats(self) -> GatewayStats:
        """What it holds and has done; from any thread."""
        return GatewayStats(
            pending=self._lanes.pending,
            sessions=self._lanes.sessions,
            remembered=len(self._repeats),
            level=max(self._lanes.level, self._router_level.known),
            refused=self._lanes.refused,
            outcomes=dict(self._outcomes),
            reports_lost=self._reports_lost,
        )

    async def aclose(self, drain_s: float | None = None) -> int:
        """Accept nothing more, wait for what is pending, and cancel the rest; may be called again.

        Args:
            drain_s: seconds to wait; None takes the settings'.

        Returns:
            How many messages were cut short; their callers get ``GatewayClosedError``.
        """
        self._closed = True
        await self._router_level.aclose()
        pending = set(self._tasks)
        if pending:
            timeout_s = self.settings.drain_s if drain_s is None else drain_s
            _, pending = await asyncio.wait(pending, timeout=timeout_s)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending, timeout=_CANCELLED_WITHIN_S)
        return sum(task.cancelled() or not task.done() for task in pending)

    async def __aenter__(self) -> OutboundGateway:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _sender(self, channel: str) -> Sender:
        sender = self._sender_of(channel)
        if sender is None:
            raise NoSenderError(channel)
        return sender

    async def _traced(self, outgoing: Outgoing, sender: Sender, place: Place) -> SendResult:
        """One message's whole life here, as a span, if the application records traces."""
        if self._tracer is None:
            return await self._carry(outgoing, sender, place)
        from ray_router.telemetry.gateway_spans import sending

        with sending(self._tracer, outgoing.key.channel) as span:
            result = await self._carry(outgoing, sender, place)
            span.set_attribute("ray_router.outcome", result.outcome.value)
            return result

    async def _carry(self, outgoing: Outgoing, sender: Sender, place: Place) -> SendResult:
        """One message's whole life here, in a task of its own."""
        journal = Journal(outgoing, self._router, self._clock)
        lifetime = Lifetime(self.settings.send_timeout_s)
        try:
            await place.turn()
            journal.at_turn()
            outcome = await self._dispatch.carry_out(outgoing, sender, journal)
        except asyncio.CancelledError:
            if not lifetime.over:
                raise
            outcome = SendOutcome.EXPIRED
            journal.problem = f"not delivered within {self.settings.send_timeout_s:g} s"
        finally:
            lifetime.end()
            place.pass_on()  # the next may go while the reports of this one are written
        await journal.settle()
        result = journal.result(outcome)
        self._outcomes[outcome] += 1
        self._reports_lost += result.reports_lost
        return result

    def _carried(self, place: Place, task: asyncio.Task[SendResult]) -> None:
        place.leave()
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, should its callers all be gone

    async def _land(self, flight: Flight, repeat: RepeatKey | None) -> SendResult:
        """Wait for a send, with whoever else does; the last to go cancels it."""
        flight.waiting += 1
        try:
            await asyncio.wait({flight.task})
        except asyncio.CancelledError:
            if flight.waiting == 1:
                if repeat is not None:
                    self._repeats.forsake(repeat)
                flight.task.cancel()
                await asyncio.wait({flight.task}, timeout=_CANCELLED_WITHIN_S)
            raise
        finally:
            flight.waiting -= 1
        if flight.task.cancelled():
            raise GatewayClosedError(True)
        return flight.task.result()
