"""Gauges: what the stats say of a partition, looked at once for all of them."""

from __future__ import annotations

import os

from ray_router import Holdings, PartitionStats, PressureLevel, RouterConfig
from ray_router.telemetry import INSTRUMENTS, Kind
from ray_router.telemetry.instruments import MEMORY, QUEUE
from ray_router.telemetry.otel import OtelPartitions
from ray_router.telemetry.readings import Look, readings, resident_bytes
from ray_router.testing import ManualClock

from .reading import InMemory, totals
from .readings import stats_of

STATS = PartitionStats(
    3,
    incarnation=4,
    epoch=2,
    uptime_s=60.0,
    capacity=100,
    slots=8_192,
    pressure=0.9,
    level=PressureLevel.DEGRADED,
    waiting_s=0.25,
    ghosts=7,
    table_bytes=4_096,
    holdings=Holdings(live=5, stale=4, tombstones=3, defaults=2),
)


def test_every_gauge_of_a_partition_is_read() -> None:
    """Each has its value from the stats, entries one for each phase."""
    read = {(instrument.name, values): value for instrument, values, value in readings(STATS)}
    assert read == {
        ("ray_router.partition.entries", ("3", "live")): 5,
        ("ray_router.partition.entries", ("3", "stale")): 4,
        ("ray_router.partition.entries", ("3", "tombstone")): 3,
        ("ray_router.partition.capacity", ("3",)): 100,
        ("ray_router.partition.defaults", ("3",)): 2,
        ("ray_router.partition.pressure.ratio", ("3",)): 0.9,
        ("ray_router.partition.pressure.level", ("3",)): 2,
        ("ray_router.partition.waiting", ("3",)): 0.25,
        ("ray_router.partition.ghosts", ("3",)): 7,
        ("ray_router.partition.table.usage", ("3",)): 4_096,
        ("ray_router.partition.slots", ("3",)): 8_192,
        ("ray_router.partition.uptime", ("3",)): 60.0,
        ("ray_router.partition.restarts", ("3",)): 3,
        ("ray_router.partition.epoch", ("3",)): 2,
    }
    gauges = {each.name for each in INSTRUMENTS if each.kind is Kind.GAUGE}
    assert {name for name, _ in read} == gauges - {MEMORY.name, QUEUE.name}


def test_memory_is_read_in_the_partitions_own_process() -> None:
    """It is this process's, and of a partition elsewhere it is not known here."""
    here = dict.fromkeys(readings(stats_of(RouterConfig())()))
    (memory,) = [value for instrument, _, value in here if instrument is MEMORY]
    assert memory > 1_000_000
    assert resident_bytes() is not None
    assert MEMORY not in [instrument for instrument, _, _ in readings(STATS)]
    assert STATS.pid != os.getpid()


def test_a_collection_asks_for_the_stats_once() -> None:
    """Ten gauges read one look, and a later collection another."""
    asked: list[None] = []

    def stats() -> PartitionStats:
        asked.append(None)
        return STATS

    clock = ManualClock(0.0)
    look = Look(stats, clock)
    for _ in range(10):
        assert len(look()) == 14
    assert len(asked) == 1
    clock.advance(1.0)
    look()
    assert len(asked) == 2


def test_a_partitions_gauges_arrive_at_the_meter() -> None:
    """They carry the router's name and the partition's number, and a restart counts."""
    memory = InMemory()
    observer = OtelPartitions("chat", memory.provider.get_meter("test"))
    observer.watch(stats_of(RouterConfig(name="chat", partitions=2), partition=1, incarnation=3))
    series = memory.series()
    assert totals(series, "ray_router.partition.restarts", "router", "partition") == {("chat", "1"): 2}
    assert totals(series, "ray_router.partition.slots", "partition") == {("1",): 8_192}
