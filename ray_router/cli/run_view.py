"""A run over events for people: a row for each partition, and what it comes to."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.text import Text

from ray_router.cli.fitting import Column, fitted_table
from ray_router.cli.session_view import day, some
from ray_router.config import RouterConfig
from ray_router.model import RouterStats
from ray_router.workload import PartitionTally, Tally


class RunReport(NamedTuple):
    """A run over events: the router's config, the counts, the router at the end, and how long it took."""

    config: RouterConfig
    tally: Tally
    stats: RouterStats
    elapsed_s: float

    @property
    def events_per_s(self) -> float:
        """How many events were played a second."""
        return self.tally.events / self.elapsed_s if self.elapsed_s else 0.0


def run_table(report: RunReport, console: Console) -> RenderableType:
    """A run over events by partition, and in all; where it is narrow, without what there was none of."""
    _, tally, stats, elapsed_s = report
    live = {each.partition: each.holdings.live for each in stats.partitions}
    partitions = [str(each.partition) for each in tally.partitions]
    rows = [_counts(each, live.get(each.partition, 0)) for each in tally.partitions]
    several = len(rows) > 1
    if several:
        partitions.append("all")
        rows.append(_counts(tally.total, stats.holdings.live))
    titles = list(_counts(tally.total, 0))
    columns = [Column(title, [_cell(row[title]) for row in rows]) for title in titles]
    unused = [title for title in titles if not any(row[title] for row in rows)]
    table = fitted_table(console, [Column("partition", partitions), *columns], unused, total=several)
    summary = Text.assemble(
        (f"{tally.hit_ratio:.1%}", "bold green"),
        (" of ", "dim"),
        some(tally.events, "event"),
        (" found their session's own route fresh\n", "dim"),
        some(tally.sessions, "session"),
        (f" · {day(tally.first_at)} to {day(tally.last_at)} · ", "dim"),
        f"{report.events_per_s:,.0f} events/s",
        (f", {elapsed_s:.1f} s", "dim"),
    )
    if tally.unanswered:
        summary.append(f"\n{some(tally.unanswered, 'call')} answered by no partition", style="bold red")
    return Group("", table, summary)


def _counts(each: PartitionTally, live: int) -> dict[str, float]:
    """What the columns show, by their titles; a fraction is a share."""
    return {
        "events": each.events,
        "hit": each.hits,
        "hit %": each.hit_ratio,
        "alternate": each.alternate,
        "scope": each.scope,
        "provided": each.provided,
        "miss": each.misses,
        "stale": each.stale,
        "evicted": each.evicted,
        "live": live,
    }


def _cell(value: float) -> Text:
    if isinstance(value, int):
        return Text(f"{value:,}", style="" if value else "dim")
    return Text(f"{value:.1%}", style="green")
