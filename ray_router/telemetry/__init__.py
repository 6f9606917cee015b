"""What a router does, told to OpenTelemetry and to Ray's own metrics. Importing this loads neither."""

from ray_router.telemetry.calls import (
    HandleTelemetry,
    LaneTelemetry,
    application_tracer,
    for_handle,
    for_lane,
)
from ray_router.telemetry.fan_out import FanOut
from ray_router.telemetry.home import Home, LaneHome, Providers, SetUp
from ray_router.telemetry.instruments import INSTRUMENTS, Instrument, Kind
from ray_router.telemetry.setup import PartitionTelemetry, for_partition, work_of

__all__ = [
    "INSTRUMENTS",
    "FanOut",
    "HandleTelemetry",
    "Home",
    "Instrument",
    "Kind",
    "LaneHome",
    "LaneTelemetry",
    "PartitionTelemetry",
    "Providers",
    "SetUp",
    "application_tracer",
    "for_handle",
    "for_lane",
    "for_partition",
    "work_of",
]
