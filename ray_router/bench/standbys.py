"""What does it cost to keep every session twice?"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

from ray_router.bench import targets
from ray_router.bench.measure import At, Report
from ray_router.bench.rounds import Rounds, keys_per_s, percentile, waits_ms
from ray_router.bench.sessions import batches, load, some_keys
from ray_router.bench.stage import Stage
from ray_router.handle import RouterHandle
from ray_router.model import Route

_KINDS: dict[str, dict[str, Any]] = {
    "no copies": {"replicas": 0},
    "async": {"replicas": 1, "durability": "async"},
    "sync": {"replicas": 1, "durability": "sync"},
}


def standbys(stage: Stage) -> Report:
    """Write to, and read from, routers of two partitions that keep each session once, and twice.

    They take turns, each round beginning with another one. ``set_many`` writes 1,000 times ``scale``
    sessions at once, each from where it wrote before, for long enough that copies are sent many times.
    """
    entries = stage.count(20_000, least=200)
    size, window_s = stage.count(1_000, least=20), stage.window_s(2.0)
    taken: dict[tuple[str, At], list[float]] = {}
    asked = batches(size, entries)
    with ExitStack() as open_ones:
        routers: dict[str, RouterHandle] = {}
        for name, settings in _KINDS.items():
            room: dict[str, Any] = {"max_entries_per_partition": 4 * entries}
            routers[name] = open_ones.enter_context(stage.router(2, **settings, **room))
            load(routers[name], entries)
        for number in range(stage.rounds):
            for name in _in_turn(number):
                calls = partial(_write, routers[name])
                taken.setdefault((f"set_many, {name}", None), []).append(keys_per_s(calls, asked, window_s))
            keys = some_keys(stage.count(500, least=20), entries, number)
            one = {name: partial(_resolve, routers[name]) for name in _in_turn(number)}
            for name, waits in waits_ms(one, keys).items():
                taken.setdefault((f"resolve, {name}", None), []).append(1e3 / percentile(waits, 50))
            for name in _in_turn(number):
                calls = partial(_resolve_many, routers[name])
                taken.setdefault((f"resolve_many, {name}", None), []).append(
                    keys_per_s(calls, asked, window_s)
                )
            stage.progress((number + 1) / stage.rounds)
    rounds = Rounds(taken)
    pairs = [
        ("set_many, async", "set_many, no copies", targets.COPIED_WRITES),
        ("set_many, sync", "set_many, no copies", None),
        ("resolve, async", "resolve, no copies", targets.COPIED_READS),
        ("resolve, sync", "resolve, no copies", targets.COPIED_READS),
        ("resolve_many, async", "resolve_many, no copies", targets.COPIED_READS),
        ("resolve_many, sync", "resolve_many, no copies", targets.COPIED_READS),
    ]
    ratios = [each for over, under, target in pairs for each in rounds.ratios(over, under, target=target)]
    return Report(
        "standbys",
        "every session is kept once, or twice: how many are written and read a second?",
        (*rounds.figures("1/s"), *ratios),
    )


def _in_turn(number: int) -> list[str]:
    names = [*_KINDS]
    return [*names[number % len(names) :], *names[: number % len(names)]]


def _write(router: RouterHandle, keys: list[str]) -> None:
    """Sessions write again, each from where it did before."""
    router.set_many([(key, Route(f"-100{key}")) for key in keys]).result()


def _resolve(router: RouterHandle, key: str) -> None:
    router.resolve(key).result()


def _resolve_many(router: RouterHandle, keys: list[str]) -> None:
    router.resolve_many(keys).result()
