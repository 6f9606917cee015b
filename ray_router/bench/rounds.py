"""Contenders taken in turns, so that what slows the machine down slows all of them.

Each round takes every contender once, and every second round in the opposite order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import quantiles
from typing import NamedTuple, TypeVar

from ray_router.bench.measure import At, Figure, ratio
from ray_router.bench.targets import Target

_TURN = 20  # calls of one contender before the next one's turn


Asked = TypeVar("Asked")


class Contender(NamedTuple):
    """Somebody to measure: what it is called, where on the axis it stands, and how one round is taken."""

    name: str
    at: At
    take: Callable[[], float]


class Rounds:
    """What contenders came to, round by round."""

    def __init__(self, taken: Mapping[tuple[str, At], Sequence[float]]) -> None:
        self._taken = taken

    def __contains__(self, contender: tuple[str, At]) -> bool:
        return contender in self._taken

    def of(self, name: str, at: At = None) -> Sequence[float]:
        """A contender's rounds."""
        return self._taken[name, at]

    def figures(self, unit: str) -> tuple[Figure, ...]:
        """All of them, in the order of the contenders."""
        return tuple(Figure(name, unit, tuple(rounds), at) for (name, at), rounds in self._taken.items())

    def ratios(
        self,
        over: str,
        under: str,
        targets: Mapping[int, Target] | None = None,
        *,
        target: Target | None = None,
    ) -> tuple[Figure, ...]:
        """One contender over another, wherever on the axis both stand.

        Args:
            targets: by place on the axis.
            target: everywhere else.
        """
        wanted = targets or {}
        return tuple(
            ratio(
                f"{over} over {under}",
                rounds,
                self._taken[under, at],
                at,
                wanted.get(at, target) if isinstance(at, int) else target,
            )
            for (name, at), rounds in self._taken.items()
            if name == over and (under, at) in self._taken
        )


def interleaved(contenders: Sequence[Contender], rounds: int, progress: Callable[[float], None]) -> Rounds:
    """Take every contender in each of so many rounds."""
    taken: dict[tuple[str, At], list[float]] = {(each.name, each.at): [] for each in contenders}
    done = 0
    for number in range(rounds):
        for each in contenders if number % 2 == 0 else reversed(contenders):
            taken[each.name, each.at].append(each.take())
            done += 1
            progress(done / (rounds * len(contenders)))
    return Rounds(taken)


def waits_ms(
    calls: Mapping[str, Callable[[Asked], object]],
    keys: Sequence[Asked],
    *,
    turn: int = _TURN,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """How long each call took for each of the keys, or batches of them, in milliseconds.

    Args:
        turn: calls of one caller before the next one's turn.
        clock: seconds, of whatever kind.
    """
    waits: dict[str, list[float]] = {name: [] for name in calls}
    for first in range(0, len(keys), turn):
        for name, call in calls.items():
            for key in keys[first : first + turn]:
                began = clock()
                call(key)
                waits[name].append((clock() - began) * 1e3)
    return waits


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of the others do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of all, 0 to 1, do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def keys_per_s(
    call: Callable[[Sequence[str]], object], batches: Sequence[Sequence[str]], window_s: float
) -> float:
    """How many keys a second a call of many gets through, at least one batch.

    Args:
        batches: asked for in turn, for at least ``window_s`` seconds.
    """
    done = number = 0
    began = time.perf_counter()
    while done == 0 or time.perf_counter() - began < window_s:
        batch = batches[number % len(batches)]
        call(batch)
        done += len(batch)
        number += 1
    return done / (time.perf_counter() - began)
