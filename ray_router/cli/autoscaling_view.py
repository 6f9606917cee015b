"""What a router's controller sees, wants and did last, in a line for people."""

from __future__ import annotations

import time

from rich.text import Text

from ray_router.core.insight.words import duration
from ray_router.model import AutoscalingStats


def autoscaling_line(stats: AutoscalingStats, now: float | None = None) -> Text:
    """One line.

    Args:
        now: epoch seconds; the present when left out.
    """
    now = time.time() if now is None else now
    if stats.looked_at is None:
        return Text.assemble(("autoscaling: ", "dim"), ("no controller has been heard of yet", "yellow"))
    rate = "?" if stats.calls_per_s is None else f"{stats.calls_per_s:,.1f}"
    parts: list[str | tuple[str, str]] = [
        ("autoscaling: ", "dim"),
        f"{stats.entries:,} entries, {rate} calls/s",
        (f", {_ago(stats.looked_at, now)}", "dim"),
        (" · ", "dim"),
    ]
    wish = stats.wish
    if wish is None:
        parts.append(f"{stats.partitions} partitions are right")
    else:
        parts.append((f"{wish.partitions} partitions ({wish.reason.value})", "bold"))
        if stats.due_at is not None and stats.due_at > now:
            parts.append(f" in {duration(stats.due_at - now)}")
    if stats.doing:
        parts += [(" · ", "dim"), (stats.doing, "bold")]
    if stats.last is not None:
        last = stats.last
        changed = f" · last: {last.before} to {last.after} ({last.reason.value}), {_ago(last.at, now)}"
        parts.append((changed, "dim"))
    if stats.away:
        parts += [(" · ", "dim"), (f"without slots: {', '.join(map(str, stats.away))}", "yellow")]
    for trouble in filter(None, (stats.problem, stats.blind)):
        parts += [("\n! ", "yellow"), (trouble, "yellow")]
    return Text.assemble(*parts)


def _ago(at: float, now: float) -> str:
    return f"{duration(max(0.0, now - at))} ago"
