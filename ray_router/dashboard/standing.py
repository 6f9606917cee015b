"""How a partition stands, and what there is to say when that changes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from ray_router.model import PartitionStats


class Standing(str, Enum):
    """How a partition stands.

    ``RECOVERING`` it answers, and has yet to be sent what it lost; ``DOWN`` it does not answer; ``OUT`` it
    died too often, and was taken out of service.
    """

    UP = "up"
    RECOVERING = "recovering"
    DOWN = "down"
    OUT = "out of service"


def standing_of(stats: PartitionStats, out: tuple[int, ...]) -> Standing:
    """How a partition stands.

    Args:
        out: those that were taken out of service.
    """
    if stats.partition in out:
        return Standing.OUT
    if not stats.available:
        return Standing.DOWN
    copies = stats.copies
    whole = copies is None or (copies.ready and copies.recovered)
    return Standing.UP if whole else Standing.RECOVERING


def news_of(
    was: Standing, then: PartitionStats, standing: Standing, stats: PartitionStats, for_s: float
) -> Iterator[str]:
    """What changed between two looks at a partition, a line each.

    Args:
        then: what it said last, if it ever said something.
        for_s: how long it had stood as it did.
    """
    name = f"partition {stats.partition}"
    silent = (Standing.DOWN, Standing.OUT)
    again = stats.available and 0 < then.incarnation < stats.incarnation
    life = f", in life {stats.incarnation}" if again else ""
    if standing in silent and standing is not was:
        yield f"{name} is {standing.value}"
    elif was in silent and standing not in silent:
        yield f"{name} is back after {for_s:,.0f} s{life}"
    elif again:
        yield f"{name} was restarted{life}"
    if standing is Standing.RECOVERING and (was is not standing or again):
        yield f"{name} recovers what it lost"
    elif standing is Standing.UP and was is Standing.RECOVERING and not again:
        yield f"{name} has recovered"
    if stats.available and then.incarnation and stats.level is not then.level:
        yield f"pressure of {name}: {then.level.name.lower()}, now {stats.level.name.lower()}"
