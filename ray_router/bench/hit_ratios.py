"""Which session should leave a full partition? Every policy over every recorded log and trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ray_router.bench import targets
from ray_router.bench.measure import Figure, Report, Skipped, figure
from ray_router.bench.stage import Stage
from ray_router.config import RouterConfig
from ray_router.core.eviction import POLICIES
from ray_router.handle.intake import key_text
from ray_router.workload import Event, EventLog, LogFormat, simulate

SHARES = (1, 10)  # of its sessions that a router has room for, in percent
_PATTERNS = ("chat/*.jsonl*", "traces/*.csv*")
_EVENTS_AT_MOST = 2_000_000


def hit_ratios(stage: Stage) -> Report:
    """Play each log, up to 2,000,000 times ``scale`` events, in one partition without expiry.

    It happens on a virtual clock, so one round gives what any number would.
    """
    question = "a full partition: how many events still find their session's route?"
    axis = "room for, in % of the sessions"
    files = recorded(stage.data)
    if not files:
        where = "RAY_ROUTER_DATA names no folder" if stage.data is None else f"{stage.data} has none"
        return Report("hit-ratios", question, (), axis, (Skipped("logs and traces", where),))
    figures: list[Figure] = []
    for number, file in enumerate(files):
        log = EventLog(file)
        events = list(islice(log, stage.count(_EVENTS_AT_MOST, least=1_000)))
        name = file.name.partition(".")[0]
        for step, share in enumerate(SHARES, start=1):
            figures += _compared(name, events, share, log.format is LogFormat.TRACE)
            stage.progress((number + step / len(SHARES)) / len(files))
    return Report("hit-ratios", question, tuple(figures), axis)


def recorded(data: Path | None) -> list[Path]:
    """The logs and traces of a folder, in order."""
    return [] if data is None else [file for pattern in _PATTERNS for file in sorted(data.glob(pattern))]


def _compared(name: str, events: Sequence[Event], share: int, is_trace: bool) -> list[Figure]:
    """The policies' hit ratios, and how many points the default is above the others that count."""
    sessions = len({key_text(event.key) for event in events})
    capacity = max(1, sessions * share // 100)
    percent = {
        policy: 100 * simulate(events, None, capacity, 1, policy).hit_ratio for policy in sorted(POLICIES)
    }
    default = RouterConfig().eviction
    over_lru = targets.POINTS_OVER_LRU_ON_TRACES if is_trace else targets.POINTS_OVER_LRU_ON_LOGS
    over_s3fifo = targets.POINTS_OVER_S3FIFO_ON_TRACES if is_trace else None
    return [
        *(figure(f"{name}, {policy}", "%", [each], share) for policy, each in percent.items()),
        figure(f"{name}, {default} less lru", "points", [percent[default] - percent["lru"]], share, over_lru),
        figure(
            f"{name}, {default} less s3fifo",
            "points",
            [percent[default] - percent["s3fifo"]],
            share,
            over_s3fifo,
        ),
    ]
