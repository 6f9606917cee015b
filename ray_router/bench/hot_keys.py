"""Does memory stay flat under any number of writes to a few keys?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from ray_router.bench.measure import Report, figure, resident_bytes
from ray_router.config import RouterConfig
from ray_router.core.operations import Group, Set
from ray_router.core.partition import Partition

_KEYS = 50
_BATCH = 1_000
_CHECKPOINTS = 10


def hot_keys(rounds: int, scale: float, progress: Callable[[float], None]) -> Report:
    """Write 10,000,000 times ``scale`` to 50 keys of one partition and watch the process's memory.

    One run gives all checkpoints; ``rounds`` does not repeat it, since growth would show in any.
    """
    writes = max(_BATCH * _CHECKPOINTS, int(10_000_000 * scale))
    partition = Partition(0, RouterConfig(ttl_s=1800).partition_settings())
    now, sizes, started = 1_700_000_000.0, [], time.perf_counter()
    batches = writes // _BATCH
    for batch in range(batches):
        now += 0.1
        operations = tuple(
            Set(f"bench:bot:room{number % _KEYS}", f"route{(number + batch) % 7}", now - number % 3)
            for number in range(_BATCH)
        )
        partition.apply([Group(operations)], now)
        if (batch + 1) % max(1, batches // _CHECKPOINTS) == 0:
            gc.collect()
            sizes.append(float(resident_bytes()))
            progress((batch + 1) / batches)
    settled = sizes[1:] or sizes
    return Report(
        "hot-keys",
        f"{writes:,} writes to {_KEYS} keys: does memory grow?",
        (
            figure("memory at the end over memory after a tenth", "ratio", [settled[-1] / sizes[0]]),
            figure("memory at checkpoints", "MB", [size / 1e6 for size in sizes]),
            figure("entries held", "entries", [float(partition.stats(now).holdings.entries)]),
            figure("writes in one process", "1/s", [writes / (time.perf_counter() - started)]),
        ),
    )
