"""``Home``, ``LaneHome``: who a process is to whoever sets its telemetry up; and what they may make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union
from uuid import uuid4

from ray_router.core.events import Observer

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


@dataclass(frozen=True, slots=True)
class Home:
    """One life of one partition. ``instance_id`` is another one in each life, in each process."""

    router: str
    partition: int
    incarnation: int
    instance_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def resource_attributes(self) -> dict[str, str | int]:
        """For an OpenTelemetry ``Resource``, by the semantic conventions."""
        return _process(self.instance_id, self.router) | {
            "ray_router.partition": self.partition,
            "ray_router.incarnation": self.incarnation,
        }


@dataclass(frozen=True, slots=True)
class LaneHome:
    """One life of one lane of a gateway on Ray. ``router``: the one that it asks."""

    gateway: str
    lane: int
    router: str
    instance_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def resource_attributes(self) -> dict[str, str | int]:
        """For an OpenTelemetry ``Resource``, by the semantic conventions."""
        return _process(self.instance_id, self.router) | {
            "ray_router.gateway": self.gateway,
            "ray_router.lane": self.lane,
        }


def _process(instance_id: str, router: str) -> dict[str, str | int]:
    """What the resources of all our processes have."""
    return {
        "service.name": "ray_router",
        "service.instance.id": instance_id,
        "ray_router.router": router,
    }


AnyHome = Union[Home, LaneHome]


@dataclass(frozen=True, slots=True)
class Providers:
    """Providers of OpenTelemetry to use instead of the global ones; None for nothing of that kind."""

    meter_provider: MeterProvider | None = None
    tracer_provider: TracerProvider | None = None


SetUp = Callable[[AnyHome], Union[Providers, Observer, None]]
"""What ``telemetry="module:function"`` names: called once in each life of a partition or of a gateway's lane,
before its first call.

It may set OpenTelemetry's global providers and return None; return ``Providers`` of its own; or return an
observer, which is then told every event. What it raises is logged, and the process goes without.
"""
