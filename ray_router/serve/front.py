"""``Front``: what was let in goes through ingest; the worst of what becomes of it is the answer.

Messages of one session are received one after the other, in their order, sessions beside each other. A
platform does not wait for longer than ``answer_within_s``; what is under way then is finished all the same.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum

from ray_router.channels import InboundMessage, Parsed
from ray_router.errors import InvalidConfigError, RouterError
from ray_router.gateway import Gateway, OutboundGateway
from ray_router.handle import RouterHandle
from ray_router.ingest import Admitted, Handler, Ingest, IngestOutcome, IngestResult, Policy
from ray_router.model import RouterStats
from ray_router.serve.plugins import made_by
from ray_router.serve.settings import FrontSettings

_log = logging.getLogger(__name__)

_ROUTER_ANSWERS_WITHIN_S = 1.0
_STATE_HOLDS_FOR_S = 1.0


class Receipt(str, Enum):
    """What became of a delivery as a whole.

    ``RECEIVED`` all of it has its final fate; ``UNDER_WAY`` it is being worked on; ``FAILED`` a handler
    failed; ``OVERLOADED`` there was no room. After the last two it should be delivered again.
    """

    RECEIVED = "received"
    UNDER_WAY = "under_way"
    FAILED = "failed"
    OVERLOADED = "overloaded"


class RouterState(str, Enum):
    """Whether the router answers: all of it, some of it, or nothing."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Front:
    """One replica's state, for one event loop.

    Args:
        settings: what it is set to.
        router: where routes come from and go to.
        gateway: what replies are sent through; without one it is made of the settings' senders, if any.
        clock: epoch seconds.

    Raises:
        InvalidConfigError: a secret or a plug-in is not where the settings say, or does not work.
    """

    def __init__(
        self,
        settings: FrontSettings,
        router: RouterHandle,
        gateway: Gateway | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.router = router
        self.clock = clock
        self.endpoints = settings.endpoints(clock)
        self.api_tokens = [
            reference.read(f"api_tokens.{index}") for index, reference in enumerate(settings.api_tokens)
        ]
        self.counts: Counter[str] = Counter()
        self._own_gateway: OutboundGateway | None = None
        if gateway is None and settings.senders is not None:
            senders = made_by("senders", settings.senders)
            gateway = self._own_gateway = OutboundGateway(router, senders, settings=settings.sending)
        self._ingest = Ingest(
            router,
            _handler(settings, router, gateway),
            gaters=_policies("gaters", settings.gaters),
            moderators=_policies("moderators", settings.moderators),
            settings=settings.ingest,
            clock=clock,
        )
        self._under_way: set[asyncio.Task[list[IngestResult]]] = set()
        self._state = RouterState.DOWN
        self._state_until = -1.0

    async def receive(self, parsed: Parsed) -> Receipt:
        """Receive what a delivery holds."""
        self.counts.update(f"ignored.{each.reason.value}" for each in parsed.ignored)
        sessions: dict[str, list[InboundMessage]] = {}
        for message in parsed.messages:
            sessions.setdefault(str(message.key), []).append(message)
        tasks = {asyncio.create_task(self._receive(messages)) for messages in sessions.values()}
        if not tasks:
            return Receipt.RECEIVED
        self._under_way |= tasks
        for task in tasks:
            task.add_done_callback(self._under_way.discard)
        done, pending = await asyncio.wait(tasks, timeout=self.settings.answer_within_s)
        outcomes = {result.outcome for task in done for result in task.result()}
        if IngestOutcome.OVERLOADED in outcomes:
            return Receipt.OVERLOADED
        if IngestOutcome.FAILED in outcomes:
            return Receipt.FAILED
        return Receipt.UNDER_WAY if pending else Receipt.RECEIVED

    def admits(self, token: str) -> bool:
        """Whether a bearer token is one of the API's; counts those that are not.

        Compares with all of them, so that the time does not tell which it was.
        """
        shown = token.encode("utf-8", "surrogateescape")
        known = any([hmac.compare_digest(each, shown) for each in self.api_tokens])  # noqa: C419  # a generator would stop
        if not known:
            self.counts["refused.api_token"] += 1
        return known

    async def router_state(self) -> RouterState:
        """Whether the router answers; asked at most once a second, however often it is wanted."""
        now = time.monotonic()
        if now >= self._state_until:
            self._state_until = now + _ROUTER_ANSWERS_WITHIN_S + _STATE_HOLDS_FOR_S
            try:
                stats = await asyncio.wait_for(_stats(self.router), _ROUTER_ANSWERS_WITHIN_S)
            except (RouterError, asyncio.TimeoutError):
                self._state = RouterState.DOWN
            else:
                lost = len(stats.down)
                self._state = RouterState.DEGRADED if lost else RouterState.UP
                if lost == len(stats.partitions):
                    self._state = RouterState.DOWN
            self._state_until = time.monotonic() + _STATE_HOLDS_FOR_S
        return self._state

    async def aclose(self) -> None:
        """Finish what is under way, then close the gateway that is its own."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self.settings.ingest.handler_timeout_s)
        if self._own_gateway is not None:
            await self._own_gateway.aclose()

    async def _receive(self, messages: Iterable[InboundMessage]) -> list[IngestResult]:
        results = []
        for message in messages:
            result = await self._ingest.receive(message)
            self.counts[f"received.{result.outcome.value}"] += 1
            if result.route_write is not None:
                self.counts[f"route.{result.route_write.value}"] += 1
            elif result.route_problem is not None:
                self.counts["route.refused"] += 1
            results.append(result)
        return results


async def _accept(admitted: Admitted) -> None:
    """The handler of a front that only keeps routes."""


def _handler(settings: FrontSettings, router: RouterHandle, gateway: Gateway | None) -> Handler:
    if settings.handler is None:
        return _accept
    handler = made_by("handler", settings.handler, router, gateway)
    if not callable(handler):
        raise InvalidConfigError(
            "handler", f"{settings.handler!r} made {type(handler).__name__}, not a callable"
        )
    made: Handler = handler
    return made


def _policies(field: str, plugin: str | None) -> tuple[Policy, ...]:
    if plugin is None:
        return ()
    policies = made_by(field, plugin)
    if not isinstance(policies, Iterable):
        raise InvalidConfigError(field, f"{plugin!r} made {type(policies).__name__}, not policies")
    return tuple(policies)


async def _stats(router: RouterHandle) -> RouterStats:
    return await router.stats()
