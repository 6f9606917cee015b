"""Reads and writes at once: what do writes cost the callers?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any

import ray

from ray_router.bench.coroutines import Ask, calls_per_s, redis_calls_per_s
from ray_router.bench.measure import Report
from ray_router.bench.peers import DictTable, peer
from ray_router.bench.rounds import Contender, interleaved
from ray_router.bench.sessions import load, route_of, some_keys
from ray_router.bench.stage import Stage
from ray_router.model import Route

WRITES_OF_TEN = (0, 1, 5)
_COROUTINES = 100


def mixed(stage: Stage) -> Report:
    """100 coroutines resolve and set sessions of 100,000 times ``scale``, none to half of it writes."""
    entries, window_s = stage.count(100_000, least=100), stage.window_s(0.7)
    coroutines = stage.count(_COROUTINES, least=4)
    keys = some_keys(20_000, entries)
    route, text = Route(route_of(entries)), route_of(entries)
    with stage.router() as router, peer(DictTable) as plain:
        load(router, entries)
        ray.get(plain.load.remote(entries))
        kinds: dict[str, tuple[Ask, Ask]] = {
            "resolve and set": (router.resolve, lambda key: router.set(key, route)),
            "actor with a dict": (plain.get.remote, lambda key: plain.set.remote(key, text)),
        }
        contenders = [
            Contender(
                name, writes / 10, partial(calls_per_s, [_mix(*asks, writes)] * coroutines, keys, window_s)
            )
            for writes in WRITES_OF_TEN
            for name, asks in kinds.items()
        ]
        if stage.redis is not None:
            stage.redis.load(entries)
            contenders += [
                Contender(
                    "redis.asyncio GET and SET",
                    writes / 10,
                    partial(
                        redis_calls_per_s,
                        stage.redis.port,
                        coroutines,
                        _redis_mix(text, writes),
                        keys,
                        window_s,
                    ),
                )
                for writes in WRITES_OF_TEN
            ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
    return Report(
        "mixed",
        f"{coroutines} callers that read and write: how many calls a second?",
        (
            *rounds.figures("1/s"),
            *rounds.ratios("resolve and set", "actor with a dict"),
            *rounds.ratios("resolve and set", "redis.asyncio GET and SET"),
        ),
        axis="share of writes",
        skipped=stage.redis_skipped,
    )


def _mix(read: Ask, write: Ask, writes_of_ten: int) -> Ask:
    numbers = count()
    return lambda key: write(key) if next(numbers) % 10 < writes_of_ten else read(key)


def _redis_mix(route: str, writes_of_ten: int) -> Callable[[Any, str], Awaitable[object]]:
    numbers = count()

    def ask(client: Any, key: str) -> Any:
        return client.set(key, route) if next(numbers) % 10 < writes_of_ten else client.get(key)

    return ask
