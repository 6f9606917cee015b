"""OpenTelemetry metrics: what partitions and handles tell, to a meter. Needs the API alone.

Counters and gauges are observable: they are read when the application's SDK collects, and cost a partition
an addition for each event. Histograms are recorded as they come, of one batch or call in eight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

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
            where = str(event.partition)
            if self._chosen(where):
                self._service.record(event.service_s, named(self._router, SERVICE, (where,)))
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
        self._called = meter.create_counter(CALLED.name, CALLED.unit, CALLED.description)
        self._call = _histogram(meter, CALL)
        self._round_trip = _histogram(meter, ROUND_TRIP)
        self._waited = _histogram(meter, WAITED)
        self._queue = meter.create_gauge(QUEUE.name, QUEUE.unit, QUEUE.description)
        self._queued: dict[str, int] = {}
        self._call_chosen, self._trip_chosen = OneInEight(), OneInEight()

    def __call__(self, event: Event) -> None:
        if type(event) is Called:
            values = (event.operation, event.outcome)
            self._called.add(event.keys, named(self._router, CALLED, values))
            if event.took_s is not None and self._call_chosen(event.operation):
                self._call.record(event.took_s, named(self._router, CALL, (event.operation,)))
        elif type(event) is Carried:
            where = str(event.partition)
            attributes = named(self._router, ROUND_TRIP, (where,))
            if self._trip_chosen(where):
                self._round_trip.record(event.round_trip_s, attributes)
                self._waited.record(event.waited_s, attributes)
            if self._queued.get(where) != event.queued:
                self._queued[where] = event.queued
                self._queue.set(event.queued, attributes)


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
