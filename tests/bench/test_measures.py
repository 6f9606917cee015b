"""The measures, at a small scale: what they report, and that it comes from what they did."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from ray_router.bench.expiry import expiry_storm
from ray_router.bench.hot_keys import hot_keys
from ray_router.bench.measure import Figure, Machine, Report, figure, resident_bytes

_ROUNDS = 2
_SMALL = 1e-6  # every measure has a least size
Progress = Callable[[float], None]
Measure = Callable[[int, float, Progress], Report]
FIGURES: dict[Measure, list[str]] = {
    expiry_storm: [
        "resolve, median",
        "resolve, longest",
        "one chunk of cleaning, longest",
        "garbage collection, longest",
        "until all had moved on",
    ],
    hot_keys: [
        "memory at the end over memory after a tenth",
        "memory at checkpoints",
        "entries held",
        "writes in one process",
    ],
}


class Run(NamedTuple):
    """A measure that was taken: its report, and the progress that it made."""

    measure: Measure
    report: Report
    progress: list[float]


@pytest.fixture(scope="module", params=FIGURES, ids=lambda measure: measure.__name__)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Each measure, taken once."""
    progress: list[float] = []
    gc.freeze()  # a measure collects its garbage, not that of all the tests before
    yield Run(request.param, request.param(_ROUNDS, _SMALL, progress.append), progress)
    gc.unfreeze()


def test_a_measure_reports_its_figures(run: Run) -> None:
    """Every figure has its name, its unit and its numbers, none of them negative; the measure, a question."""
    assert [each.name for each in run.report.figures] == FIGURES[run.measure]
    assert all(each.unit and each.rounds and min(each.rounds) >= 0 for each in run.report.figures)
    assert run.report.measure.replace("-", "_") == run.measure.__name__
    assert run.report.question.endswith("?")


def test_a_measure_says_how_far_it_is(run: Run) -> None:
    """Progress grows, and ends at the whole."""
    assert run.progress == sorted(run.progress)
    assert run.progress[-1] == 1.0


def test_the_figures_come_from_what_was_done(run: Run) -> None:
    """Storms have as many rounds as asked, and a longest call; hot keys leave one entry each."""
    if run.measure is expiry_storm:
        assert {len(each.rounds) for each in run.report.figures} == {_ROUNDS}
        median, longest = run.report.figures[:2]
        assert all(most >= middle > 0 for most, middle in zip(longest.rounds, median.rounds, strict=True))
        assert "1,000 routes" in run.report.question
    else:
        ratio, memory, entries, speed = run.report.figures
        assert "10,000 writes to 50 keys" in run.report.question
        assert entries.rounds == (50.0,)
        assert ratio.median == pytest.approx(memory.rounds[-1] / memory.rounds[0])
        assert len(memory.rounds) == 10
        assert speed.median > 0


def test_a_figure_is_quoted_by_its_median() -> None:
    """One odd round does not move the figure; the spread shows it."""
    odd = figure("time", "ms", [1.0, 100.0, 2.0])
    assert (odd.median, odd.spread) == (2.0, (1.0, 100.0))
    assert odd == Figure("time", "ms", (1.0, 100.0, 2.0))


def test_the_machine_is_named() -> None:
    """A figure says what it was taken on."""
    machine = Machine()
    assert machine.cores >= 1
    assert machine.python.startswith("3.")
    assert machine.system
    assert resident_bytes() > 1_000_000
