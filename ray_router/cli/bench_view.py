"""Measures for people, a table each, and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ray_router.cli.plain import fields_of

if TYPE_CHECKING:
    from ray_router.bench.catalogue import Measure
    from ray_router.bench.machine import Machine
    from ray_router.bench.measure import Figure, Report
    from ray_router.bench.stage import Stage


def measures_table(measures: dict[str, Measure]) -> RenderableType:
    """The measures that there are."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, measure in measures.items():
        table.add_row(Text(name, style="bold"), measure.about)
    return table


def machine_view(machine: Machine, stage: Stage) -> RenderableType:
    """What the figures are taken on."""
    load = "unknown" if machine.load is None else " ".join(f"{each:.1f}" for each in machine.load)
    versions = {
        "Python": machine.python,
        "Ray": machine.ray,
        "redis-server": machine.redis_server,
        "redis-py": machine.redis_py,
        "hiredis": machine.hiredis,
        "cachetools": machine.cachetools,
    }
    return Group(
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_bytes / 2**30:.1f} GiB, {machine.system}",
        ", ".join(f"{name} {version or '-'}" for name, version in versions.items()),
        Text(f"{stage.rounds} rounds at scale {stage.scale:g}; load average before: {load}", style="dim"),
    )


def report_view(report: Report, console: Console) -> RenderableType:
    """The figures of a measure: medians, the least and the greatest round below them.

    Figures along an axis have a column for each place on it, where that fits, else a row.
    """
    parts: list[RenderableType] = [Text.assemble("\n", (report.measure, "bold"), "  ", report.question)]
    if report.figures:
        places = _places(report.figures)
        wide = _along_the_axis(report, places)
        fits = (
            console.measure(wide, options=console.options.update(max_width=10_000)).maximum <= console.width
        )
        parts.append(wide if fits else _one_below_the_other(report))
    parts += [Text(f"without {each.what}: {each.reason}", style="yellow") for each in report.skipped]
    return Group(*parts)


def bench_summary(machine: Machine, stage: Stage, reports: Iterable[Report]) -> dict[str, object]:
    """A run of measures for programs."""
    return {
        "machine": fields_of(machine),
        "rounds": stage.rounds,
        "scale": stage.scale,
        "measures": [
            {
                "measure": report.measure,
                "question": report.question,
                "axis": report.axis,
                "figures": [_figure(each) for each in report.figures],
                "skipped": [fields_of(each) for each in report.skipped],
            }
            for report in reports
        ],
    }


def _figure(figure: Figure) -> dict[str, object]:
    least, greatest = figure.spread
    target = figure.target
    return {
        "name": figure.name,
        "at": figure.at,
        "unit": figure.unit,
        "median": figure.median,
        "least": least,
        "greatest": greatest,
        "rounds": list(figure.rounds),
        "target": None if target is None else target._asdict(),
    }


def _along_the_axis(report: Report, places: Sequence[object]) -> Table:
    table = _table(report.axis or "")
    for place in places:
        table.add_column("median" if place is None else _number(place), justify="right", no_wrap=True)
    has_targets = any(each.target for each in report.figures)
    if has_targets:
        table.add_column("meant to be", no_wrap=True)
    by_name: dict[tuple[str, str], dict[object, Figure]] = {}
    for each in report.figures:
        by_name.setdefault((each.name, each.unit), {})[each.at] = each
    for (name, unit), found in by_name.items():
        cells = [_cell(found[place]) if place in found else Text("-", style="dim") for place in places]
        table.add_row(name, unit, *cells, *([_targets(found.values())] if has_targets else []))
    return table


def _one_below_the_other(report: Report) -> Table:
    table = _table("")
    for title in ([report.axis] if report.axis else []) + ["median", "least", "greatest"]:
        table.add_column(title, justify="right")
    table.add_column("meant to be")
    for each in report.figures:
        least, greatest = each.spread
        place = [] if not report.axis else ["" if each.at is None else _number(each.at)]
        numbers = [_number(value) for value in (each.median, least, greatest)]
        table.add_row(each.name, each.unit, *place, *numbers, "" if each.target is None else str(each.target))
    return table


def _table(first: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first)
    table.add_column("unit", style="dim")
    return table


def _places(figures: Iterable[Figure]) -> list[object]:
    """Where figures stand on the axis, each place once, in order."""
    found = {each.at for each in figures}
    return sorted(
        found, key=lambda at: (isinstance(at, str), at if isinstance(at, int | float) else 0, str(at))
    )


def _cell(figure: Figure) -> Text:
    least, greatest = figure.spread
    cell = Text(_number(figure.median), style="bold" if figure.unit in ("ratio", "points") else "")
    if len(figure.rounds) > 1:
        cell.append(f"\n{_number(least)} to {_number(greatest)}", style="dim not bold")
    return cell


def _targets(figures: Iterable[Figure]) -> str:
    """What a row is meant to come to, and where."""
    all_of_them = list(figures)
    aimed = [each for each in all_of_them if each.target is not None]
    if len(aimed) == len(all_of_them) and len({each.target for each in aimed}) == 1:
        return str(aimed[0].target)
    return "\n".join(f"{_number(each.at)}: {each.target}" for each in aimed)


def _number(value: object) -> str:
    """Three digits that count; thousands apart."""
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
