"""Ray's own metrics: the same as for OpenTelemetry, where a cluster's Prometheus and dashboard find them.

Ray takes values as they come and has no way to ask for them, so what was counted is pushed by a thread,
every two seconds and at the end; Ray itself exports every ten. Ray adds labels of its own, among them the
worker's id: a restarted partition begins new series.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

from ray.util.metrics import Counter, Gauge, Histogram

from ray_router.core.events import Called, Carried, Event, Served
from ray_router.telemetry.counts import Counts, Values
from ray_router.telemetry.instruments import (
    CALL,
    CALLED,
    OF_PARTITIONS,
    QUEUE,
    ROUND_TRIP,
    SECONDS,
    SERVICE,
    WAITED,
    Instrument,
    Kind,
)
from ray_router.telemetry.otel import named
from ray_router.telemetry.readings import Look, Stats
from ray_router.telemetry.sampling import OneInEight

_log = logging.getLogger(__name__)

_PUSH_EVERY_S = 2.0


class RayPartitions:
    """An observer of the partitions of a router in this process.

    Args:
        router: the router's name.
        push_every_s: seconds between two pushes.
    """

    def __init__(self, router: str, push_every_s: float = _PUSH_EVERY_S) -> None:
        self._named = partial(named, router)
        self._push_every_s = push_every_s
        self._counts = Counts()
        self._pushed: dict[tuple[Instrument, Values], int] = {}
        self._looks: list[Look] = []
        self._chosen = OneInEight()
        self._service = _histogram(SERVICE)
        self._counters = {each: _counter(each) for each in OF_PARTITIONS if each.kind is Kind.COUNTER}
        self._gauges = {each: _gauge(each) for each in OF_PARTITIONS if each.kind is Kind.GAUGE}
        self._pushing = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ray-router-metrics", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        if type(event) is Served:
            where = str(event.partition)
            if self._chosen(where):
                self._service.observe(event.service_s, self._named(SERVICE, (where,)))
        else:
            self._counts(event)

    def watch(self, stats: Stats) -> None:
        """Read a partition's gauges from its stats."""
        self._looks.append(Look(stats))

    def push(self) -> None:
        """Hand to Ray what was counted since the last time, and what the gauges say now."""
        with self._pushing:
            for counted, total in self._counts.points().items():
                if more := total - self._pushed.get(counted, 0):
                    instrument, values = counted
                    self._counters[instrument].inc(more, self._named(instrument, values))
                    self._pushed[counted] = total
            for look in self._looks:
                for instrument, values, value in look():
                    self._gauges[instrument].set(value, self._named(instrument, values))

    def close(self) -> None:
        """Push a last time, and no more."""
        self._closed.set()
        self.push()

    def _run(self) -> None:
        while not self._closed.wait(self._push_every_s):
            try:
                self.push()
            except Exception:  # the next push may do better
                _log.exception("metrics could not be pushed")


class RayCalls:
    """An observer of the calls that handles of this process make.

    Args:
        router: the router's name.
    """

    def __init__(self, router: str) -> None:
        self._named = partial(named, router)
        self._called = _counter(CALLED)
        self._call = _histogram(CALL)
        self._round_trip = _histogram(ROUND_TRIP)
        self._waited = _histogram(WAITED)
        self._queue = _gauge(QUEUE)
        self._call_chosen, self._trip_chosen = OneInEight(), OneInEight()

    def __call__(self, event: Event) -> None:
        if type(event) is Called:
            tags = self._named(CALLED, (event.operation, event.outcome))
            self._called.inc(event.keys, tags)
            if event.took_s is not None and self._call_chosen(event.operation):
                self._call.observe(event.took_s, self._named(CALL, (event.operation,)))
        elif type(event) is Carried:
            where = str(event.partition)
            tags = self._named(ROUND_TRIP, (where,))
            if self._trip_chosen(where):
                self._round_trip.observe(event.round_trip_s, tags)
                self._waited.observe(event.waited_s, tags)
            self._queue.set(event.queued, tags)


def _keys(instrument: Instrument) -> tuple[str, ...]:
    return ("router", *instrument.attributes)


def _counter(instrument: Instrument) -> Counter:
    return Counter(instrument.ray, instrument.description, _keys(instrument))


def _gauge(instrument: Instrument) -> Gauge:
    return Gauge(instrument.ray, instrument.description, _keys(instrument))


def _histogram(instrument: Instrument) -> Histogram:
    return Histogram(instrument.ray, instrument.description, list(SECONDS), _keys(instrument))
