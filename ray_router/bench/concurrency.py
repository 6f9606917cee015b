"""Many callers at once: how many calls a second, with 1 to 1,000 coroutines?"""

from __future__ import annotations

from functools import partial
from typing import Any

import ray

from ray_router.bench import targets
from ray_router.bench.coroutines import Ask, calls_per_s, redis_calls_per_s
from ray_router.bench.measure import Report
from ray_router.bench.peers import Bare, DictTable, TtlTable, peer
from ray_router.bench.rounds import Contender, interleaved
from ray_router.bench.sessions import load, some_keys
from ray_router.bench.stage import Stage

COROUTINES = (1, 10, 100, 1_000)


def concurrency(stage: Stage) -> Report:
    """Resolve sessions of 100,000 times ``scale`` at random; each coroutine waits before it asks again."""
    entries, window_s = stage.count(100_000, least=100), stage.window_s(0.7)
    several = stage.count(4, least=2)
    most = stage.count(COROUTINES[-1], least=10)
    steps = [count for count in COROUTINES if count <= most]
    keys = some_keys(20_000, entries)
    with (
        stage.router() as one,
        stage.router(several) as spread,
        peer(Bare) as bare,
        peer(DictTable) as plain,
        peer(TtlTable, 2 * entries) as cached,
    ):
        load(one, entries)
        load(spread, entries)
        ray.get([plain.load.remote(entries), cached.load.remote(entries)])
        asks: dict[str, Ask] = {
            "resolve": one.resolve,
            f"resolve, {several} partitions": spread.resolve,
            "bare actor call": lambda key: bare.noop.remote(),
            "actor with a dict": plain.get.remote,
            "actor with a TTLCache": cached.get.remote,
        }
        contenders = [
            Contender(name, count, partial(calls_per_s, [ask] * count, keys, window_s))
            for count in steps
            for name, ask in asks.items()
        ]
        if stage.redis is not None:
            stage.redis.load(entries)
            port = stage.redis.port
            contenders += [
                Contender(
                    "redis.asyncio GET", count, partial(redis_calls_per_s, port, count, _get, keys, window_s)
                )
                for count in steps
            ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
    return Report(
        "concurrency",
        "many callers at once, each waiting for its answer: how many calls a second?",
        (
            *rounds.figures("1/s"),
            *rounds.ratios("resolve", "bare actor call", targets.CONCURRENT_OVER_BARE_CALL),
            *rounds.ratios("resolve", "redis.asyncio GET", targets.CONCURRENT_OVER_REDIS),
            *rounds.ratios(f"resolve, {several} partitions", "redis.asyncio GET"),
        ),
        axis="coroutines",
        skipped=stage.redis_skipped,
    )


def _get(client: Any, key: str) -> Any:
    return client.get(key)
