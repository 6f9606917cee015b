"""``GatewayActor``: one lane of a gateway as a Ray asyncio actor. A thin shell: names, plans, no rules.

The sends of a lane run in the actor's own event loop; control calls have another, so that a sign of life
and the stats are not behind a sender that blocks.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Union

import ray
from xxhash import xxh3_64_intdigest

from ray_router.errors import InvalidConfigError, RouterError
from ray_router.gateway import (
    GatewaySettings,
    GatewayStats,
    GatewayUnavailableError,
    OutboundGateway,
    Priority,
    Senders,
    SendResult,
)
from ray_router.gateway.arrivals import Arrivals, CallId
from ray_router.gateway.sender import problem_of
from ray_router.handle import RouterHandle
from ray_router.model import Confidence, Route, Scope
from ray_router.runtime.transport import RayTransport
from ray_router.telemetry import LaneHome, for_lane

CONCURRENCY_GROUPS = {"control": 4}
SPARE_CALLS = 1_000  # beyond max_pending: repeats, and calls that are just being refused
_PREFIX = "ray_router_gateway"
_PATIENCE_S = 1.0  # for a call that the caller made earlier; Ray mixes them up by milliseconds

SenderFactory = Union[str, Callable[[], Senders]]
"""``"module:function"``, or a picklable function: makes the senders, in each actor."""


def lane_name(gateway: str, lane: int) -> str:
    """The Ray name of a lane's actor; never that of a partition, whose prefix differs."""
    return f"{_PREFIX}:{gateway}:{lane}"


def lane_of(name: str, gateway: str) -> int | None:
    """The lane whose actor has this name; None when it is no actor of this gateway."""
    prefix, _, lane = name.rpartition(":")
    return int(lane) if prefix == f"{_PREFIX}:{gateway}" and lane.isdecimal() else None


def factory_name(factory: SenderFactory) -> str:
    """By what two deployments' factories are compared: where it is defined, not what it does."""
    if isinstance(factory, str):
        return factory
    name = getattr(factory, "__qualname__", type(factory).__qualname__)
    return f"{getattr(factory, '__module__', type(factory).__module__)}:{name}"


@dataclass(frozen=True)
class GatewayPlan:
    """What a gateway was deployed as. ``telemetry``: what sets it up in each lane's process, if anything."""

    name: str
    namespace: str
    lanes: int
    router_name: str
    senders: str
    settings: GatewaySettings = field(default_factory=GatewaySettings)
    num_cpus: float = 0.01
    telemetry: str | None = None

    def differences(self, other: GatewayPlan) -> tuple[str, ...]:
        """One line for each difference, with both values."""
        ours = [
            f"{name} is {getattr(other, name)!r}, not {getattr(self, name)!r}"
            for name in ("lanes", "router_name", "senders", "num_cpus", "telemetry")
            if getattr(self, name) != getattr(other, name)
        ]
        return (*ours, *self.settings.differences(other.settings))

    @cached_property
    def fingerprint(self) -> int:
        """A 64-bit hash of it all: handles and actors of one deployment share it."""
        told = (self.name, self.lanes, self.router_name, self.senders, self.settings)
        return xxh3_64_intdigest(repr(told).encode())


class SendCall(NamedTuple):
    """One send on its way to its lane: the arguments of ``send``, and what keeps them in order.

    ``traceparent``: of the span that records the call, if one does.
    """

    fingerprint: int
    call: CallId
    after: CallId | None
    key: str
    payload: object
    fallbacks: Sequence[Route]
    idempotency_key: str | None
    min_confidence: Confidence
    allow_stale: bool
    widest_scope: Scope
    priority: Priority
    traceparent: str | None = None


class LaneHello(NamedTuple):
    """What an actor says of its gateway. ``problem``: why this lane cannot work, if so."""

    plan: GatewayPlan
    problem: InvalidConfigError | None


class GatewayActor:
    """One lane. Its constructor never raises: Ray makes such a death permanent."""

    def __init__(self, lane: int, plan: GatewayPlan, factory: SenderFactory) -> None:
        self._lane = lane
        self._plan = plan
        self._factory = factory
        self._arrivals = Arrivals(2 * (plan.settings.max_pending + SPARE_CALLS), _PATIENCE_S)
        self._gateway: OutboundGateway | None = None
        self._problem: InvalidConfigError | None = None
        self._reborn = ray.get_runtime_context().was_current_actor_reconstructed
        self._telemetry = for_lane(plan.telemetry, LaneHome(plan.name, lane, plan.router_name))
        self._build()

    async def send(self, call: SendCall) -> SendResult | RouterError:
        """Send; what the gateway raises on purpose comes back as a value."""
        if self._telemetry.tracer is None:
            return await self._send(call)
        from ray_router.telemetry.gateway_spans import receiving
        from ray_router.telemetry.spans import note_failure

        with receiving(self._telemetry.tracer, call.traceparent, self._plan.name, self._lane) as span:
            answer = await self._send(call)
            if isinstance(answer, RouterError):
                note_failure(span, answer)
            return answer

    async def _send(self, call: SendCall) -> SendResult | RouterError:
        await self._arrivals.come_in(call.call, call.after)
        try:
            return await self._ready(call.fingerprint).send(
                call.key,
                call.payload,
                call.fallbacks,
                call.idempotency_key,
                min_confidence=call.min_confidence,
                allow_stale=call.allow_stale,
                widest_scope=call.widest_scope,
                priority=call.priority,
            )
        except RouterError as error:
            return error

    async def close(self, drain_s: float) -> int:
        """Accept nothing more, and wait for what is pending; returns how many messages were cut short.

        What telemetry was collected is flushed.
        """
        cut_short = 0 if self._gateway is None else await self._gateway.aclose(drain_s)
        await asyncio.to_thread(self._telemetry.close)
        return cut_short

    @ray.method(concurrency_group="control")
    async def hello(self) -> LaneHello:
        """What a newcomer needs to know."""
        later_lives_go_without = None if self._reborn else self._telemetry.problem
        return LaneHello(self._plan, self._problem or later_lives_go_without)

    @ray.method(concurrency_group="control")
    async def ping(self) -> None:
        """A sign of life."""

    @ray.method(concurrency_group="control")
    async def stats(self) -> GatewayStats | None:
        """What the lane holds and has done."""
        return None if self._gateway is None else self._gateway.stats()

    def _ready(self, fingerprint: int) -> OutboundGateway:
        """The gateway; a factory that failed is tried again, since what it lacked may have come."""
        if fingerprint != self._plan.fingerprint:
            problem = "it was deployed anew with another config: connect again"
            raise GatewayUnavailableError(self._lane, problem)
        if self._gateway is None:
            self._build()
        if self._gateway is None:
            raise GatewayUnavailableError(self._lane, str(self._problem))
        return self._gateway

    def _build(self) -> None:
        try:
            senders = _make(self._factory)
        except Exception as error:  # the factory is foreign code
            problem = f"{self._plan.senders!r} failed in the actor: {problem_of(error)}"
            self._problem = InvalidConfigError("senders", problem)
            return
        router = RouterHandle(
            RayTransport(self._plan.router_name, self._plan.namespace),
            watching=lambda config: self._telemetry.calls(config.name, config.ray_metrics),
        )
        self._gateway = OutboundGateway(
            router, senders, settings=self._plan.settings, tracer=self._telemetry.tracer
        )
        self._problem = None


def _make(factory: SenderFactory) -> Senders:
    if isinstance(factory, str):
        module, _, function = factory.partition(":")
        factory = getattr(importlib.import_module(module), function)
    senders: Any = factory()  # type: ignore[operator]  # checked by calling it
    if not callable(senders) and not callable(getattr(senders, "get", None)):
        raise TypeError(f"it made {type(senders).__name__}, neither a mapping nor a function")
    made: Senders = senders
    return made
