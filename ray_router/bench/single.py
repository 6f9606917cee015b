"""One call at a time: what does a resolve cost over a call that does nothing?"""

from __future__ import annotations

import ray

from ray_router.bench import targets
from ray_router.bench.measure import Report, figure, ratio
from ray_router.bench.peers import Bare, DictTable, TtlTable, peer
from ray_router.bench.rounds import percentile, waits_ms
from ray_router.bench.sessions import load, some_keys
from ray_router.bench.stage import Stage


def single(stage: Stage) -> Report:
    """Resolve 1,000 times ``scale`` sessions of 10,000 in each round, one after the other."""
    entries, calls = stage.count(10_000, least=100), stage.count(1_000, least=40)
    with (
        stage.router() as router,
        peer(Bare) as bare,
        peer(DictTable) as plain,
        peer(TtlTable, 2 * entries) as cached,
    ):
        load(router, entries)
        ray.get([plain.load.remote(entries), cached.load.remote(entries)])
        callers = {
            "bare actor call": lambda key: ray.get(bare.noop.remote()),
            "resolve": lambda key: router.resolve(key).result(),
            "actor with a dict": lambda key: ray.get(plain.get.remote(key)),
            "actor with a TTLCache": lambda key: ray.get(cached.get.remote(key)),
        }
        client = None
        if stage.redis is not None:
            stage.redis.load(entries)
            client = stage.redis.client()
            callers["redis-py GET"] = client.get
        medians: dict[str, list[float]] = {name: [] for name in callers}
        tails: dict[str, list[float]] = {name: [] for name in callers}
        for number in range(stage.rounds):
            waits = waits_ms(callers, some_keys(calls, entries, seed=number))
            for name, each in waits.items():
                medians[name].append(percentile(each, 50))
                tails[name].append(percentile(each, 99))
            stage.progress((number + 1) / stage.rounds)
        if client is not None:
            client.close()
    target = targets.SINGLE_OVER_BARE_CALL
    return Report(
        "single",
        "one call at a time: how long does it take, and how much of that is Ray's?",
        (
            *(figure(f"{name}, p50", "ms", rounds) for name, rounds in medians.items()),
            *(figure(f"{name}, p99", "ms", rounds) for name, rounds in tails.items()),
            ratio(
                "resolve over bare actor call, p50",
                medians["resolve"],
                medians["bare actor call"],
                target=target,
            ),
        ),
        skipped=stage.redis_skipped,
    )
