"""What does a route cost to keep?"""

from __future__ import annotations

from typing import Any

import ray

from ray_router.bench import targets
from ray_router.bench.measure import Report
from ray_router.bench.peers import DictTable, TtlTable, peer
from ray_router.bench.redis_server import RedisServer
from ray_router.bench.rounds import Contender, interleaved
from ray_router.bench.sessions import load
from ray_router.bench.stage import Stage
from ray_router.bench.watched import Watched

_ROUNDS_AT_MOST = 3  # each loads everything anew, and memory hardly varies


def memory(stage: Stage) -> Report:
    """Load 1,000,000 times ``scale`` routes, each of 25 characters under a key of 25, into each table.

    An actor's memory is its process's resident memory, afterwards less before; Redis's is what it says it
    uses for its data.
    """
    entries = stage.count(1_000_000, least=1_000)

    def partition() -> float:
        with stage.watched_router(max_entries_per_partition=2 * entries) as (router, actor):
            before = ray.get(actor.resident_bytes.remote())
            load(router, entries)
            return float(ray.get(actor.resident_bytes.remote()) - before) / entries

    def table(kind: type[Watched], *arguments: object) -> float:
        with peer(kind, *arguments) as actor:
            return _loaded(actor, entries) / entries

    contenders = [
        Contender("partition", None, partition),
        Contender("actor with a dict", None, lambda: table(DictTable)),
        Contender("actor with a TTLCache", None, lambda: table(TtlTable, 2 * entries)),
    ]
    redis = stage.redis
    if redis is not None:
        contenders.append(Contender("Redis", None, lambda: _used_by(redis, entries) / entries))
    rounds = interleaved(contenders, min(stage.rounds, _ROUNDS_AT_MOST), stage.progress)
    ratios = rounds.ratios("partition", "Redis", target=targets.BYTES_OVER_REDIS)
    return Report(
        "memory",
        f"{entries:,} routes: how many bytes does each take?",
        (*rounds.figures("B"), *ratios),
        skipped=stage.redis_skipped,
    )


def _loaded(actor: Any, entries: int) -> float:
    before = ray.get(actor.resident_bytes.remote())
    ray.get(actor.load.remote(entries))
    return float(ray.get(actor.resident_bytes.remote()) - before)


def _used_by(redis: RedisServer, entries: int) -> float:
    redis.clear()
    before = redis.used_bytes()
    redis.load(entries)
    used = redis.used_bytes() - before
    redis.clear()
    return float(used)
