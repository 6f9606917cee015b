"""The gateway: resolves where a message goes, sends it there, and reports what became of it.

>>> import asyncio
>>> from ray_router import Route
>>> from ray_router.testing import local_router
>>> class Printer:
...     async def send(self, route, payload):
...         print(f"to {route.external_room_id} of {route.instance}: {payload}")
...         return Delivered()
>>> router = local_router()
>>> _ = router.set("telegram:bot_1:42", Route("42")).result()
>>> result = asyncio.run(OutboundGateway(router, {"telegram": Printer()}).send("telegram:bot_1:42", "hello"))
to 42 of bot_1: hello
>>> result.outcome.value, result.resolution.source.value, len(result.attempts)
('delivered', 'exact', 1)
"""

from ray_router.gateway.errors import (
    GatewayClosedError,
    GatewayMismatchError,
    GatewayNotFoundError,
    GatewayOverloadedError,
    GatewayUnavailableError,
    NoSenderError,
    NotDeliveredError,
    OutcomeUnknownError,
)
from ray_router.gateway.gateway import Gateway, OutboundGateway
from ray_router.gateway.priority import Priority
from ray_router.gateway.result import Attempt, AttemptOutcome, GatewayStats, SendOutcome, SendResult
from ray_router.gateway.sender import (
    Blame,
    Delivered,
    Moved,
    Permanent,
    Retryable,
    Sender,
    Senders,
    Undelivered,
    Verdict,
    judge_exception,
)
from ray_router.gateway.settings import GatewaySettings

__all__ = [
    "Attempt",
    "AttemptOutcome",
    "Blame",
    "Delivered",
    "Gateway",
    "GatewayClosedError",
    "GatewayMismatchError",
    "GatewayNotFoundError",
    "GatewayOverloadedError",
    "GatewaySettings",
    "GatewayStats",
    "GatewayUnavailableError",
    "Moved",
    "NoSenderError",
    "NotDeliveredError",
    "OutboundGateway",
    "OutcomeUnknownError",
    "Permanent",
    "Priority",
    "Retryable",
    "SendOutcome",
    "SendResult",
    "Sender",
    "Senders",
    "Undelivered",
    "Verdict",
    "judge_exception",
]
