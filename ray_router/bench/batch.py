"""Many keys in one call: how many a second, left unread, read one by one, and their routes at once?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray

from ray_router.bench import targets
from ray_router.bench.measure import Report
from ray_router.bench.peers import DictTable, TtlTable, peer
from ray_router.bench.rounds import Contender, interleaved, keys_per_s
from ray_router.bench.sessions import batches, load
from ray_router.bench.stage import Stage
from ray_router.handle import RouterHandle
from ray_router.handle.resolutions import Resolutions

SIZES = (10, 100, 1_000, 10_000)
_MOST_CALLS = 1_000  # of an actor that is asked key by key
Ask = Callable[[Sequence[str]], object]


def batch(stage: Stage) -> Report:
    """Ask for 10 to 10,000 sessions of 100,000 times ``scale``, at random, in one call.

    Redis's answers are left as bytes, which is what costs it least.
    """
    entries, window_s = stage.count(100_000, least=100), stage.window_s(0.4)
    several = stage.count(4, least=2)
    most = stage.count(SIZES[-1], least=10)
    with (
        stage.router() as one,
        stage.router(several) as spread,
        peer(DictTable) as plain,
        peer(TtlTable, 2 * entries) as cached,
    ):
        load(one, entries)
        load(spread, entries)
        ray.get([plain.load.remote(entries), cached.load.remote(entries)])
        asks = _of_a_router(one, "") | _of_a_router(spread, f", {several} partitions")
        asks["actor with a dict, a call a key"] = lambda keys: ray.get(
            [plain.get.remote(key) for key in keys]
        )
        asks["actor with a dict"] = lambda keys: ray.get(plain.get_many.remote(keys))
        asks["actor with a TTLCache"] = lambda keys: ray.get(cached.get_many.remote(keys))
        client = None
        if stage.redis is not None:
            stage.redis.load(entries)
            client = stage.redis.client()
            asks["redis-py pipeline of GETs"] = partial(_pipelined, client)
            asks["redis-py MGET"] = client.mget
        contenders = [
            Contender(name, size, partial(keys_per_s, ask, batches(size, entries), window_s))
            for size in SIZES
            if size <= most
            for name, ask in asks.items()
            if size <= _MOST_CALLS or not name.endswith("a call a key")
        ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
        if client is not None:
            client.close()
    return Report(
        "batch",
        "many keys in one call: how many keys a second?",
        (
            *rounds.figures("1/s"),
            *rounds.ratios("resolve_many, unread", "redis-py pipeline of GETs", targets.BATCH_OVER_PIPELINE),
            *rounds.ratios("resolve_many, unread", "redis-py MGET"),
            *rounds.ratios("resolve_many, read", "redis-py MGET", targets.BATCH_READ_OVER_MGET),
            *rounds.ratios("resolve_many, routes()", "redis-py MGET", targets.BATCH_READ_OVER_MGET),
        ),
        axis="keys in a call",
        skipped=stage.redis_skipped,
    )


def _of_a_router(router: RouterHandle, suffix: str) -> dict[str, Ask]:
    def routes(keys: Sequence[str]) -> object:
        answers = router.resolve_many(keys).result()
        assert isinstance(answers, Resolutions)
        return answers.routes()

    return {
        f"resolve_many, unread{suffix}": lambda keys: router.resolve_many(keys).result(),
        f"resolve_many, read{suffix}": lambda keys: [
            each.route for each in router.resolve_many(keys).result()
        ],
        f"resolve_many, routes(){suffix}": routes,
    }


def _pipelined(client: Any, keys: Sequence[str]) -> object:
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.get(key)
    return pipeline.execute()
