"""Telemetry put together for a partition's process, which is the router's own.

It is set up by a function that the config names, by the ``OTEL_*`` variables, or not at all; then nothing
is created, and nothing costs anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ray_router.core.events import Observer
from ray_router.errors import InvalidConfigError
from ray_router.telemetry.fan_out import joined
from ray_router.telemetry.home import Home, Providers
from ray_router.telemetry.providers import SCOPE, close_all, flushes, given_up, made_by, tracer_of
from ray_router.telemetry.readings import Stats

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from ray_router.telemetry.spans import Work

_log = logging.getLogger(__name__)


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
        close_all(self._closers)


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
        made = made_by(setting, home)
        if (tracer := tracer_of(made)) is not None:
            work = work_of(tracer, home.router, home.partition)
        if not isinstance(made, Providers):
            observers.append(made)
        elif made.meter_provider is not None:
            from ray_router.telemetry.otel import OtelPartitions

            observer = OtelPartitions(home.router, made.meter_provider.get_meter(SCOPE))
            observers.append(observer)
            watchers.append(observer.watch)
        closers += flushes(made)
    except Exception as error:  # whatever goes wrong here, the partition must live
        work, problem = None, given_up(setting, home, error)
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


def work_of(tracer: Tracer, router: str, partition: int) -> Work:
    """What records a partition's part in its callers' traces."""
    from ray_router.telemetry.spans import Work

    return Work(tracer, router, partition)
