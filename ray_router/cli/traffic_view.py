"""A router's traffic for people: the last minutes, how old routes are when asked for, and what is hot."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.text import Text

from ray_router.cli.fitting import Column, fitted_table
from ray_router.core.insight.words import duration
from ray_router.model import RouterStats

_ROOMS, _SLOTS = 5, 5
_LONGEST_NAME = 60
_BAR_WIDTH = 12


def traffic_view(stats: RouterStats, console: Console) -> Iterator[RenderableType]:
    """What there is to show of the traffic, in the width that there is; nothing where there was none."""
    tables = [
        table
        for table in (_windows(stats, console), _ages(stats, console), _hottest(stats, console))
        if table is not None
    ]
    if tables:
        yield Columns(tables, padding=(0, 4))
    for finding in stats.findings:
        yield Text(f"! {finding}", style="yellow")


def _windows(stats: RouterStats, console: Console) -> RenderableType | None:
    windows = [each for each in stats.windows if each.resolves or each.writes]
    if not windows:
        return None
    columns = [
        Column("last", [duration(each.span_s) for each in windows]),
        Column("resolves", [f"{each.resolves:,}" for each in windows]),
        Column("hit", [f"{each.hit_ratio:.1%}" for each in windows]),
        Column("fallback", [f"{each.fallback_ratio:.1%}" for each in windows]),
        Column("writes", [f"{each.writes:,}" for each in windows]),
    ]
    return fitted_table(console, columns, ("writes",))


def _ages(stats: RouterStats, console: Console) -> RenderableType | None:
    total = sum(each.asks for each in stats.ask_ages)
    if not total:
        return None
    ages = [each for each in stats.ask_ages if each.asks]
    shares = [each.asks / total for each in ages]
    labels = ["older" if each.up_to_s == inf else f"≤ {duration(each.up_to_s)}" for each in ages]
    columns = [
        Column("age when asked for", labels),
        Column("share", [f"{share:.1%}" for share in shares]),
        Column("", [Text("█" * round(share * _BAR_WIDTH), style="green") for share in shares], "left"),
    ]
    return fitted_table(console, columns, ("",))


def _hottest(stats: RouterStats, console: Console) -> RenderableType | None:
    load = stats.load
    if not load.rooms:
        return None
    rooms = load.rooms[:_ROOMS]
    slots = [*(f"{slot} ({load.share(uses):.0%})" for slot, uses in load.slots[:_SLOTS])]
    slots += [""] * (len(rooms) - len(slots))
    columns = [
        Column("hottest rooms", [_shortened(each.room) for each in rooms], "left"),
        Column("share", [f"{load.share(each.uses):.1%}" for each in rooms]),
        Column("slot", [str(each.slot) for each in rooms]),
        Column("hottest slots", slots[: len(rooms)]),
    ]
    return fitted_table(console, columns, ("hottest slots", "slot"))


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
