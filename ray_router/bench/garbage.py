"""Does Python's garbage collector stop a large partition for long?"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import ray

from ray_router.bench import targets
from ray_router.bench.measure import Report, figure
from ray_router.bench.peers import Bare, DictTable, TtlTable, peer
from ray_router.bench.rounds import Contender, interleaved, keys_per_s
from ray_router.bench.sessions import batches, load
from ray_router.bench.stage import Stage

_LOADED = ("actor with a dict", "actor with a TTLCache")


def garbage(stage: Stage) -> Report:
    """Watch the collections of tables of 1,000,000 times ``scale`` routes.

    Those that come by themselves while the table is loaded and asked; and, once a round, one of
    everything, which is the longest there can be: an actor that holds nothing shows what of it is Ray's.
    """
    entries = stage.count(1_000_000, least=1_000)
    asked, window_s = batches(stage.count(1_000, least=10), entries), stage.window_s(2.0)
    with ExitStack() as open_ones:
        router, partition = open_ones.enter_context(
            stage.watched_router(max_entries_per_partition=2 * entries)
        )
        actors = {
            "partition": partition,
            "bare actor": open_ones.enter_context(peer(Bare)),
            "actor with a dict": open_ones.enter_context(peer(DictTable)),
            "actor with a TTLCache": open_ones.enter_context(peer(TtlTable, 2 * entries)),
        }
        ray.get([actor.watch_collections.remote() for actor in actors.values()])
        load(router, entries)
        ray.get([actors[name].load.remote(entries) for name in _LOADED])
        keys_per_s(lambda keys: router.resolve_many(keys).result(), asked, window_s)
        by_itself = {name: _longest_ms(actor) for name, actor in actors.items()}
        contenders = [
            Contender(f"{name}, one of everything", None, partial(_collect_ms, actor))
            for name, actor in actors.items()
        ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
        longest = _longest_ms(partition)
    return Report(
        "garbage",
        f"{entries:,} routes: how long does a collection of garbage take?",
        (
            *(figure(f"{name}, longest by itself", "ms", [each]) for name, each in by_itself.items()),
            *rounds.figures("ms"),
            figure("partition, longest of all", "ms", [longest], target=targets.LONGEST_COLLECTION_MS),
        ),
    )


def _collect_ms(actor: Any) -> float:
    return float(ray.get(actor.collect_ms.remote()))


def _longest_ms(actor: Any) -> float:
    return float(ray.get(actor.longest_collection_ms.remote()))
