"""How long does one call wait when a whole table expires at once?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from ray_router.bench.measure import Report, figure
from ray_router.config import RouterConfig
from ray_router.core.operations import Group, Resolve, Set
from ray_router.core.partition import Partition

_BATCH = 1_000
_CHUNK = 100  # what a cleaning thread moves on under one hold


def expiry_storm(rounds: int, scale: float, progress: Callable[[float], None]) -> Report:
    """Fill one partition with 1,000,000 times ``scale`` routes that all expire within the same second.

    Then resolve, one call at a time, while the expired are moved on in between, as a cleaning thread
    would; the longest hold of either is what a call may have to wait for.
    """
    entries = max(_BATCH, int(1_000_000 * scale))
    longest_resolve, median_resolve, longest_chunk, longest_pause, total = [], [], [], [], []
    for number in range(rounds):
        partition = _filled(entries)
        now = 1_700_000_000.0 + 3600.0
        resolves, chunks = [], []
        pauses: list[float] = []
        watch = _watch_collections(pauses)
        gc.callbacks.append(watch)
        started = time.perf_counter()
        try:
            moved, key = _CHUNK, 0
            while moved == _CHUNK:
                key += 1
                wishes = Group((Resolve((f"bench:bot:room{key * 7919 % entries}",)),))
                at = time.perf_counter()
                partition.apply([wishes], now)
                between = time.perf_counter()
                moved = partition.tidy(now, _CHUNK)
                resolves.append(between - at)
                chunks.append(time.perf_counter() - between)
        finally:
            gc.callbacks.remove(watch)
        total.append(time.perf_counter() - started)
        resolves.sort()
        longest_resolve.append(resolves[-1] * 1e3)
        median_resolve.append(resolves[len(resolves) // 2] * 1e3)
        longest_chunk.append(max(chunks) * 1e3)
        longest_pause.append(max(pauses, default=0.0) * 1e3)
        progress((number + 1) / rounds)
    return Report(
        "expiry-storm",
        f"{entries:,} routes expire at once: how long does a call wait?",
        (
            figure("resolve, median", "ms", median_resolve),
            figure("resolve, longest", "ms", longest_resolve),
            figure("one chunk of cleaning, longest", "ms", longest_chunk),
            figure("garbage collection, longest", "ms", longest_pause),
            figure("until all had moved on", "s", total),
        ),
    )


def _filled(entries: int) -> Partition:
    config = RouterConfig(ttl_s=1800, max_entries_per_partition=2 * entries)
    partition = Partition(0, config.partition_settings())
    start = 1_700_000_000.0
    for first in range(0, entries, _BATCH):
        operations = tuple(
            Set(f"bench:bot:room{number}", f"-100{number}", start)
            for number in range(first, min(entries, first + _BATCH))
        )
        partition.apply([Group(operations)], start)
    gc.collect()
    return partition


def _watch_collections(pauses: list[float]) -> Callable[[str, dict[str, int]], None]:
    """A callback for ``gc.callbacks`` that notes how long each collection took, in seconds."""
    began = [0.0]

    def watch(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            began[0] = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - began[0])

    return watch
