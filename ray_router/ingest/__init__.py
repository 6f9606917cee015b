"""Ingest: from an inbound message to a handler that has done its work, and a route that is known.

>>> import asyncio
>>> from ray_router.channels import find_channel
>>> from ray_router.testing import ManualClock, local_router
>>> payload = {"update_id": 1, "message": {
...     "message_id": 7, "date": 1569518342, "chat": {"id": 42, "type": "private"}, "text": "hello"}}
>>> [message] = find_channel("telegram").parse(payload, "bot_1").messages
>>> async def handler(admitted):
...     return admitted.message.text.upper()
>>> ingest = Ingest(local_router(clock=ManualClock(1569518400)), handler)
>>> async def twice():
...     return await ingest.receive(message), await ingest.receive(message)
>>> first, second = asyncio.run(twice())
>>> first.outcome.value, first.returned, first.route_write.value, second.outcome.value
('accepted', 'HELLO', 'stored', 'duplicate')
"""

from ray_router.ingest.pipeline import Admitted, Handler, Ingest
from ray_router.ingest.policy import Judge, OnFault, Policy, Ruling
from ray_router.ingest.result import (
    Decision,
    IngestOutcome,
    IngestResult,
    PolicyFault,
    PolicyOutcome,
    Stage,
)
from ray_router.ingest.settings import IngestSettings

__all__ = [
    "Admitted",
    "Decision",
    "Handler",
    "Ingest",
    "IngestOutcome",
    "IngestResult",
    "IngestSettings",
    "Judge",
    "OnFault",
    "Policy",
    "PolicyFault",
    "PolicyOutcome",
    "Ruling",
    "Stage",
]
