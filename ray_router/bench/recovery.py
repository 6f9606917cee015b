"""A partition dies that is full: how long until all of it is back?"""

from __future__ import annotations

from typing import Any

from ray_router.bench import targets
from ray_router.bench.killing import Hunter, restarted_actor
from ray_router.bench.measure import Report, figure, ratio
from ray_router.bench.sessions import load
from ray_router.bench.stage import Stage


def recovery(stage: Stage) -> Report:
    """Kill one of two partitions that hold 100,000 times ``scale`` routes each, and as many copies.

    It is back when whoever looks from outside sees that all of its own, and all copies, are there. A bare
    actor that Ray restarts is killed in turn, and looked at in the same way.
    """
    entries = stage.count(100_000, least=100)
    back_s: list[float] = []
    bare_s: list[float] = []
    settings: dict[str, Any] = {
        "replicas": 1,
        "max_restarts_in_window": 1_000,
        "max_entries_per_partition": 2 * entries,
    }
    with stage.router(2, **settings) as router, restarted_actor() as restart_s:
        hunter = Hunter(router, stage.namespace)
        load(router, 2 * entries)
        for number in range(stage.rounds):
            back_s.append(hunter.kill(number % 2).took_s)
            bare_s.append(restart_s())
            stage.progress((number + 1) / stage.rounds)
    partition, bare = "partition, death to complete", "bare actor, death to answer"
    return Report(
        "recovery",
        f"a partition of {entries:,} routes dies: how long until it has them all again?",
        (
            figure(partition, "s", back_s),
            figure(bare, "s", bare_s),
            ratio(f"{partition} over {bare}", back_s, bare_s, target=targets.RECOVERY_OVER_RESTART),
        ),
    )
