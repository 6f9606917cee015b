"""Counts agree: OpenTelemetry, Ray's metrics endpoint, stats and a simulation, over the same events."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from workload.logfiles import REPOSITORY, recorded

from ray_router import LocalTransport, RouterHandle, Traffic
from ray_router.telemetry.otel import OtelPartitions
from ray_router.workload import Event, EventLog, closing_stats, event_config, play, simulate

from .exporting import exports_of
from .reading import InMemory, Series, total, totals

LOG = "chat/zulip_bytecodealliance.jsonl.gz"
SLICE = 4_000
TTL_S, CAPACITY, PARTITIONS = 1_800.0, 16, 2


def events(most: int | None) -> Iterable[Event]:
    """The log's beginning, or all of it."""
    return itertools.islice(EventLog(recorded(LOG)), most)


def counted(series: Series, named: str = "ray_router.{}") -> dict[str, float]:
    """What of a router's traffic a backend has counted, by the names of the stats."""
    sources = totals(series, named.format("resolves"), "source")
    outcomes = totals(series, named.format("sets"), "outcome")
    causes = totals(series, named.format("evictions"), "cause")
    phases = totals(series, named.format("expirations"), "phase")
    changes = "pressure.changes" if "." in named else "pressure_changes"
    return {
        "resolves": total(series, named.format("resolves")),
        "exact": sources.get(("exact",), 0),
        "alternate": sources.get(("alternate",), 0),
        "scope": sources.get(("scope",), 0),
        "provided": sources.get(("provided",), 0),
        "stale_answers": sources.get(("stale",), 0),
        "misses": sources.get(("none",), 0),
        "stale_detections": total(series, named.format("stale_detections")),
        "stored": outcomes.get(("stored",), 0),
        "refreshed": outcomes.get(("refreshed",), 0),
        "superseded": outcomes.get(("superseded",), 0),
        "shed": outcomes.get(("shed",), 0),
        "evicted_live": causes.get(("live",), 0),
        "evicted_stale": causes.get(("stale",), 0),
        "evicted_tombstones": causes.get(("tombstone",), 0),
        "went_stale": phases.get(("stale",), 0),
        "expired": phases.get(("tombstone",), 0),
        "forgotten": phases.get(("forgotten",), 0),
        "pressure_changes": total(series, named.format(changes)),
        "reports": total(series, named.format("reports")),
        "deletes": total(series, named.format("deletes")),
        "refused": total(series, named.format("refused")),
    }


def told(traffic: Traffic) -> dict[str, float]:
    """The same of a router's stats."""
    return {name: getattr(traffic, name) for name in counted({})}


def check_here(most: int | None) -> None:
    """In one process: the in-memory reader, the stats and a simulation."""
    simulated = simulate(events(most), TTL_S, CAPACITY, PARTITIONS)
    memory = InMemory()
    config = event_config(partitions=PARTITIONS, ttl_s=TTL_S, capacity=CAPACITY)
    observer = OtelPartitions(config.name, memory.provider.get_meter("test"))
    router = RouterHandle(LocalTransport(config, observer=observer))
    tally = play(router, events(most))
    stats = closing_stats(router, tally)
    assert tally == simulated.tally
    assert stats.traffic == simulated.stats.traffic
    assert counted(memory.series()) == told(stats.traffic)
    assert stats.traffic.evicted_live and stats.traffic.went_stale and stats.traffic.stale_detections


def check_on_ray(most: int | None, folder: Path) -> None:
    """On a cluster with metrics: Ray's endpoint, what OpenTelemetry was flushed, stats and a simulation."""
    simulated = simulate(events(most), TTL_S, CAPACITY, PARTITIONS)
    findings, name = folder / "findings.json", f"counted_{os.getpid()}"
    settings = {
        "RAY_AUTH_MODE": "disabled",
        "RAY_enable_metrics_collection": "1",
        "RAY_metrics_report_interval_ms": "1000",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "telemetry.replaying"),
            *(name, str(recorded(LOG)), str(most or 0), str(findings)),
        ],
        env={**os.environ, **settings},
        cwd=REPOSITORY,
        check=True,
    )
    shutil.rmtree(exports_of(name))
    found = json.loads(findings.read_text())
    assert found["tally"] == repr(simulated.tally)
    expected = told(simulated.stats.traffic)
    assert {name: found["traffic"][name] for name in expected} == expected
    series = {
        backend: {
            (name, frozenset(map(tuple, attributes))): value for name, attributes, value in found[backend]
        }
        for backend in ("ray", "otel")
    }
    assert counted(series["otel"]) == expected
    assert counted(series["ray"], "ray_router_{}_total") == expected
    answered = totals(series["ray"], "ray_router_call_operations_total", "operation", "outcome")
    assert answered["resolve", "answered"] == simulated.stats.traffic.resolves


def test_counts_agree_in_one_process() -> None:
    """On the beginning of a log, every count of the reader is that of the stats and of a simulation."""
    check_here(SLICE)


@pytest.mark.chaos
def test_counts_agree_over_a_whole_log() -> None:
    """On a whole log too."""
    check_here(None)


@pytest.mark.ray
def test_counts_agree_on_ray(tmp_path: Path) -> None:
    """On Ray, its endpoint and what OpenTelemetry flushed on closing have the same counts too."""
    check_on_ray(SLICE, tmp_path)


@pytest.mark.chaos
def test_counts_agree_on_ray_over_a_whole_log(tmp_path: Path) -> None:
    """And of a whole log."""
    check_on_ray(None, tmp_path)
