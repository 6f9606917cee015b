"""All measures, by the names they have on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ray_router.bench.batch import batch
from ray_router.bench.cold import cold
from ray_router.bench.concurrency import concurrency
from ray_router.bench.expiry import expiry_storm
from ray_router.bench.expiry_calls import expiry_calls
from ray_router.bench.garbage import garbage
from ray_router.bench.hit_ratios import hit_ratios
from ray_router.bench.hot_keys import hot_keys
from ray_router.bench.kills import kills
from ray_router.bench.measure import Report
from ray_router.bench.memory import memory
from ray_router.bench.mixed import mixed
from ray_router.bench.paper import paper
from ray_router.bench.processes import processes
from ray_router.bench.rebalance import rebalance
from ray_router.bench.recovery import recovery
from ray_router.bench.single import single
from ray_router.bench.soak import soak
from ray_router.bench.stage import Stage
from ray_router.bench.standbys import standbys
from ray_router.bench.table_sizes import table_sizes
from ray_router.bench.telemetry import telemetry


class Measure(NamedTuple):
    """One measure: how it is taken, and whether it needs Ray, and a Redis if there is one.

    ``lasting``: it goes on for as long as one likes, and is taken only when asked for.
    """

    take: Callable[[Stage], Report]
    about: str
    on_ray: bool = True
    beside_redis: bool = True
    lasting: bool = False


MEASURES: dict[str, Measure] = {
    "single": Measure(single, "one call at a time"),
    "concurrency": Measure(concurrency, "1 to 1,000 coroutines"),
    "batch": Measure(batch, "10 to 10,000 keys in a call, read and unread"),
    "mixed": Measure(mixed, "reads and writes"),
    "table-sizes": Measure(table_sizes, "tables of 1,000 to 1,000,000 routes"),
    "processes": Measure(processes, "handles in 1 to 4 processes"),
    "memory": Measure(memory, "bytes a route"),
    "garbage": Measure(garbage, "pauses of the garbage collector", beside_redis=False),
    "expiry-storm": Measure(
        expiry_storm, "all routes expire at once, in this process", on_ray=False, beside_redis=False
    ),
    "expiry-calls": Measure(
        expiry_calls, "all routes expire at once, as seen by a caller", beside_redis=False
    ),
    "hot-keys": Measure(hot_keys, "10,000,000 writes to 50 keys", on_ray=False, beside_redis=False),
    "telemetry": Measure(telemetry, "being watched, and not", beside_redis=False),
    "hit-ratios": Measure(
        hit_ratios, "eviction policies over recorded logs and traces", on_ray=False, beside_redis=False
    ),
    "rebalance": Measure(
        rebalance, "uneven partitions, before a rebalance and after", on_ray=False, beside_redis=False
    ),
    "paper": Measure(
        paper, "10,000 partitions and 1,000,000,000 sessions, worked out", on_ray=False, beside_redis=False
    ),
    "standbys": Measure(standbys, "every session kept once, and twice", beside_redis=False),
    "recovery": Measure(recovery, "a full partition dies, and is back", beside_redis=False),
    "kills": Measure(
        kills, "partitions killed under load: what is lost, who waits", beside_redis=False, lasting=True
    ),
    "soak": Measure(soak, "full tables, churn and kills: does memory grow", beside_redis=False, lasting=True),
    "cold": Measure(cold, "the first answer in a fresh process", beside_redis=False),
}

CHAOS = ("kills", "recovery", "soak")
"""What ``--chaos`` takes when nothing is named."""
