"""What a handle needs of a runtime, and the runtime that needs nothing: this process."""

from ray_router.transport.local import LocalTransport
from ray_router.transport.protocol import (
    Control,
    Directory,
    Fault,
    NotYet,
    PartitionBroken,
    PartitionGone,
    PartitionLost,
    Pulse,
    Request,
    Revive,
    Ticket,
    Transport,
)
from ray_router.transport.shell import PartitionShell
from ray_router.wire import Batch, Response

__all__ = [
    "Batch",
    "Control",
    "Directory",
    "Fault",
    "LocalTransport",
    "NotYet",
    "PartitionBroken",
    "PartitionGone",
    "PartitionLost",
    "PartitionShell",
    "Pulse",
    "Request",
    "Response",
    "Revive",
    "Ticket",
    "Transport",
]
