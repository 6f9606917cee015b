"""Skewed traffic, before and after a rebalance: how uneven are partitions, and how near to the best?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

from ray_router.bench import targets
from ray_router.bench.measure import Figure, Report, Skipped, figure
from ray_router.bench.stage import Stage
from ray_router.config import RouterConfig
from ray_router.core.slots import slot_function
from ray_router.handle import RouterHandle
from ray_router.handle.intake import key_text
from ray_router.model.balance import imbalance_of
from ray_router.testing import ManualClock
from ray_router.transport import LocalTransport
from ray_router.workload import EventLog

PARTITIONS = (4, 8)
EXPONENT = 1.2

_USES = 400_000
_ROOMS = 100_000
_BATCH = 500
_BATCH_TAKES_S = 0.5


def rebalance(stage: Stage) -> Report:
    """Use a router's rooms by Zipf's law, and as each recorded chat did; rebalance it half-way.

    In this process, 400,000 uses times ``scale``, on a virtual clock: one round gives what any would.
    """
    logs = [] if stage.data is None else sorted((stage.data / "chat").glob("*.jsonl*"))
    most = stage.count(_USES, least=4_000)
    figures: list[Figure] = []
    for step, log in enumerate([None, *logs]):
        name = f"zipf {EXPONENT:g}" if log is None else log.name.partition(".")[0]
        rooms = _zipf(most) if log is None else _rooms_of(log, most)
        for turn, partitions in enumerate(PARTITIONS, start=1):
            figures += _rebalanced(name, rooms, partitions)
            stage.progress((step + turn / len(PARTITIONS)) / (len(logs) + 1))
    where = "RAY_ROUTER_DATA names no folder" if stage.data is None else f"{stage.data} has none"
    return Report(
        "rebalance",
        "skewed traffic: how even are partitions before a rebalance, and after it?",
        tuple(figures),
        "partitions",
        () if logs else (Skipped("chats", where),),
    )


def _zipf(uses: int) -> list[str]:
    random = Random(1)
    weights = [rank**-EXPONENT for rank in range(1, _ROOMS + 1)]
    return [f"bench:bot:room{room}" for room in random.choices(range(_ROOMS), weights, k=uses)]


def _rooms_of(log: Path, most: int) -> list[str]:
    return [key_text(event.key) for event in islice(EventLog(log), most)]


def _rebalanced(name: str, rooms: Sequence[str], partitions: int) -> list[Figure]:
    """The figures of a router that is rebalanced after half of these uses."""
    clock = ManualClock()
    router = RouterHandle(LocalTransport(RouterConfig(partitions=partitions), clock=clock), clock=clock)
    half = len(rooms) // 2
    before = _imbalance(router, clock, rooms[:half])
    plan = router.rebalance().result()
    after = _imbalance(router, clock, rooms[half:])
    slot_of = slot_function("room")
    hottest = max(Counter(map(slot_of, rooms[half:])).values())
    best = max(1.0, hottest * partitions / (len(rooms) - half))
    return [
        figure(f"{name}: largest load over mean, before", "ratio", [before], partitions),
        figure(f"{name}: after", "ratio", [after], partitions),
        figure(f"{name}: the least that slots allow", "ratio", [best], partitions),
        figure(
            f"{name}: after over the least", "ratio", [after / best], partitions, targets.REBALANCED_OVER_BEST
        ),
        figure(f"{name}: slots moved", "slots", [float(len(plan.moves))], partitions),
    ]


def _imbalance(router: RouterHandle, clock: ManualClock, rooms: Sequence[str]) -> float:
    """Use rooms; the largest number of uses on a partition over the mean."""
    before = [each.work for each in router.stats().result().partitions]
    for begin in range(0, len(rooms), _BATCH):
        router.resolve_many(rooms[begin : begin + _BATCH]).result()
        clock.advance(_BATCH_TAKES_S)
    after = [each.work for each in router.stats().result().partitions]
    return imbalance_of([now - then for now, then in zip(after, before, strict=True)])
