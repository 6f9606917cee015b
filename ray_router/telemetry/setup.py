"""Telemetry put together: for a partition's process, which is the router's, and for an application's.

An application owns its SDK: handles and gateways use the global providers that it has set, if its process
has loaded an SDK at all. A partition's process is set up by a function that the config names, by the
``OTEL_*`` variables, or not at all; then nothing is created, and nothing costs anything.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ray_router.core.events import Observer, guarded
from ray_router.errors import InvalidConfigError
from ray_router.telemetry import environment
from ray_router.telemetry.fan_out import joined
from ray_router.telemetry.home import Home, Providers
from ray_router.telemetry.readings import Stats

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Tracer

    from ray_router.telemetry.spans import Work

_log = logging.getLogger(__name__)

_SCOPE = "ray_router"
_FLUSH_WITHIN_MS = 1_500  # less than a router that is shut down gives its partitions to close


class PartitionTelemetry:
    """What watches a partition in its process.

    ``observer``: told every event; None: nobody is. ``work``: records its part in traces; None: nobody does.
    ``problem``: why it is not as the config wants it, if so.
    """

    def __init__(
        self,
        observer: Observer | None = None,
        work: Work | None = None,
        *,
        watchers: tuple[Callable[[Stats], None], ...] = (),
        closers: tuple[Callable[[], object], ...] = (),
        problem: InvalidConfigError | None = None,
    ) -> None:
        self.observer = observer
        self.work = work
        self.problem = problem
        self._watchers = watchers
        self._closers = closers

    def watch(self, stats: Stats) -> None:
        """Read the partition's gauges from its stats."""
        for watcher in self._watchers:
            watcher(stats)

    def close(self) -> None:
        """Flush what was collected."""
        for close in self._closers:
            try:
                close()
            except Exception:  # the end comes, whether a collector hears of it or not
                _log.exception("telemetry could not be flushed")


def for_partition(setting: str | None, ray_metrics: bool, home: Home) -> PartitionTelemetry:
    """Set up the telemetry of a partition in its own process; raises nothing.

    Args:
        setting: ``"module:function"``, see ``SetUp``; None leaves it to the ``OTEL_*`` variables.
        ray_metrics: whether Ray's own metrics are fed too.
    """
    observers: list[Observer | None] = []
    watchers: list[Callable[[Stats], None]] = []
    closers: list[Callable[[], object]] = []
    work: Work | None = None
    problem: InvalidConfigError | None = None
    try:
        made = _made(setting, home)
        if callable(made):
            observers.append(made)
        elif made is not None:
            observer, work = _through(made, home)
            observers.append(observer)
            watchers += [] if observer is None else [observer.watch]  # type: ignore[attr-defined]
            closers += _closers(made)
    except Exception as error:  # whatever goes wrong here, the partition must live
        _log.exception("partition %d goes without telemetry", home.partition)
        problem = InvalidConfigError("telemetry", f"{setting or 'OTEL_*'} failed in the actor: {error!r}")
    if ray_metrics:
        try:
            from ray_router.telemetry.ray_metrics import RayPartitions

            native = RayPartitions(home.router)
        except Exception:  # Ray may change what it gives
            _log.exception("partition %d goes without Ray's metrics", home.partition)
        else:
            observers.append(native)
            watchers.append(native.watch)
            closers.append(native.close)
    return PartitionTelemetry(
        joined(observers), work, watchers=tuple(watchers), closers=tuple(closers), problem=problem
    )


class HandleTelemetry:
    """What watches the calls of a handle. ``tracer`` is None when nobody records traces."""

    def __init__(self, observer: Observer | None, tracer: Tracer | None) -> None:
        self.tell = None if observer is None else guarded(observer)
        self.tracer = tracer


def for_handle(router: str, ray_metrics: bool) -> HandleTelemetry | None:
    """What watches the calls of a router's handle in an application's process; None for nothing.

    Args:
        ray_metrics: whether Ray's own metrics are fed too, in a process that is connected to Ray.
    """
    observers: list[Observer | None] = []
    tracer = application_tracer()
    try:
        if (meters := _application_meters()) is not None:
            from ray_router.telemetry.otel import OtelCalls

            observers.append(OtelCalls(router, meters.get_meter(_SCOPE)))
        if ray_metrics and _on_ray():
            from ray_router.telemetry.ray_metrics import RayCalls

            observers.append(RayCalls(router))
    except Exception:  # a handle without telemetry is better than none
        _log.exception("the handle of router %r goes without metrics", router)
    observer = joined(observers)
    return None if observer is None and tracer is None else HandleTelemetry(observer, tracer)


def application_tracer() -> Tracer | None:
    """The tracer of this process's application; None when it has set up nothing that would record."""
    if not _has_sdk():
        return None
    from opentelemetry import trace

    tracers = trace.get_tracer_provider()
    return tracers.get_tracer(_SCOPE) if _is_set_up(tracers) else None


def _application_meters() -> MeterProvider | None:
    """The meter provider of this process's application; None when it has set up none."""
    if not _has_sdk():
        return None
    from opentelemetry import metrics

    meters = metrics.get_meter_provider()
    return meters if _is_set_up(meters) else None


def _is_set_up(provider: object) -> bool:
    """Whether a provider is somebody's: what the API puts in place until then comes from the API itself.

    That the SDK is loaded says little: Ray loads it for metrics of its own, and sets no provider.
    """
    return not type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace"))


def work_of(tracer: Tracer, router: str, partition: int) -> Work:
    """What records a partition's part in its callers' traces."""
    from ray_router.telemetry.spans import Work

    return Work(tracer, router, partition)


def _has_sdk() -> bool:
    """Whether an SDK is loaded: without one, all that the API does comes to nothing."""
    return "opentelemetry.sdk" in sys.modules


def _on_ray() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _made(setting: str | None, home: Home) -> Providers | Observer | None:
    """What the setting, or the environment, makes: providers, an observer, or nothing."""
    if setting is not None:
        module, _, function = setting.partition(":")
        made: Any = getattr(importlib.import_module(module), function)(home)
        if made is not None and not isinstance(made, Providers) and not callable(made):
            raise TypeError(f"it returned {type(made).__name__}, not Providers, an observer or None")
        if made is not None:
            return made  # type: ignore[no-any-return]  # as just checked
    elif environment.asked_for():
        environment.set_up(home.resource_attributes)
    return _global_providers() if _has_sdk() else None


def _global_providers() -> Providers:
    """The providers that somebody has set; the API's own, which stand in for them, come to nothing."""
    from opentelemetry import metrics, trace

    meters, tracers = metrics.get_meter_provider(), trace.get_tracer_provider()
    return Providers(None if _of_the_api(meters) else meters, None if _of_the_api(tracers) else tracers)


def _of_the_api(provider: object) -> bool:
    return type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace"))


def _through(providers: Providers, home: Home) -> tuple[Observer | None, Work | None]:
    from ray_router.telemetry.otel import OtelPartitions

    observer: Observer | None = None
    work: Work | None = None
    if providers.meter_provider is not None:
        observer = OtelPartitions(home.router, providers.meter_provider.get_meter(_SCOPE))
    if providers.tracer_provider is not None:
        work = work_of(providers.tracer_provider.get_tracer(_SCOPE), home.router, home.partition)
    return observer, work


def _closers(providers: Providers) -> list[Callable[[], object]]:
    """What flushes the providers; the API's own have nothing to flush."""
    closers: list[Callable[[], object]] = []
    for provider in (providers.meter_provider, providers.tracer_provider):
        flush = getattr(provider, "force_flush", None)
        if flush is not None:
            closers.append(lambda flush=flush: flush(_FLUSH_WITHIN_MS))  # type: ignore[misc]
    return closers
