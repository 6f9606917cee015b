"""Does memory stay flat under any number of writes to a few keys?"""

from __future__ import annotations

import gc
import time

from ray_router.bench.machine import resident_bytes
from ray_router.bench.measure import Report, figure
from ray_router.bench.stage import Stage
from ray_router.config import RouterConfig
from ray_router.core.operations import Group, Set
from ray_router.core.partition import Partition

_KEYS = 50
_BATCH = 1_000
_CHECKPOINTS = 10


def hot_keys(stage: Stage) -> Report:
    """Write 10,000,000 times ``scale`` to 50 keys of one partition and watch the process's memory.

    One run gives all checkpoints; rounds do not repeat it, since growth would show in any.
    """
    writes = stage.count(10_000_000, least=_BATCH * _CHECKPOINTS)
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
            stage.progress((batch + 1) / batches)
    return Report(
        "hot-keys",
        f"{writes:,} writes to {_KEYS} keys: does memory grow?",
        (
            figure("memory at the end over memory after a tenth", "ratio", [sizes[-1] / sizes[0]]),
            figure("memory at checkpoints", "MB", [size / 1e6 for size in sizes]),
            figure("entries held", "entries", [float(partition.stats(now).holdings.entries)]),
            figure("writes in one process", "1/s", [writes / (time.perf_counter() - started)]),
        ),
    )
