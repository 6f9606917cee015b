"""Set-ups that a config may name, good and bad."""

from __future__ import annotations

from typing import Any

from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from ray_router.core.events import Observer
from ray_router.telemetry import Home, LaneHome, Providers
from ray_router.testing import RecordingObserver

from .reading import InMemory

MEMORY = InMemory()
SEEN = RecordingObserver()
HOMES: list[Home | LaneHome] = []


def private(home: Home | LaneHome) -> Providers:
    """Providers of its own, without traces."""
    HOMES.append(home)
    return Providers(MEMORY.provider)


def observing(home: Home | LaneHome) -> Observer:
    """An observer of its own."""
    HOMES.append(home)
    return SEEN


def nothing(home: Home | LaneHome) -> None:
    """What sets nothing up."""
    HOMES.append(home)


def failing(home: Home | LaneHome) -> None:
    """What fails."""
    raise OSError("no collector")


def wrong(home: Home | LaneHome) -> str:
    """What returns something else."""
    return "telemetry"


class Unflushable(MeterProvider):
    """A provider that cannot be flushed."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Fail."""
        raise OSError("no collector")


def unflushable(home: Home | LaneHome) -> Providers:
    """A provider that cannot be flushed."""
    return Providers(Unflushable())


class Meterless(MeterProvider):
    """A provider that gives no meter."""

    def get_meter(self, *_: Any, **__: Any) -> Meter:
        """Fail."""
        raise OSError("no collector")


class Tracerless(TracerProvider):
    """A provider that gives no tracer."""

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        """Fail."""
        raise OSError("no collector")


def no_meter(home: Home | LaneHome) -> Providers:
    """A provider that gives no meter, beside one that gives a tracer."""
    return Providers(Meterless(), TracerProvider())


def no_tracer(home: Home | LaneHome) -> Providers:
    """A provider that gives no tracer, beside one that gives a meter."""
    return Providers(MEMORY.provider, Tracerless())
