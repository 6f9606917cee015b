"""What a measure returns: figures without a verdict."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

from ray_router.bench.targets import Target

At = Union[float, str, None]


@dataclass(frozen=True)
class Figure:
    """One figure of a measure, over its rounds.

    Args:
        name: what was measured.
        unit: of all the numbers (``"ms"``, ``"1/s"``, ``"ratio"``).
        rounds: the figure in each round.
        at: where on the report's axis; None where it has none.
        target: what it is meant to come to.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]
    at: At = None
    target: Target | None = None

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest round."""
        return min(self.rounds), max(self.rounds)


@dataclass(frozen=True)
class Skipped:
    """What a report lacks, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Report:
    """The figures of one measure.

    Args:
        axis: what the figures' ``at`` counts; None where there is one figure of a name.
    """

    measure: str
    question: str
    figures: tuple[Figure, ...]
    axis: str | None = None
    skipped: tuple[Skipped, ...] = ()


def figure(
    name: str, unit: str, rounds: Sequence[float], at: At = None, target: Target | None = None
) -> Figure:
    """A figure from its rounds."""
    return Figure(name, unit, tuple(rounds), at, target)


def ratio(
    name: str,
    over: Sequence[float],
    under: Sequence[float],
    at: At = None,
    target: Target | None = None,
) -> Figure:
    """One figure over another, round by round: what slows a round down slows both."""
    rounds = tuple(above / below for above, below in zip(over, under, strict=True))
    return Figure(name, "ratio", rounds, at, target)
