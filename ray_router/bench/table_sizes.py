"""Small tables and large ones: does a resolve cost more when there are a million routes?"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from ray_router.bench import targets
from ray_router.bench.measure import Report, ratio
from ray_router.bench.rounds import Contender, interleaved, keys_per_s
from ray_router.bench.sessions import batches, load
from ray_router.bench.stage import Stage
from ray_router.handle import RouterHandle

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LARGE = 10_000_000
_BATCH = 1_000


def table_sizes(stage: Stage) -> Report:
    """Resolve 1,000 sessions a call, at random, in one partition with 1,000 to 1,000,000 times ``scale``.

    The answers are left unread. ``large`` adds a table of 10,000,000 times ``scale``.
    """
    full = (*SIZES, LARGE) if stage.large else SIZES
    sizes = sorted({stage.count(size, least=100) for size in full})
    size_of_batch, window_s = stage.count(_BATCH, least=10), stage.window_s(1.0)
    contenders = []
    with ExitStack() as open_ones:
        for number, size in enumerate(sizes):
            router = open_ones.enter_context(stage.router(max_entries_per_partition=2 * size))
            load(router, size)
            asked = batches(size_of_batch, size)
            contenders.append(Contender("resolve_many", size, partial(_keys_per_s, router, asked, window_s)))
            if stage.redis is not None:
                stage.redis.load(size, database=number)
                client = open_ones.enter_context(stage.redis.client(number))
                contenders.append(
                    Contender("redis-py MGET", size, partial(keys_per_s, client.mget, asked, window_s))
                )
        rounds = interleaved(contenders, stage.rounds, stage.progress)
    first = rounds.of("resolve_many", sizes[0])
    return Report(
        "table-sizes",
        f"{size_of_batch:,} keys in a call: does the size of the table matter?",
        (
            *rounds.figures("1/s"),
            *(
                ratio(
                    f"resolve_many over the same at {sizes[0]:,}",
                    rounds.of("resolve_many", size),
                    first,
                    size,
                    targets.LARGEST_TABLE_OVER_SMALLEST.get(size),
                )
                for size in sizes[1:]
            ),
            *rounds.ratios("resolve_many", "redis-py MGET"),
        ),
        axis="routes",
        skipped=stage.redis_skipped,
    )


def _keys_per_s(router: RouterHandle, asked: list[list[str]], window_s: float) -> float:
    return keys_per_s(lambda keys: router.resolve_many(keys).result(), asked, window_s)
