"""An agent and its senders for a front on Ray Serve: what is sent is recorded by an actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import ray

from ray_router.gateway import Delivered, Gateway, SendResult, Verdict
from ray_router.handle import RouterHandle
from ray_router.ingest import Admitted, Handler, Policy, Ruling
from ray_router.model import FallbackReason, Route, Scope

RECORDER = "recorder"
NAMESPACE = "front_recorder"


class Sent(NamedTuple):
    """A reply that a platform was given."""

    channel: str
    instance: str
    room: str
    thread: str | None
    metadata: dict[str, str]
    payload: Any


class Recorder:
    """Keeps what was sent, and what became of it."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._unavailable = 0
        self._results = 0

    def record(self, sent: Sent) -> None:
        self._sent.append(sent)

    def count(self, unavailable: bool) -> None:
        self._results += 1
        self._unavailable += unavailable

    def sent(self) -> list[Sent]:
        return self._sent

    def counts(self) -> tuple[int, int]:
        """Results, and how many of them came from a fallback because the router was down."""
        return self._results, self._unavailable


def recorder() -> Any:
    """The one that is there."""
    return ray.get_actor(RECORDER, namespace=NAMESPACE)


class RecordingSender:
    """Stands for a platform's own sender."""

    async def send(self, route: Route, payload: Any) -> Verdict:
        assert route.channel is not None and route.instance is not None  # a gateway fills them in
        sent = Sent(
            route.channel,
            route.instance,
            route.external_room_id,
            route.external_thread_id,
            dict(route.metadata),
            payload,
        )
        await recorder().record.remote(sent)
        return Delivered()


def make_senders() -> Callable[[str], RecordingSender]:
    """One for every channel."""
    sender = RecordingSender()
    return lambda channel: sender


def make_handler(router: RouterHandle, gateway: Gateway) -> Handler:
    """Answers every message where it came from."""

    async def handle(admitted: Admitted) -> SendResult:
        message = admitted.message
        # The thread's route is stored once this has succeeded; the room's, known before, would come first.
        result = await gateway.send(
            message.key, {"to": message.message_id}, [message.route], widest_scope=Scope.THREAD
        )
        resolution = result.resolution
        down = resolution is not None and resolution.reason is FallbackReason.UNAVAILABLE
        await recorder().count.remote(down)
        return result.require()

    return handle


def make_failing_handler(router: RouterHandle, gateway: Gateway | None) -> Handler:
    """Fails at every message."""

    async def handle(admitted: Admitted) -> None:
        raise OSError("no disk")

    return handle


def make_gaters() -> list[Policy]:
    """Nobody who is named 42 may speak."""

    async def judge(message: Any) -> Ruling:
        return Ruling.deny("not you") if message.user == "42" else Ruling.allow()

    return [Policy("not_42", judge)]


def make_nonsense(*arguments: object) -> int:
    """A plug-in that makes nothing of use."""
    return 7
