"""Every metric of a router: name, kind, unit, description and attributes. The one place that names them.

OpenTelemetry and Ray are given the same ones, so that whatever brings them to Prometheus, they are called
the same there (``Instrument.prometheus``), and one dashboard and one set of rules serve both.

Attributes are few, and each takes few values: a session, a room or a user is never one.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """How a metric behaves: it only grows, it is what it is now, or it is spread over buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


_SUFFIX = {"s": "_seconds", "By": "_bytes"}  # not all exporters put _ratio behind a "1"; names say it
_EXPORTED = "ray_router"

SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Boundaries of all histograms: from below an idle call to beyond any sensible deadline."""


class Instrument(NamedTuple):
    """One metric. Units are of UCUM, as OpenTelemetry wants them; ``{session}`` is an annotation.

    ``attributes`` come with each value beside ``router``, the router's name.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: tuple[str, ...]

    @property
    def prometheus(self) -> str:
        """The name in Prometheus, by OpenTelemetry's rules of translation."""
        counted = "_total" if self.kind is Kind.COUNTER else ""
        return self.name.replace(".", "_") + _SUFFIX.get(self.unit, "") + counted

    @property
    def ray(self) -> str:
        """The name to give to Ray, which exports it with ``ray_`` before it and ``_total`` behind it."""
        return self.prometheus.removeprefix("ray_").removesuffix("_total")


def _counter(name: str, unit: str, description: str, *attributes: str) -> Instrument:
    return Instrument(f"{_EXPORTED}.{name}", Kind.COUNTER, unit, description, ("partition", *attributes))


def _gauge(name: str, unit: str, description: str, *attributes: str) -> Instrument:
    return Instrument(
        f"{_EXPORTED}.partition.{name}", Kind.GAUGE, unit, description, ("partition", *attributes)
    )


RESOLVES = _counter(
    "resolves",
    "{key}",
    "Keys resolved, by what the answer was: outcome is hit, fallback or miss.",
    "outcome",
    "source",
    "reason",
    "scope",
)
FALLBACKS = _counter(
    "fallbacks",
    "{key}",
    "Keys answered from another rung than the session's primary route.",
    "source",
    "reason",
)
STALE_DETECTIONS = _counter(
    "stale_detections", "{key}", "Keys resolved whose primary route was past its TTL, whatever answered."
)
SETS = _counter("sets", "{route}", "Routes observed.", "outcome", "origin")
REPORTS = _counter("reports", "{report}", "Delivery reports taken in.", "delivery", "outcome")
DELETES = _counter("deletes", "{session}", "Sessions deleted: found or absent.", "outcome")
EVICTIONS = _counter(
    "evictions",
    "{session}",
    "Entries that left to make room, by what had to go: a tombstone, a stale or a live session.",
    "cause",
)
EXPIRATIONS = _counter(
    "expirations",
    "{session}",
    "Entries whose time in a phase was over, by what became of them: stale, tombstone or forgotten.",
    "phase",
)
REFUSED = _counter("refused", "{operation}", "Bad input that reached a partition, and was refused.")
SERVICE_CHANGES = _counter(
    "service.changes", "{change}", "Partitions that were taken out of service, or brought back.", "after"
)
PRESSURE_CHANGES = _counter(
    "pressure.changes", "{change}", "Crossings of a pressure level.", "before", "after"
)
SCALING_DECISIONS = _counter(
    "autoscaling.decisions",
    "{decision}",
    "Changes of the number of partitions, up or down, and why; told by partition 0.",
    "direction",
    "reason",
)
SNAPSHOTS = _counter(
    "snapshots", "{snapshot}", "Snapshots that the router writes by itself: written or failed.", "outcome"
)
SERVICE = Instrument(
    "ray_router.service.duration",
    Kind.HISTOGRAM,
    "s",
    "What a partition took to carry out a batch; of one in eight.",
    ("partition",),
)

ENTRIES = _gauge("entries", "{session}", "Entries held, by phase: live, stale or tombstone.", "phase")
CAPACITY = _gauge("capacity", "{session}", "Entries that may be held at most.")
DEFAULTS = _gauge("defaults", "{route}", "Defaults of instances and channels held.")
MEMORY = _gauge("memory.usage", "By", "Resident memory of the partition's process, where it is known.")
TABLE = _gauge("table.usage", "By", "Memory that the partition's own sessions take, measured on a sample.")
GHOSTS = _gauge("ghosts", "{session}", "Evicted sessions that the eviction policy remembers by a hash.")
WAITING = _gauge("waiting", "s", "How long callers wait in front of the partition, on a moving average.")
PRESSURE = _gauge("pressure.ratio", "1", "How close to its limits: 0 is idle, 1 is at the limit.")
PRESSURE_LEVEL = _gauge("pressure.level", "{level}", "0 is normal, 1 warn, 2 degraded, 3 shedding.")
SLOTS = _gauge("slots", "{slot}", "Slots owned; all partitions of a router own 16,384.")
UPTIME = _gauge("uptime", "s", "Age of the partition's process as such.")
RESTARTS = _gauge("restarts", "{restart}", "How often the partition's actor was restarted.")
EPOCH = _gauge("epoch", "{epoch}", "Epoch of the topology that the partition knows.")

CALLED = Instrument(
    "ray_router.call.operations",
    Kind.COUNTER,
    "{operation}",
    "Operations asked of handles, by whether a partition answered them.",
    ("operation", "outcome"),
)
CALL = Instrument(
    "ray_router.call.duration",
    Kind.HISTOGRAM,
    "s",
    "What a call took from its submission to the last answer; of one in eight of an operation.",
    ("operation",),
)
ROUND_TRIP = Instrument(
    "ray_router.round_trip.duration",
    Kind.HISTOGRAM,
    "s",
    "What a batch took from a handle to a partition and back; of one in eight that are waited for.",
    ("partition",),
)
WAITED = Instrument(
    "ray_router.round_trip.waiting",
    Kind.HISTOGRAM,
    "s",
    "These round trips without the service time: what a bare call would have taken.",
    ("partition",),
)
QUEUE = Instrument(
    "ray_router.call.queue",
    Kind.GAUGE,
    "{operation}",
    "Operations that wait in a handle for a partition, when a batch came back.",
    ("partition",),
)

OF_PARTITIONS = (
    *(RESOLVES, FALLBACKS, STALE_DETECTIONS, SETS, REPORTS, DELETES, EVICTIONS, EXPIRATIONS, REFUSED),
    *(PRESSURE_CHANGES, SERVICE_CHANGES, SCALING_DECISIONS, SNAPSHOTS, SERVICE),
    *(ENTRIES, CAPACITY, DEFAULTS, GHOSTS, MEMORY, TABLE, SLOTS, UPTIME, RESTARTS, EPOCH),
    *(PRESSURE, PRESSURE_LEVEL, WAITING),
)
OF_HANDLES = (CALLED, CALL, ROUND_TRIP, WAITED, QUEUE)
INSTRUMENTS = (*OF_PARTITIONS, *OF_HANDLES)
