"""What the page is sent of a router at one moment, as JSON has it: times without end are null."""

from __future__ import annotations

from math import isfinite

from ray_router.core.slots import SLOTS
from ray_router.dashboard.watch import Known, Watch
from ray_router.model import PartitionStats, RouterStats


def state(watch: Watch, since: float) -> dict[str, object]:
    """All that a page shows.

    Args:
        since: epoch seconds of the last point that it has.
    """
    return {
        "at": watch.looked_at,
        "answered_at": watch.answered_at,
        "problem": watch.problem,
        "slots": SLOTS,
        "router": None if watch.stats is None else _router(watch, watch.stats),
        "level": None if watch.stats is None else watch.stats.level.name.lower(),
        "findings": [] if watch.stats is None else list(watch.stats.findings),
        "partitions": [_partition(index, each, watch) for index, each in sorted(watch.partitions.items())],
        "points": [each for each in watch.points if each.at > since],
        "news": [each._asdict() for each in watch.news],
    }


def _router(watch: Watch, stats: RouterStats) -> dict[str, object]:
    config, held, minute = watch.config, stats.holdings, stats.windows[:1]
    asked = sum(each.resolves for each in minute)
    return {
        "name": stats.name,
        "epoch": stats.epoch,
        "ttl_s": None if config is None else _finite(config.ttl_s),
        "replicas": None if config is None else config.replicas,
        "live": held.live,
        "stale": held.stale,
        "tombstones": held.tombstones,
        "defaults": held.defaults,
        "entries": held.entries,
        "capacity": sum(each.capacity for each in stats.partitions),
        "table_bytes": stats.table_bytes,
        "imbalance": stats.imbalance,
        "recovered": stats.recovered,
        "hit_ratio": minute[0].hit_ratio if asked else None,
        "fallback_ratio": minute[0].fallback_ratio if asked else None,
        "resolves": stats.traffic.resolves,
        "writes": stats.traffic.sets,
    }


def _partition(index: int, known: Known, watch: Watch) -> dict[str, object]:
    """A partition; of one that does not answer, what it said last."""
    stats = known.stats
    copies = stats.copies
    return {
        "partition": index,
        "standing": known.standing.value,
        "for_s": max(0.0, watch.looked_at - known.since),
        "said_at": known.said_at,
        "node": stats.node[:8],
        "pid": stats.pid or None,
        "restarts": stats.restarts,
        "uptime_s": stats.uptime_s,
        "slots": stats.slots if known.said_at is not None else None,
        "entries": stats.holdings.entries,
        "live": stats.holdings.live,
        "capacity": stats.capacity,
        "pressure": stats.pressure,
        "level": stats.level.name.lower(),
        "waiting_s": stats.waiting_s,
        "copies": None if copies is None else copies.entries,
        "owed": None if copies is None else copies.owed,
        "resolves_per_s": known.resolves_per_s,
        "writes_per_s": known.writes_per_s,
        **_ratios(stats),
    }


def _ratios(stats: PartitionStats) -> dict[str, object]:
    """Of the last minute; None when nobody asked."""
    minute = stats.windows[0] if stats.windows else None
    if minute is None or not minute.resolves:
        return {"hit_ratio": None, "fallback_ratio": None}
    return {"hit_ratio": minute.hit_ratio, "fallback_ratio": minute.fallback_ratio}


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
