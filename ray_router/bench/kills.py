"""Partitions are killed while they are used: what is lost, who is not answered, who waits?"""

from __future__ import annotations

import time
from contextlib import ExitStack
from random import Random
from typing import NamedTuple

from ray_router.bench import targets
from ray_router.bench.killing import Hunter, Kill, restarted_actor
from ray_router.bench.measure import Figure, Report, figure, ratio
from ray_router.bench.rounds import quantile
from ray_router.bench.stage import Stage
from ray_router.bench.targets import Target
from ray_router.workload import LedgerLoad, lost

_CALLERS = 2
_WRITES_BETWEEN = 20  # acknowledged before the next kill, at least


class Outcome(NamedTuple):
    """What became of a router that was hunted.

    ``lost``: acknowledged writes that are not there in the end; ``denied``: those of them of which no
    partition says that they may be. ``bare_s``: how long Ray took to restart a bare actor, after each kill.
    """

    kills: list[Kill]
    acknowledged: int
    lost: int
    denied: int
    unanswered: list[str]
    took_ms: list[float]
    by_standby: int
    bare_s: list[float]


def kills(stage: Stage) -> Report:
    """Kill partitions of a router with standbys, at random, one at a time, under load.

    Each kill comes after the last recovery is complete. Callers write and read one session at a time, and
    now and then many; in the end all that they were promised is read. A bare actor is killed in turn with
    the partitions: that is how long Ray takes by itself.
    """
    figures: list[Figure] = []
    for number, durability in enumerate(("sync", "async")):
        outcome = hunted(stage, durability, begun=number / 2)
        figures += _figures(outcome, durability)
    return Report(
        "kills",
        "partitions are killed, one at a time: what is lost, and how long does anybody wait?",
        tuple(figures),
        axis="durability",
    )


def hunted(stage: Stage, durability: str, begun: float = 0.0) -> Outcome:
    """Use a router for half of the stage's span, and kill its partitions meanwhile, at least one.

    Args:
        begun: how much of the measure is done before, 0 to 1.
    """
    partitions, random = stage.count(4, least=2), Random(1)
    found: list[Kill] = []
    bare_s: list[float] = []
    with ExitStack() as open_ones:
        router = open_ones.enter_context(
            stage.router(
                partitions,
                replicas=1,
                durability=durability,
                call_timeout_s=20.0,
                max_restarts_in_window=1_000,
            )
        )
        restart_s = open_ones.enter_context(restarted_actor())
        hunter = Hunter(router, stage.namespace)
        hunter.wait_until_whole()
        loads = [
            LedgerLoad(router, number, sessions=stage.count(20_000, least=200)) for number in range(_CALLERS)
        ]
        began, span_s = time.monotonic(), stage.span_s / 2
        with ExitStack() as running:
            for load in loads:
                running.enter_context(load)
            while not found or time.monotonic() - began < span_s:
                _wait_for_writes(loads)
                found.append(hunter.kill_some(random))
                bare_s.append(restart_s())
                stage.progress(begun + min(0.5, (time.monotonic() - began) / (2 * span_s)))
        hunter.wait_until_whole(at_rest=True)
        missing = lost(router, loads)
    stage.progress(begun + 0.5)
    denied = [each for each in missing if not any(kill.owns_up_to(each.at) for kill in found)]
    return Outcome(
        found,
        sum(load.acknowledged for load in loads),
        len(missing),
        len(denied),
        [why for load in loads for why in load.unanswered],
        [each * 1e3 for load in loads for each in load.took_s],
        sum(load.by_standby for load in loads),
        bare_s,
    )


def _wait_for_writes(loads: list[LedgerLoad]) -> None:
    before = sum(load.acknowledged for load in loads)
    while sum(load.acknowledged for load in loads) < before + _WRITES_BETWEEN:
        time.sleep(0.01)


def _figures(outcome: Outcome, durability: str) -> list[Figure]:
    back_s = [each.took_s for each in outcome.kills]
    nothing = targets.NOTHING
    lost_by: Target | None = nothing if durability == "sync" else None

    def one(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return figure(name, unit, [value], durability, target)

    return [
        one("kills", "kills", len(outcome.kills)),
        one("writes acknowledged", "writes", outcome.acknowledged),
        one("writes lost", "writes", outcome.lost, lost_by),
        one("writes lost of which nobody says so", "writes", outcome.denied, nothing),
        one("calls not answered", "calls", len(outcome.unanswered), nothing),
        one("answered by a standby", "calls", outcome.by_standby),
        one("resolve, p50", "ms", quantile(outcome.took_ms, 0.5)),
        one("resolve, p99.9", "ms", quantile(outcome.took_ms, 0.999), targets.SLOWEST_MS),
        one("resolve, longest", "ms", max(outcome.took_ms), targets.LONGEST_MS),
        figure("partition, death to complete", "s", back_s, durability),
        figure("bare actor, death to answer", "s", outcome.bare_s, durability),
        ratio(
            "partition, death to complete over bare actor, death to answer",
            back_s,
            outcome.bare_s,
            durability,
        ),
        figure("lost window said", "s", [min(each.lost_window_s, 1e9) for each in outcome.kills], durability),
    ]
