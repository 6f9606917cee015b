"""How a partition stands, and what is told when that changes."""

from __future__ import annotations

import pytest

from ray_router.model import PartitionStats, PressureLevel
from ray_router.model.stats import CopyStats

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

from ray_router.dashboard.standing import Standing, news_of, standing_of

UP, RECOVERING, DOWN, OUT = Standing
FIRST, SECOND = (PartitionStats(3, incarnation=life) for life in (1, 2))
SILENT = PartitionStats(3, available=False)


@pytest.mark.parametrize(
    ("stats", "out", "standing"),
    [
        (FIRST, (), UP),
        (FIRST, (1,), UP),
        (PartitionStats(3, copies=CopyStats()), (), UP),
        (PartitionStats(3, copies=CopyStats(ready=False)), (), RECOVERING),
        (PartitionStats(3, copies=CopyStats(recovered=False)), (), RECOVERING),
        (SILENT, (), DOWN),
        (SILENT, (3,), OUT),
        (FIRST, (3,), OUT),
    ],
)
def test_standing(stats: PartitionStats, out: tuple[int, ...], standing: Standing) -> None:
    """Out of service comes before all else; what owes something yet is up."""
    assert standing_of(stats, out) is standing


@pytest.mark.parametrize(
    ("was", "then", "standing", "stats", "told"),
    [
        (UP, FIRST, UP, FIRST, []),
        (DOWN, FIRST, DOWN, SILENT, []),
        (UP, FIRST, DOWN, SILENT, ["partition 3 is down"]),
        (DOWN, FIRST, OUT, SILENT, ["partition 3 is out of service"]),
        (DOWN, FIRST, UP, FIRST, ["partition 3 is back after 7 s"]),
        (DOWN, FIRST, UP, SECOND, ["partition 3 is back after 7 s, in life 2"]),
        (DOWN, SILENT, UP, SECOND, ["partition 3 is back after 7 s"]),
        (UP, FIRST, UP, SECOND, ["partition 3 was restarted, in life 2"]),
        (
            UP,
            FIRST,
            RECOVERING,
            SECOND,
            ["partition 3 was restarted, in life 2", "partition 3 recovers what it lost"],
        ),
        (
            OUT,
            FIRST,
            RECOVERING,
            SECOND,
            ["partition 3 is back after 7 s, in life 2", "partition 3 recovers what it lost"],
        ),
        (RECOVERING, SECOND, UP, SECOND, ["partition 3 has recovered"]),
        (
            UP,
            FIRST,
            UP,
            PartitionStats(3, incarnation=1, level=PressureLevel.SHED),
            ["pressure of partition 3: normal, now shed"],
        ),
    ],
)
def test_news(
    was: Standing, then: PartitionStats, standing: Standing, stats: PartitionStats, told: list[str]
) -> None:
    """Each change once, in words."""
    assert list(news_of(was, then, standing, stats, 7.2)) == told
