"""What a partition's stats say, as gauges, and a look at them that several gauges share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from ray_router.model import PartitionStats
from ray_router.telemetry.instruments import (
    CAPACITY,
    DEFAULTS,
    ENTRIES,
    EPOCH,
    GHOSTS,
    MEMORY,
    PRESSURE,
    PRESSURE_LEVEL,
    RESTARTS,
    SLOTS,
    TABLE,
    UPTIME,
    WAITING,
    Instrument,
)

_SAME_FOR_S = 0.1

Stats = Callable[[], PartitionStats]
Reading = tuple[Instrument, tuple[str, ...], float]


class Look:
    """The readings of one partition, taken at most once in a tenth of a second.

    A collection reads some ten gauges, one after the other, and stats wait for the batch under way.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, stats: Stats, clock: Callable[[], float] = time.monotonic) -> None:
        self._stats = stats
        self._clock = clock
        self._seen: tuple[float, tuple[Reading, ...]] | None = None

    def __call__(self) -> tuple[Reading, ...]:
        now = self._clock()
        if self._seen is None or now - self._seen[0] > _SAME_FOR_S:
            self._seen = (now, tuple(readings(self._stats())))
        return self._seen[1]


def readings(stats: PartitionStats) -> Iterator[Reading]:
    """The gauges of one partition."""
    where = (str(stats.partition),)
    held = stats.holdings
    yield ENTRIES, (*where, "live"), held.live
    yield ENTRIES, (*where, "stale"), held.stale
    yield ENTRIES, (*where, "tombstone"), held.tombstones
    yield CAPACITY, where, stats.capacity
    yield DEFAULTS, where, held.defaults
    yield TABLE, where, stats.table_bytes
    yield GHOSTS, where, stats.ghosts
    yield WAITING, where, stats.waiting_s
    yield PRESSURE, where, stats.pressure
    yield PRESSURE_LEVEL, where, int(stats.level)
    yield SLOTS, where, stats.slots
    yield UPTIME, where, stats.uptime_s
    yield RESTARTS, where, stats.restarts
    yield EPOCH, where, stats.epoch
    memory = resident_bytes() if stats.pid == os.getpid() else None
    if memory is not None:
        yield MEMORY, where, memory


def resident_bytes() -> int | None:
    """The resident memory of this process; None where the system does not say (it is Linux that does)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as memory:
            return int(memory.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
