"""What a handle needs of a runtime, and the runtime that needs nothing: this process."""

from ray_router.transport.local import LocalTransport
from ray_router.transport.protocol import (
    Control,
    Decree,
    Directory,
    Elastic,
    Fault,
    HandOff,
    NotYet,
    Page,
    PartitionBroken,
    PartitionGone,
    PartitionLost,
    Pulse,
    ReadPage,
    Request,
    Revive,
    TakeIn,
    TakenIn,
    Ticket,
    Transport,
)
from ray_router.transport.shell import PartitionShell
from ray_router.wire import Batch, Response

__all__ = [
    "Batch",
    "Control",
    "Decree",
    "Directory",
    "Elastic",
    "Fault",
    "HandOff",
    "LocalTransport",
    "NotYet",
    "Page",
    "PartitionBroken",
    "PartitionGone",
    "PartitionLost",
    "PartitionShell",
    "Pulse",
    "ReadPage",
    "Request",
    "Response",
    "Revive",
    "TakeIn",
    "TakenIn",
    "Ticket",
    "Transport",
]
