"""What watches the calls of handles: in an application's process, which owns its SDK, or in a gateway's lane.

An application sets global providers, if it wants any; handles and gateways in its process use them. A
lane's process is the router's own, and is set up as a partition's is.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from ray_router.core.events import Observer, guarded
from ray_router.errors import InvalidConfigError
from ray_router.telemetry.fan_out import joined
from ray_router.telemetry.home import LaneHome, Providers
from ray_router.telemetry.providers import (
    SCOPE,
    close_all,
    flushes,
    given_up,
    made_by,
    set_providers,
    tracer_of,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = logging.getLogger(__name__)


class HandleTelemetry:
    """What watches the calls of a handle. ``tracer`` is None when nobody records traces."""

    def __init__(self, observer: Observer | None, tracer: Tracer | None) -> None:
        self.tell = None if observer is None else guarded(observer)
        self.tracer = tracer


class LaneTelemetry:
    """What watches a lane of a gateway in its process.

    ``tracer``: records its sends; None: nobody does. ``problem``: why it is not as it was wanted, if so.
    """

    def __init__(self, made: Providers | Observer, problem: InvalidConfigError | None = None) -> None:
        self._made = made
        self.tracer = tracer_of(made)
        self.problem = problem

    def calls(self, router: str, ray_metrics: bool) -> HandleTelemetry | None:
        """What watches the lane's calls to the router; None for nothing."""
        return _watching(router, ray_metrics, self._made)

    def close(self) -> None:
        """Flush what was collected."""
        close_all(flushes(self._made))


def for_lane(setting: str | None, home: LaneHome) -> LaneTelemetry:
    """Set up the telemetry of a gateway's lane in its own process; raises nothing.

    Args:
        setting: ``"module:function"``, see ``SetUp``; None leaves it to the ``OTEL_*`` variables.
    """
    try:
        return LaneTelemetry(made_by(setting, home))
    except Exception as error:  # whatever goes wrong here, the lane must live
        return LaneTelemetry(Providers(), given_up(setting, home, error))


def for_handle(router: str, ray_metrics: bool) -> HandleTelemetry | None:
    """What watches the calls of a router's handle in an application's process; None for nothing.

    Args:
        ray_metrics: whether Ray's own metrics are fed too, in a process that is connected to Ray.
    """
    return _watching(router, ray_metrics, set_providers())


def application_tracer() -> Tracer | None:
    """The tracer of this process's application; None when it has set up nothing that would record."""
    return tracer_of(set_providers())


def _watching(router: str, ray_metrics: bool, made: Providers | Observer) -> HandleTelemetry | None:
    observers: list[Observer | None] = []
    tracer = tracer_of(made)
    if not isinstance(made, Providers):
        observers.append(made)
    try:
        if isinstance(made, Providers) and made.meter_provider is not None:
            from ray_router.telemetry.otel import OtelCalls

            observers.append(OtelCalls(router, made.meter_provider.get_meter(SCOPE)))
        if ray_metrics and _on_ray():
            from ray_router.telemetry.ray_metrics import RayCalls

            observers.append(RayCalls(router))
    except Exception:  # a handle without telemetry is better than none
        _log.exception("the handle of router %r goes without metrics", router)
    observer = joined(observers)
    return None if observer is None and tracer is None else HandleTelemetry(observer, tracer)


def _on_ray() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())
