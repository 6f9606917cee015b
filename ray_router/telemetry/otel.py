"""OpenTelemetry metrics: what partitions and handles tell, to a meter. Needs the API alone.

Counters and gauges are observable: they are read when the application's SDK collects, and cost a partition
an addition for each event. Histograms are recorded as they come, of one batch or call in eight.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from ray_router.core.events import Called, Carried, Event, Served
from ray_router.telemetry.counts import Counts
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
from ray_router.telemetry.readings import Look, Stats
from ray_router.telemetry.sampling import OneInEight

Attributes = dict[str, str]


class OtelPartitions:
    """An observer of the partitions of a router in this process.

    A meter has each observable instrument once, so two routers in one process need two meters.

    Args:
        router: the router's name.
        meter: of the application's provider.
    """

    def __init__(self, router: str, meter: Meter) -> None:
        self._router = router
        self._counts = Counts()
        self._looks: list[Look] = []
        self._chosen = OneInEight()
        self._service = _histogram(meter, SERVICE)
        create: dict[Kind, Callable[..., object]] = {
            Kind.COUNTER: meter.create_observable_counter,
            Kind.GAUGE: meter.create_observable_gauge,
        }
        observe = {Kind.COUNTER: self._count, Kind.GAUGE: self._gauge}
        for each in OF_PARTITIONS:
            if each.kind in create:
                callback = partial(observe[each.kind], each)
                create[each.kind](each.name, [callback], each.unit, each.description)

    def __call__(self, event: Event) -> None:
        if type(event) is Served:
            if self._chosen(event.partition):
                attributes = named(self._router, SERVICE, (str(event.partition),))
                self._service.record(event.service_s, attributes)
        else:
            self._counts(event)

    def watch(self, stats: Stats) -> None:
        """Read a partition's gauges from its stats."""
        self._looks.append(Look(stats))

    def _count(self, counted: Instrument, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(count, named(self._router, counted, values))
            for (instrument, values), count in self._counts.points().items()
            if instrument is counted
        ]

    def _gauge(self, read: Instrument, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(value, named(self._router, read, values))
            for look in self._looks
            for instrument, values, value in look()
            if instrument is read
        ]


class OtelCalls:
    """An observer of the calls that handles of this process make.

    Args:
        router: the router's name.
        meter: of the application's provider.
    """

    def __init__(self, router: str, meter: Meter) -> None:
        self._router = router
        self._counted = _counted_by(meter)
        self._call = _histogram(meter, CALL)
        self._round_trip = _histogram(meter, ROUND_TRIP)
        self._waited = _histogram(meter, WAITED)
        self._queue = meter.create_gauge(QUEUE.name, QUEUE.unit, QUEUE.description)
        self._queued: dict[int, int] = {}
        self._call_chosen, self._trip_chosen = OneInEight(), OneInEight()

    def __call__(self, event: Event) -> None:
        if type(event) is Called:
            self._counted.add((self._router, event.operation, event.outcome), event.keys)
            if event.took_s is not None and self._call_chosen(event.operation):
                self._call.record(event.took_s, named(self._router, CALL, (event.operation,)))
        elif type(event) is Carried:
            chosen = self._trip_chosen(event.partition)
            moved = self._queued.get(event.partition) != event.queued
            if chosen or moved:
                attributes = named(self._router, ROUND_TRIP, (str(event.partition),))
                if chosen:
                    self._round_trip.record(event.round_trip_s, attributes)
                    self._waited.record(event.waited_s, attributes)
                if moved:
                    self._queued[event.partition] = event.queued
                    self._queue.set(event.queued, attributes)


class _CalledKeys:
    """Keys asked of handles, added up to be read when the meter collects.

    A counter of OpenTelemetry's SDK takes 10 to 40 microseconds to add to, up to 2 % of a call of 1,000 keys.
    """

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str, str], int] = {}
        self._lock = threading.Lock()  # calls end in different threads

    def add(self, alike: tuple[str, str, str], keys: int) -> None:
        """So many keys, by router, operation and outcome."""
        with self._lock:
            self._totals[alike] = self._totals.get(alike, 0) + keys

    def __call__(self, _: CallbackOptions) -> Iterable[Observation]:
        with self._lock:
            totals = self._totals.copy()
        return [
            Observation(keys, named(router, CALLED, (operation, outcome)))
            for (router, operation, outcome), keys in totals.items()
        ]


_COUNTED: WeakKeyDictionary[Meter, _CalledKeys] = WeakKeyDictionary()
"""A meter has each observable instrument once, while handles come and go: those of one meter share it."""


def _counted_by(meter: Meter) -> _CalledKeys:
    counted = _COUNTED.get(meter)
    if counted is None:
        counted = _COUNTED.setdefault(meter, _CalledKeys())
        meter.create_observable_counter(CALLED.name, [counted], CALLED.unit, CALLED.description)
    return counted


def named(router: str, instrument: Instrument, values: Iterable[str]) -> Attributes:
    """The attributes of a value."""
    return {"router": router, **dict(zip(instrument.attributes, values, strict=True))}


def _histogram(meter: Meter, instrument: Instrument) -> Histogram:
    return meter.create_histogram(
        instrument.name,
        instrument.unit,
        instrument.description,
        explicit_bucket_boundaries_advisory=SECONDS,
    )
