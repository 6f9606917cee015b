"""What a measure returns, and on what machine: figures without a verdict."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One figure of a measure, over its rounds.

    Args:
        name: what was measured.
        unit: of all the numbers (``"ms"``, ``"1/s"``, ``"ratio"``).
        rounds: the figure in each round.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest round."""
        return min(self.rounds), max(self.rounds)


@dataclass(frozen=True)
class Report:
    """The figures of one measure."""

    measure: str
    question: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Machine:
    """What the figures were taken on; absolute ones mean nothing elsewhere."""

    system: str = field(default_factory=platform.platform)
    python: str = field(default_factory=platform.python_version)
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)


def figure(name: str, unit: str, rounds: Sequence[float]) -> Figure:
    """A figure from its rounds."""
    return Figure(name, unit, tuple(rounds))


def resident_bytes() -> int:
    """This process's resident memory, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)
