"""Handles in several processes: what do callers get who do not know of each other?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import ray

from ray_router.bench.concurrency import _get
from ray_router.bench.coroutines import calls_per_s, redis_calls_per_s
from ray_router.bench.measure import Report
from ray_router.bench.peers import Bare, peer
from ray_router.bench.rounds import Contender, interleaved
from ray_router.bench.sessions import load, some_keys
from ray_router.bench.stage import Stage
from ray_router.bench.watched import Watched
from ray_router.runtime import connect

PROCESSES = (1, 2, 4)
_COROUTINES = 100


class Caller(Watched):
    """A process that asks a router, another actor, or Redis."""

    def __init__(self, name: str, namespace: str, bare: Any, redis_port: int | None, entries: int) -> None:
        self._router = connect(name, namespace=namespace)
        self._bare = bare
        self._redis_port = redis_port
        self._keys = some_keys(20_000, entries)

    def resolve(self, coroutines: int, window_s: float) -> float:
        """Calls a second."""
        return calls_per_s([self._router.resolve] * coroutines, self._keys, window_s)

    def call(self, coroutines: int, window_s: float) -> float:
        """Calls a second."""
        return calls_per_s([lambda key: self._bare.noop.remote()] * coroutines, self._keys, window_s)

    def get(self, coroutines: int, window_s: float) -> float:
        """Calls a second."""
        assert self._redis_port is not None
        return redis_calls_per_s(self._redis_port, coroutines, _get, self._keys, window_s)


def processes(stage: Stage) -> Report:
    """100 coroutines in each of 1 to 4 processes resolve sessions of 100,000 times ``scale``."""
    entries, window_s = stage.count(100_000, least=100), stage.window_s(1.0)
    coroutines = stage.count(_COROUTINES, least=4)
    steps = [count for count in PROCESSES if count <= stage.count(PROCESSES[-1], least=2)]
    port = None if stage.redis is None else stage.redis.port
    with ExitStack() as open_ones:
        router = open_ones.enter_context(stage.router())
        load(router, entries)
        bare = open_ones.enter_context(peer(Bare))
        callers = [
            open_ones.enter_context(peer(Caller, router.config.name, stage.namespace, bare, port, entries))
            for _ in range(steps[-1])
        ]
        kinds: dict[str, Callable[[Any], Any]] = {
            "resolve": lambda caller: caller.resolve.remote(coroutines, window_s),
            "bare actor call": lambda caller: caller.call.remote(coroutines, window_s),
        }
        if stage.redis is not None:
            stage.redis.load(entries)
            kinds["redis.asyncio GET"] = lambda caller: caller.get.remote(coroutines, window_s)
        contenders = [
            Contender(name, count, partial(_together, callers[:count], start))
            for count in steps
            for name, start in kinds.items()
        ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
    return Report(
        "processes",
        f"{coroutines} callers in each process: how many calls a second do all of them get?",
        (
            *rounds.figures("1/s"),
            *rounds.ratios("resolve", "bare actor call"),
            *rounds.ratios("resolve", "redis.asyncio GET"),
        ),
        axis="processes",
        skipped=stage.redis_skipped,
    )


def _together(callers: Sequence[Any], start: Callable[[Any], Any]) -> float:
    """What all of them get in the same time."""
    return float(sum(ray.get([start(caller) for caller in callers])))
