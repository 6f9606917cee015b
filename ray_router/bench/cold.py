"""A process that has never heard of the router: what does its first answer take?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

import psutil
import ray
from ray.actor import ActorMethod

from ray_router.bench import targets
from ray_router.bench.measure import At, Report, Skipped, figure, ratio
from ray_router.bench.peers import Bare, peer
from ray_router.bench.sessions import key_of, load
from ray_router.bench.stage import Stage
from ray_router.runtime import connect

PARTITIONS = (4, 64)
_BYTES_OF_A_PARTITION = 100_000_000  # of memory, with what Ray needs around it


class FirstAnswer(NamedTuple):
    """What it took: look-ups of names, calls of actors, and seconds from ``connect`` to the answer."""

    look_ups: int
    calls: int
    took_s: float


def cold(stage: Stage) -> Report:
    """``connect`` and resolve in a fresh process, against routers of 4 and of 64 partitions.

    Its imports are done before the time starts. Look-ups and calls are counted where Ray's own functions
    are called. Beside it: an actor that does nothing, looked up and called for the first time.
    """
    taken: dict[At, list[FirstAnswer]] = {}
    bare: dict[At, list[FirstAnswer]] = {}
    skipped = []
    steps = sorted({stage.count(count, least=2) for count in PARTITIONS})
    for step, partitions in enumerate(steps):
        if psutil.virtual_memory().available < partitions * _BYTES_OF_A_PARTITION:
            skipped.append(Skipped(f"{partitions} partitions", "there is too little memory free for them"))
            continue
        bare_name = f"{stage.name}-bare-{partitions}"
        with (
            stage.router(partitions) as router,
            peer(Bare, name=bare_name, namespace=stage.namespace),
        ):
            load(router, 1_000)
            name = router.config.name
            for number in range(stage.rounds):
                taken.setdefault(partitions, []).append(
                    _in_a_fresh_process(_first_resolve, name, stage.namespace, key_of(number))
                )
                bare.setdefault(partitions, []).append(
                    _in_a_fresh_process(_first_bare_call, bare_name, stage.namespace)
                )
                stage.progress((step + (number + 1) / stage.rounds) / len(steps))
    times = {at: [each.took_s * 1e3 for each in answers] for at, answers in taken.items()}
    bare_times = {at: [each.took_s * 1e3 for each in answers] for at, answers in bare.items()}
    look_ups, calls = targets.LOOK_UPS_TO_FIRST_ANSWER, targets.CALLS_TO_FIRST_ANSWER
    return Report(
        "cold",
        "a process that has never heard of the router: what does its first answer take?",
        (
            *(
                figure("look-ups", "look-ups", [float(each.look_ups) for each in answers], at, look_ups)
                for at, answers in taken.items()
            ),
            *(
                figure("calls", "calls", [float(each.calls) for each in answers], at, calls)
                for at, answers in taken.items()
            ),
            *(figure("connect and resolve", "ms", rounds, at) for at, rounds in times.items()),
            *(figure("bare actor, found and called", "ms", rounds, at) for at, rounds in bare_times.items()),
            *(
                ratio("connect and resolve over bare actor, found and called", rounds, bare_times[at], at)
                for at, rounds in times.items()
            ),
        ),
        axis="partitions",
        skipped=tuple(skipped),
    )


def _in_a_fresh_process(first: Callable[..., FirstAnswer], *arguments: str) -> FirstAnswer:
    """Ray ends the process of a task with ``max_calls=1``, and never gives such a task a used one."""
    task: Any = ray.remote(max_calls=1, num_cpus=0)(first)
    answer: FirstAnswer = ray.get(task.remote(*arguments))
    return answer


def _first_resolve(name: str, namespace: str, key: str) -> FirstAnswer:
    return _counted(lambda: connect(name, namespace=namespace).resolve(key).result())


def _first_bare_call(name: str, namespace: str) -> FirstAnswer:
    return _counted(lambda: ray.get(ray.get_actor(name, namespace=namespace).noop.remote()))


def _counted(ask: Callable[[], object]) -> FirstAnswer:
    """Ask in this process, which is not used for anything else."""
    with (
        _calls_of(ray, "get_actor") as found,
        _calls_of(ray.util, "list_named_actors") as listed,
        _calls_of(ActorMethod, "_remote") as called,
    ):
        began = time.perf_counter()
        ask()
        took_s = time.perf_counter() - began
    return FirstAnswer(len(found) + len(listed), len(called), took_s)


@contextmanager
def _calls_of(owner: Any, name: str) -> Iterator[list[None]]:
    """Grows by one with each call of a function of Ray's."""
    calls: list[None] = []
    function = getattr(owner, name)

    @wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return function(*arguments, **named)

    setattr(owner, name, counted)
    try:
        yield calls
    finally:
        setattr(owner, name, function)
