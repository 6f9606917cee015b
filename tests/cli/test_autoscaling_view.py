"""What a router's controller does, in a line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ray_router import (
    AutoscalingStats,
    PartitionStats,
    RouterStats,
    ScalingDecision,
    ScalingReason,
    ScalingWish,
)
from ray_router.cli.autoscaling_view import autoscaling_line
from ray_router.cli.plain import router_stats
from ray_router.cli.router_view import router_table

from .test_views import console_of, printed

NOW = 10_000.0
CALM = AutoscalingStats(NOW - 2, 4, 12_345, 67.8)
WISHING = replace(CALM, wish=ScalingWish(6, ScalingReason.CALLS, NOW - 18), due_at=NOW + 12)
BUSY = replace(
    CALM,
    doing="starting partition 5",
    last=ScalingDecision(NOW - 30, 4, 6, ScalingReason.ENTRIES),
    problem="partition 5 could not be placed",
)


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        (AutoscalingStats(), "autoscaling: no controller has been heard of yet"),
        (CALM, "autoscaling: 12,345 entries, 67.8 calls/s, 2 seconds ago · 4 partitions are right"),
        (
            WISHING,
            "autoscaling: 12,345 entries, 67.8 calls/s, 2 seconds ago · 6 partitions (calls) in 12 seconds",
        ),
        (
            replace(WISHING, due_at=NOW - 1, calls_per_s=None),
            "autoscaling: 12,345 entries, ? calls/s, 2 seconds ago · 6 partitions (calls)",
        ),
        (
            replace(CALM, away=(1, 3), blind="Ray does not say which nodes are about to leave"),
            "autoscaling: 12,345 entries, 67.8 calls/s, 2 seconds ago · 4 partitions are right"
            " · without slots: 1, 3\n! Ray does not say which nodes are about to leave",
        ),
        (
            BUSY,
            "autoscaling: 12,345 entries, 67.8 calls/s, 2 seconds ago · 4 partitions are right"
            " · starting partition 5 · last: 4 to 6 (entries), 30 seconds ago"
            "\n! partition 5 could not be placed",
        ),
    ],
)
def test_the_line(stats: AutoscalingStats, said: str) -> None:
    """What it saw and when, what it wants, what it is busy with, what it did last, and what went wrong."""
    assert autoscaling_line(stats, NOW).plain == said


def test_status_has_it() -> None:
    """For people below the headline, for programs as one object."""
    stats = RouterStats("chat", 1, (PartitionStats(0, autoscaling=BUSY), PartitionStats(1)))
    lines = printed(router_table(stats, console_of(140)))
    assert [line for line in lines if line.startswith(("autoscaling: 12,345", "! partition 5"))]
    told = json.loads(json.dumps(router_stats(stats)))["autoscaling"]
    assert (told["wish"], told["last"]["reason"], told["problem"]) == (None, "entries", BUSY.problem)
    without = RouterStats("chat", 1, (PartitionStats(0),))
    assert router_stats(without)["autoscaling"] is None
    assert not [line for line in printed(router_table(without, console_of(140))) if "autoscaling" in line]
