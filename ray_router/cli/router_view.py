"""A router for people: a headline, and a row for each partition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.filesize import decimal
from rich.text import Text

from ray_router.cli.autoscaling_view import autoscaling_line
from ray_router.cli.fitting import Cell, Column, fitted_table
from ray_router.cli.traffic_view import traffic_view
from ray_router.model import PartitionStats, PressureLevel, RouterStats, Window

Rates = Mapping[int, tuple[float, float]]
"""Resolves and writes a second, of each partition."""

_LEVEL_STYLES = {
    PressureLevel.NORMAL: "green",
    PressureLevel.WARN: "yellow",
    PressureLevel.DEGRADED: "dark_orange",
    PressureLevel.SHED: "bold red",
}
_BAR_WIDTH = 8
_SPARE = ("memory", "ghosts", "waiting", "", "slots", "life", "node · pid", "hit 1 min", "fallback", "load")


def router_table(stats: RouterStats, console: Console, rates: Rates | None = None) -> RenderableType:
    """A router by partition, in the width that there is.

    Args:
        rates: shown if they were measured.
    """
    partitions, shares = stats.partitions, stats.shares

    def column(title: str, cell: Callable[[PartitionStats], Cell], *, left: bool = False) -> Column:
        cells = [cell(each) if each.available else "" for each in partitions]
        return Column(title, cells, "left" if left else "right")

    def rate(index: int) -> Callable[[PartitionStats], Cell]:
        known = rates or {}
        return lambda each: f"{known[each.partition][index]:,.0f}" if each.partition in known else "?"

    measured = [column("resolves/s", rate(0)), column("writes/s", rate(1))]
    columns = [
        Column("partition", [str(each.partition) for each in partitions]),
        Column("up", [_up(each, stats.out) for each in partitions], "left"),
        column("node · pid", _process, left=True),
        column("life", _life),
        *((column("copies", _copies),) if any(each.copies for each in partitions) else ()),
        column("slots", lambda each: f"{each.slots:,}"),
        column("entries / capacity", _entries),
        column("", _bar, left=True),
        column("memory", lambda each: decimal(each.table_bytes)),
        column("ghosts", lambda each: f"{each.ghosts:,}"),
        column("load", lambda each: f"{shares.get(each.partition, 0.0):.0%}"),
        column("hit", lambda each: f"{each.traffic.hit_ratio:.1%}"),
        column("hit 1 min", lambda each: _recent_hits(each.windows)),
        column("fallback", lambda each: f"{each.traffic.fallback_ratio:.1%}"),
        column("waiting", lambda each: f"{each.waiting_s * 1e3:,.1f} ms"),
        *(measured if rates is not None else ()),
        column("pressure", _pressure, left=True),
    ]
    above = [_headline(stats)]
    above += [] if stats.autoscaling is None else [autoscaling_line(stats.autoscaling)]
    return Group(*above, fitted_table(console, columns, _SPARE), *traffic_view(stats, console))


def _headline(stats: RouterStats) -> Text:
    up = len(stats.partitions) - len(stats.down)
    held, traffic = stats.holdings, stats.traffic
    return Text.assemble(
        ("router ", "dim"),
        (stats.name, "bold"),
        (f", epoch {stats.epoch} · ", "dim"),
        (f"{up} of {len(stats.partitions)} partitions up", "bold red" if stats.down else "green"),
        (" · pressure ", "dim"),
        (stats.level.name.lower(), _LEVEL_STYLES[stats.level]),
        (f", {traffic.pressure_changes:,} changes of level" if traffic.pressure_changes else "", "dim"),
        ("\nsessions: ", "dim"),
        f"{held.live:,} live, {held.stale:,} stale, {held.tombstones:,} expired",
        (" · defaults: ", "dim"),
        f"{held.defaults:,}",
        (" · memory: ", "dim"),
        decimal(stats.table_bytes),
        (" · resolves: ", "dim"),
        f"{traffic.resolves:,}",
        (", hit ", "dim"),
        f"{traffic.hit_ratio:.1%}",
        (", fallback ", "dim"),
        f"{traffic.fallback_ratio:.1%}",
    )


def _recent_hits(windows: Sequence[Window]) -> str:
    return f"{windows[0].hit_ratio:.1%}" if windows and windows[0].resolves else "-"


def _copies(each: PartitionStats) -> Text:
    """What it keeps for others; and whether it has yet to recover, or to send something."""
    copies = each.copies
    if copies is None:
        return Text("")
    state = "" if copies.recovered else " recovering"
    owed = f" owes {copies.owed:,}" if copies.owed else ""
    return Text.assemble(f"{copies.entries:,}", (f"{state}{owed}", "yellow"))


def _up(each: PartitionStats, out: tuple[int, ...]) -> Text:
    if each.partition in out:
        return Text("out", style="bold red")
    return Text("yes", style="green") if each.available else Text("no", style="bold red")


def _process(each: PartitionStats) -> str:
    return " · ".join(part for part in (each.node[:8], str(each.pid or "")) if part)


def _life(each: PartitionStats) -> Text:
    return Text(str(each.incarnation), style="yellow" if each.restarts else "")


def _entries(each: PartitionStats) -> Text:
    return Text.assemble(f"{each.holdings.entries:,}", (f" / {each.capacity:,}", "dim"))


def _bar(each: PartitionStats) -> Text:
    share = each.holdings.entries / each.capacity if each.capacity else 0.0
    filled = min(_BAR_WIDTH, round(share * _BAR_WIDTH))
    style = "green" if share < 0.7 else "yellow" if share < 0.95 else "dark_orange"
    return Text.assemble(
        ("█" * filled, style), ("░" * (_BAR_WIDTH - filled), "dim"), (f" {share:.0%}", "dim")
    )


def _pressure(each: PartitionStats) -> Text:
    return Text.assemble(
        (each.level.name.lower(), _LEVEL_STYLES[each.level]), (f" {each.pressure:.2f}", "dim")
    )
