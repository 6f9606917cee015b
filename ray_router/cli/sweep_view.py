"""A sweep: a row for each TTL and a column for each capacity; and as a picture."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from ray_router.cli.fitting import Column, fitted_table
from ray_router.cli.session_view import day, some
from ray_router.core.insight.words import duration
from ray_router.errors import RouterError
from ray_router.workload import Sweep

_GOOD, _FAIR = 0.01, 0.05  # below the best of the sweep


class PlotError(RouterError):
    """The picture cannot be made."""


def sweep_table(sweep: Sweep, console: Console) -> RenderableType:
    """The hit ratio of every pair; green is what is within a point of the best of them."""
    ttls, capacities = sweep.grid.ttls_s, sweep.grid.capacities
    ratios = {(point.ttl_s, point.capacity): point.hit_ratio for point in sweep.points}
    best = max(ratios.values())

    def cell(ttl_s: float | None, capacity: int | None) -> Text:
        missing = best - ratios[ttl_s, capacity]
        style = "green" if missing <= _GOOD else "yellow" if missing <= _FAIR else ""
        return Text(f"{ratios[ttl_s, capacity]:.1%}", style=style)

    columns = [
        Column("TTL", [duration(each) for each in ttls]),
        *(Column(_capacity(each), [cell(ttl_s, each) for ttl_s in ttls]) for each in capacities),
    ]
    summary = Text.assemble(
        ("hit ratio by TTL and capacity (sessions) · ", "dim"),
        some(sweep.events, "event"),
        (" · ", "dim"),
        some(sweep.sessions, "session"),
        (f" · {day(sweep.first_at)} to {day(sweep.last_at)}", "dim"),
    )
    return Group("", fitted_table(console, columns, ()), summary)


def plot_sweep(sweep: Sweep, path: Path) -> None:
    """Draw the hit ratio over the axis that has more values, a line for each value of the other.

    Args:
        path: its suffix says what kind of picture: ``.png``, ``.svg``, ``.pdf``.

    Raises:
        PlotError: matplotlib is not installed, knows no such kind, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise PlotError("--plot needs matplotlib: pip install 'ray-router[plot]'") from None
    ttls, capacities = sweep.grid.ttls_s, sweep.grid.capacities
    ratios = {(point.ttl_s, point.capacity): 100 * point.hit_ratio for point in sweep.points}
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    if len(ttls) >= len(capacities):
        places, title = [duration(each) for each in ttls], "TTL"
        lines = [(_capacity(c), [ratios[t, c] for t in ttls]) for c in capacities]
        other = "capacity"
    else:
        places, title = [_capacity(each) for each in capacities], "capacity (sessions)"
        lines = [(duration(t), [ratios[t, c] for c in capacities]) for t in ttls]
        other = "TTL"
    for label, values in lines:
        axes.plot(places, values, marker="o", label=label)
    axes.set(xlabel=title, ylabel="hit ratio (%)")
    axes.grid(alpha=0.3)
    axes.legend(title=other)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise PlotError(f"--plot: {path} cannot be written: {error}") from None


def _capacity(capacity: int | None) -> str:
    return "no limit" if capacity is None else f"{capacity:,}"
