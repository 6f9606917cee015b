"""What partitions hold and counted, as HTML."""

from __future__ import annotations

from ray_router.model.html.page import Cell, Column, Mood, badge, bar, fragment, paragraph, strong, table
from ray_router.model.stats import PartitionStats, RouterStats
from ray_router.model.vocabulary import PressureLevel

_COLUMNS = (
    Column("partition", number=True),
    Column("up"),
    Column("restarts", number=True),
    Column("live", number=True),
    Column("stale", number=True),
    Column("expired", number=True),
    Column("filled", number=True),
    Column("load", number=True),
    Column("resolves", number=True),
    Column("hit", number=True),
    Column("fallback", number=True),
    Column("pressure"),
)
_MOODS: dict[PressureLevel, Mood] = {PressureLevel.NORMAL: "good", PressureLevel.WARN: "warn"}


def router_stats_html(stats: RouterStats) -> str:
    """A headline, a row for each partition, and what there is to say of them."""
    held, traffic = stats.holdings, stats.traffic
    down = len(stats.down)
    return fragment(
        paragraph(
            "router ",
            strong(stats.name),
            f", epoch {stats.epoch}: ",
            badge(f"{down} down", "bad") if down else badge("all partitions up", "good"),
            f" {held.live:,} live, {held.stale:,} stale, {held.tombstones:,} expired sessions; "
            f"{traffic.resolves:,} resolves, hit {traffic.hit_ratio:.1%}, "
            f"fallback {traffic.fallback_ratio:.1%}",
        ),
        table("", _COLUMNS, [_row(each, stats.shares.get(each.partition)) for each in stats.partitions]),
        *[paragraph(each) for each in stats.findings],
    )


def partition_stats_html(stats: PartitionStats) -> str:
    """One partition."""
    return fragment(table("", _COLUMNS, [_row(stats, None)]))


def _row(each: PartitionStats, share: float | None) -> tuple[Cell, ...]:
    if not each.available:
        return (str(each.partition), badge("no", "bad"), *[""] * (len(_COLUMNS) - 2))
    held, traffic = each.holdings, each.traffic
    return (
        str(each.partition),
        badge("yes", "good"),
        str(each.restarts),
        f"{held.live:,}",
        f"{held.stale:,}",
        f"{held.tombstones:,}",
        bar(held.entries / each.capacity if each.capacity else 0.0),
        "" if share is None else f"{share:.0%}",
        f"{traffic.resolves:,}",
        f"{traffic.hit_ratio:.1%}",
        f"{traffic.fallback_ratio:.1%}",
        badge(f"{each.level.name.lower()} {each.pressure:.2f}", _MOODS.get(each.level, "bad")),
    )
