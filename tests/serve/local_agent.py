"""An agent and its senders for a front in this process: what is sent is kept here."""

from __future__ import annotations

from typing import Any

from ray_router.gateway import Delivered, Gateway, Verdict
from ray_router.handle import RouterHandle
from ray_router.ingest import Admitted, Handler
from ray_router.model import Route, Scope

SENT: list[tuple[Route, Any]] = []


class KeepingSender:
    """Stands for Telegram's own."""

    async def send(self, route: Route, payload: Any) -> Verdict:
        SENT.append((route, payload))
        return Delivered()


def make_senders() -> dict[str, KeepingSender]:
    """For Telegram alone."""
    return {"telegram": KeepingSender()}


def make_handler(router: RouterHandle, gateway: Gateway) -> Handler:
    """Says the same again, where it was said."""

    async def handle(admitted: Admitted) -> None:
        message = admitted.message
        sent = await gateway.send(
            message.key, message.text, [message.route], message.message_id, widest_scope=Scope.THREAD
        )
        sent.require()

    return handle
