"""How long does one call wait when a whole table expires at once? In this process, without Ray."""

from __future__ import annotations

import gc
import time

from ray_router.bench import targets
from ray_router.bench.measure import Report, figure
from ray_router.bench.sessions import chunks, key_of
from ray_router.bench.stage import Stage
from ray_router.bench.watched import collections_watched
from ray_router.config import RouterConfig
from ray_router.core.operations import Group, Resolve, Set
from ray_router.core.partition import Partition

_AT_ONCE = 100  # what a cleaning thread moves on under one hold
_START = 1_700_000_000.0


def expiry_storm(stage: Stage) -> Report:
    """Fill one partition with 1,000,000 times ``scale`` routes that all expire within the same second.

    Then resolve, one call at a time, while the expired are moved on in between, as a cleaning thread
    would; the longest hold of either is what a call may have to wait for.
    """
    entries = stage.count(1_000_000, least=1_000)
    longest_resolve, median_resolve, longest_chunk, longest_pause, total = [], [], [], [], []
    for number in range(stage.rounds):
        partition = _filled(entries)
        now = _START + 3_600.0
        resolves, cleanings = [], []
        with collections_watched() as watch:
            started = time.perf_counter()
            moved, key = _AT_ONCE, 0
            while moved == _AT_ONCE:
                key += 1
                wishes = Group((Resolve((key_of(key * 7919 % entries),)),))
                at = time.perf_counter()
                partition.apply([wishes], now)
                between = time.perf_counter()
                moved = partition.tidy(now, _AT_ONCE)
                resolves.append(between - at)
                cleanings.append(time.perf_counter() - between)
            total.append(time.perf_counter() - started)
        resolves.sort()
        longest_resolve.append(resolves[-1] * 1e3)
        median_resolve.append(resolves[len(resolves) // 2] * 1e3)
        longest_chunk.append(max(cleanings) * 1e3)
        longest_pause.append(watch.longest_ms)
        stage.progress((number + 1) / stage.rounds)
    return Report(
        "expiry-storm",
        f"{entries:,} routes expire at once: how long does a call wait?",
        (
            figure("resolve, median", "ms", median_resolve),
            figure("resolve, longest", "ms", longest_resolve, target=targets.LONGEST_HOLD_MS),
            figure("one chunk of cleaning, longest", "ms", longest_chunk, target=targets.LONGEST_HOLD_MS),
            figure("garbage collection, longest", "ms", longest_pause),
            figure("until all had moved on", "s", total),
        ),
    )


def _filled(entries: int) -> Partition:
    config = RouterConfig(ttl_s=1800, max_entries_per_partition=2 * entries)
    partition = Partition(0, config.partition_settings())
    for chunk in chunks(entries):
        operations = tuple(Set(key, route, _START) for key, route in chunk.items())
        partition.apply([Group(operations)], _START)
    gc.collect()
    return partition
