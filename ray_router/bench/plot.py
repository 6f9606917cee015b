"""The curves of reports that have an axis, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ray_router.bench.measure import Figure, Report
from ray_router.errors import RouterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_IN, _HEIGHT_IN = 9.0, 4.5  # inches, of each report


def has_curves(report: Report) -> bool:
    """Whether there is anything to draw of a report."""
    return report.axis is not None and bool(_curves(report))


def plot(reports: Sequence[Report], path: Path) -> None:
    """Draw, of each report with an axis, its figures other than ratios, with the spread of their rounds.

    Args:
        path: the picture's; its suffix says of what kind it is.

    Raises:
        RouterError: there is nothing to draw, or the picture cannot be written.
    """
    drawn = [report for report in reports if has_curves(report)]
    if not drawn:
        raise RouterError("none of these measures has a curve to draw")
    from matplotlib.figure import Figure as Picture

    picture = Picture(figsize=(_WIDTH_IN, _HEIGHT_IN * len(drawn)), layout="constrained")
    for report, axes in zip(drawn, picture.subplots(len(drawn), squeeze=False)[:, 0], strict=True):
        _draw(report, axes)
    try:
        picture.savefig(path)
    except (OSError, ValueError) as error:
        raise RouterError(f"the picture {path} cannot be written: {error}") from None


def _draw(report: Report, axes: Axes) -> None:
    curves = _curves(report)
    for name, figures in curves.items():
        places = [float(each.at or 0.0) for each in figures]
        (line,) = axes.plot(places, [each.median for each in figures], marker="o", markersize=3, label=name)
        least, most = zip(*(each.spread for each in figures), strict=True)
        axes.fill_between(places, least, most, color=line.get_color(), alpha=0.15, linewidth=0)
    if all(float(each.at or 0.0) > 0 for figures in curves.values() for each in figures):
        axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(report.question, fontsize="medium")
    axes.set_xlabel(report.axis or "")
    axes.set_ylabel(next(iter(curves.values()))[0].unit)
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize="x-small")


def _curves(report: Report) -> dict[str, list[Figure]]:
    """Figures of one unit by name, along the axis: those of the first figure's unit."""
    found: dict[str, list[Figure]] = {}
    for each in report.figures:
        if isinstance(each.at, int | float) and each.unit == report.figures[0].unit:
            found.setdefault(each.name, []).append(each)
    return {name: figures for name, figures in found.items() if len(figures) > 1}
