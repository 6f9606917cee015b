"""``Ingest``: dedupe, gating, moderation, the handler, and on success the route. In this order, each once.

The route is written when the handler has succeeded, with the event's own time, so that a backlog that
arrives late changes nothing that is newer. What the router says to it is on the result and never fails a
message: the user has been heard, and will be heard again.

What it remembers is this object's alone. Where several of them receive for one bot (the replicas of a web
service), a platform's retry may reach another one, and the handler must bear to see it twice.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from ray_router.budget import CancelledItselfError, OverBudgetError, within
from ray_router.channels import InboundMessage
from ray_router.errors import InvalidCallError, InvalidInputError, RouterError
from ray_router.handle import RouterHandle
from ray_router.ingest.dedupe import Dedupe, MessageKey, message_key
from ray_router.ingest.policy import Policy, ask
from ray_router.ingest.result import Decision, IngestOutcome, IngestResult, PolicyOutcome, Stage, flags
from ray_router.ingest.settings import IngestSettings
from ray_router.model import Origin, SetOutcome

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a handler is given: the message as the policies left it, and their remarks."""

    message: InboundMessage
    flags: tuple[Decision, ...] = ()


Handler = Callable[[Admitted], Awaitable[object]]


class Ingest:
    """Receives messages, for one event loop.

    Args:
        router: where routes are written.
        handler: does the work; what it returns is on the result. A reply from inside it must bring the
            message's own route as a fallback, since the route is stored only when it has succeeded; and
            ``widest_scope=Scope.THREAD``, since the room of a new thread, which is known, would come first.
        gaters: asked first, one after the other, who may speak.
        moderators: asked then, one after the other, what may be said.
        settings: the bounds.
        clock: epoch seconds; the time of a message whose platform states none.
        monotonic: monotonic seconds; measures, and ages what is remembered.

    Raises:
        InvalidCallError: a gater or moderator is no ``Policy``.
    """

    def __init__(
        self,
        router: RouterHandle,
        handler: Handler,
        *,
        gaters: Iterable[Policy] = (),
        moderators: Iterable[Policy] = (),
        settings: IngestSettings | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or IngestSettings()
        self._router = router
        self._handler = handler
        self._policies = (
            *_staged(Stage.GATING, "gaters", gaters),
            *_staged(Stage.MODERATION, "moderators", moderators),
        )
        self._clock = clock
        self._monotonic = monotonic
        self._dedupe = Dedupe(self.settings.remembered_messages, self.settings.remembered_for_s, monotonic)
        self._receiving = 0

    async def receive(self, message: InboundMessage) -> IngestResult:
        """Receive a message, and say what became of it. Raises nothing but ``CancelledError``.

        Of two deliveries of one message at once the handler sees the first. The second waits for the
        first's fate: it is a duplicate if that is final, fails with it if it failed, and takes its place if
        it was cancelled.
        """
        begun_at = self._monotonic()
        if self._receiving >= self.settings.max_in_progress:
            problem = f"{self._receiving} messages are being received, which is the limit"
            result = IngestResult(message, IngestOutcome.OVERLOADED, problem=problem)
        else:
            self._receiving += 1
            try:
                result = await self._receive(message_key(message), message)
            finally:
                self._receiving -= 1
        return replace(result, elapsed_s=self._monotonic() - begun_at)

    async def _receive(self, key: MessageKey, message: InboundMessage) -> IngestResult:
        while True:
            known = self._dedupe.received(key)
            if known is not None:
                return IngestResult(message, IngestOutcome.DUPLICATE, first=known)
            ahead = self._dedupe.being_received(key)
            if ahead is None:
                break
            if (fate := await ahead.learn()) is not None:
                return _shared(message, fate)
        self._dedupe.begin(key)
        result = None
        try:
            result = await self._receive_first(key, message)
        finally:
            self._dedupe.end(key, result)
        return result

    async def _receive_first(self, key: MessageKey, message: InboundMessage) -> IngestResult:
        observed_at = self._clock() if message.observed_at is None else message.observed_at
        decisions: list[Decision] = []
        for stage, policy in self._policies:
            decision, message = await ask(
                policy, stage, message, on_fault=self.settings.on_policy_fault, monotonic=self._monotonic
            )
            decisions.append(decision)
            if decision.outcome is PolicyOutcome.DENY:
                if decision.fault is None:
                    self._dedupe.remember(key, IngestOutcome.DENIED)
                problem = f"{policy.name}: {decision.reason or 'it gave no reason'}"
                return IngestResult(message, IngestOutcome.DENIED, tuple(decisions), problem=problem)
        handled = await self._handle(message, tuple(decisions))
        if not handled.accepted:
            return handled
        # Whatever comes now, a cancellation too, the work is done and must not be done again.
        self._dedupe.remember(key, IngestOutcome.ACCEPTED)
        return await self._write_route(handled, observed_at)

    async def _handle(self, message: InboundMessage, decisions: tuple[Decision, ...]) -> IngestResult:
        admitted = Admitted(message, flags(decisions))
        try:
            returned = await within(self.settings.handler_timeout_s, lambda: self._handler(admitted))
        except (OverBudgetError, CancelledItselfError) as error:
            problem = f"the handler: {error}"
        except Exception as error:  # a handler is foreign code
            _log.warning("the handler failed with %s", _raised(error))
            problem = f"the handler raised {type(error).__name__}: {error}"
        else:
            return IngestResult(message, IngestOutcome.ACCEPTED, decisions, returned=returned)
        return IngestResult(message, IngestOutcome.FAILED, decisions, problem=problem[:500])

    async def _write_route(self, handled: IngestResult, observed_at: float) -> IngestResult:
        message = handled.message
        try:
            written = await self._router.set(message.key, message.route, observed_at, Origin.INBOUND)
        except InvalidInputError as error:
            return replace(handled, route_problem=str(error))
        except RouterError as error:
            return replace(handled, route_write=SetOutcome.UNAVAILABLE, route_problem=str(error))
        return replace(handled, route_write=written.outcome)


def _raised(error: Exception) -> str:
    """What was raised and where, without its text: that may be the user's."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}"


def _staged(stage: Stage, field: str, policies: Iterable[Policy]) -> list[tuple[Stage, Policy]]:
    staged = [(stage, policy) for policy in policies]
    for index, (_, policy) in enumerate(staged):
        if not isinstance(policy, Policy):
            raise InvalidCallError(f"{field}[{index}]", f"must be a Policy, not {type(policy).__name__}")
    return staged


def _shared(message: InboundMessage, first: IngestResult) -> IngestResult:
    """What the first delivery's result means for another that waited for it."""
    if first.outcome is IngestOutcome.FAILED:
        return replace(first, message=message)
    return IngestResult(message, IngestOutcome.DUPLICATE, first=first.outcome)
