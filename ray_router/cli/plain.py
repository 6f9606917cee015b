"""Values as JSON has them: enums by name, times without end as null, nothing that a reader must guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite

from ray_router.cli.run_view import RunReport
from ray_router.model import (
    Advice,
    Explanation,
    HotRoom,
    Load,
    PartitionStats,
    RouterStats,
    SessionKey,
    Window,
)
from ray_router.workload import EventLog, PartitionTally


def plain(value: object) -> object:
    """Any value of the model as dictionaries, lists, text, numbers, booleans and null."""
    found = value
    if isinstance(value, Enum):
        found = value.value if isinstance(value.value, str) else value.name.lower()
    elif isinstance(value, SessionKey):
        found = str(value)
    elif isinstance(value, float):
        found = value if isfinite(value) else None
    elif isinstance(value, Mapping):
        found = {str(name): plain(each) for name, each in value.items()}
    elif isinstance(value, list | tuple):
        found = [plain(each) for each in value]
    elif is_dataclass(value):
        found = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return found


def fields_of(value: object) -> dict[str, object]:
    """A value of the model as one JSON object."""
    found = plain(value)
    assert isinstance(found, dict)
    return found


def router_stats(stats: RouterStats) -> dict[str, object]:
    """A router's stats with what follows from them."""
    shares = stats.shares
    return {
        "name": stats.name,
        "epoch": stats.epoch,
        "level": plain(stats.level),
        "down": list(stats.down),
        "out": list(stats.out),
        "recovered": stats.recovered,
        "imbalance": stats.imbalance,
        "hit_ratio": stats.traffic.hit_ratio,
        "fallback_ratio": stats.traffic.fallback_ratio,
        "holdings": plain(stats.holdings),
        "table_bytes": stats.table_bytes,
        "traffic": plain(stats.traffic),
        "autoscaling": plain(stats.autoscaling),
        "windows": _windows(stats.windows),
        "hottest": _hottest(stats.load),
        "ask_ages": [fields_of(each) for each in stats.ask_ages],
        "findings": list(stats.findings),
        "partitions": [_partition_stats(each, shares.get(each.partition)) for each in stats.partitions],
    }


def rungs(explanation: Explanation) -> list[dict[str, object]]:
    """The rungs of the ladder, each with its candidates and why they were taken or passed over."""
    return [
        fields_of(rung) | {"candidates": [fields_of(each) | {"why": each.why} for each in rung.candidates]}
        for rung in explanation.rungs
    ]


def advice_summary(advice: Advice) -> dict[str, object]:
    """Advice with what follows from it."""
    return fields_of(advice) | {"changes": [each.setting for each in advice.suggestions if each.is_change]}


def run_summary(report: RunReport) -> dict[str, object]:
    """A run over events: what it was made with, its counts, and the router at its end."""
    config, tally, stats, elapsed_s = report
    live = {each.partition: each.holdings.live for each in stats.partitions}
    return {
        "clock": config.clock,
        "partitions": config.partitions,
        "ttl_s": config.ttl_s,
        "max_entries_per_partition": config.max_entries_per_partition,
        "eviction": config.eviction,
        "events": tally.events,
        "sessions": tally.sessions,
        "hit_ratio": tally.hit_ratio,
        **_counts(tally.total),
        "unanswered": tally.unanswered,
        "expired": stats.traffic.expired,
        "live": stats.holdings.live,
        "first_at": tally.first_at,
        "last_at": tally.last_at,
        "elapsed_s": elapsed_s,
        "events_per_s": report.events_per_s,
        "by_partition": [
            {"partition": each.partition, "events": each.events, "hit_ratio": each.hit_ratio}
            | _counts(each)
            | {"live": live.get(each.partition, 0)}
            for each in tally.partitions
        ],
    }


def log_summary(log: EventLog) -> dict[str, object]:
    """What there is to say of a log that was read."""
    return {
        "file": str(log.path),
        "format": None if log.format is None else log.format.value,
        "bad_lines": log.bad,
        "first_bad_lines": [{"line": line.number, "reason": line.reason} for line in log.bad_lines],
    }


def _partition_stats(stats: PartitionStats, share: float | None) -> dict[str, object]:
    return fields_of(stats) | {
        "share": share,
        "windows": _windows(stats.windows),
        "load": _hottest(stats.load),
        "restarts": stats.restarts,
        "entries": stats.holdings.entries,
        "hit_ratio": stats.traffic.hit_ratio,
        "fallback_ratio": stats.traffic.fallback_ratio,
    }


def _windows(windows: Sequence[Window]) -> list[dict[str, object]]:
    return [
        fields_of(each)
        | {"hit_ratio": each.hit_ratio, "fallback_ratio": each.fallback_ratio, "busy": each.busy}
        for each in windows
    ]


def _hottest(load: Load) -> dict[str, object]:
    def room(each: HotRoom) -> dict[str, object]:
        return fields_of(each) | {"share": load.share(each.uses)}

    slots = [{"slot": slot, "uses": uses, "share": load.share(uses)} for slot, uses in load.slots]
    return {"uses": load.uses, "rooms": [room(each) for each in load.rooms], "slots": slots}


def _counts(tally: PartitionTally) -> dict[str, object]:
    return {
        "hit": tally.hits,
        "alternate": tally.alternate,
        "scope": tally.scope,
        "provided": tally.provided,
        "miss": tally.misses,
        "stale": tally.stale,
        "stored": tally.stored,
        "refreshed": tally.refreshed,
        "superseded": tally.superseded,
        "shed": tally.shed,
        "evicted": tally.evicted,
    }
