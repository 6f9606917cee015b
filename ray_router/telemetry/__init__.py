"""What a router does, told to OpenTelemetry and to Ray's own metrics. Importing this loads neither."""

from ray_router.telemetry.fan_out import FanOut
from ray_router.telemetry.home import Home, Providers, SetUp
from ray_router.telemetry.instruments import INSTRUMENTS, Instrument, Kind
from ray_router.telemetry.setup import (
    HandleTelemetry,
    PartitionTelemetry,
    application_tracer,
    for_handle,
    for_partition,
    work_of,
)

__all__ = [
    "INSTRUMENTS",
    "FanOut",
    "HandleTelemetry",
    "Home",
    "Instrument",
    "Kind",
    "PartitionTelemetry",
    "Providers",
    "SetUp",
    "application_tracer",
    "for_handle",
    "for_partition",
    "work_of",
]
