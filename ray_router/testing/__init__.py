"""For testing what uses a router: no Ray, time that stands still, partitions that fail on demand."""

from ray_router.testing.clock import ManualClock
from ray_router.testing.faulty import FaultyTransport, HeldTicket, wait_until
from ray_router.testing.recording import RecordingObserver, local_router, loud

__all__ = [
    "FaultyTransport",
    "HeldTicket",
    "ManualClock",
    "RecordingObserver",
    "local_router",
    "loud",
    "wait_until",
]
