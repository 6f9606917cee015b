"""A program: a cluster of its own with metrics, a replay of a log's beginning, and all that counted it."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from ray_router import connect, deploy, shutdown
from ray_router.telemetry import INSTRUMENTS
from ray_router.workload import EventLog, closing_stats, event_config, play

from .exporting import exports_of
from .reading import Series, parsed, total


def endpoint() -> str:
    """The address of this node's metrics."""
    import ray

    (node,) = ray.nodes()  # type: ignore[no-untyped-call]  # Ray leaves it untyped
    return f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def scraped(address: str) -> Series:
    """What Ray's endpoint says of the router."""
    with urllib.request.urlopen(address) as answer:
        return parsed(answer.read().decode(), [each.prometheus for each in INSTRUMENTS])


def flushed(folder: Path) -> Series:
    """What the partitions' own OpenTelemetry exported when they were closed."""
    found: Series = {}
    for file in folder.glob("metrics-*.json"):
        for resource in json.loads(file.read_text())["resource_metrics"]:
            for scope in resource["scope_metrics"]:
                for metric in scope["metrics"]:
                    for point in metric["data"]["data_points"]:
                        attributes = frozenset((name, str(is_)) for name, is_ in point["attributes"].items())
                        found[metric["name"], attributes] = point.get("value", point.get("count"))
    return found


def replay(name: str, log: str, most: int) -> dict[str, Any]:
    """Replay, wait until Ray has exported all of it, and shut down."""
    import ray

    config = event_config(name=name, partitions=2, ttl_s=1_800.0, capacity=16).model_copy(
        update={"ray_metrics": True, "telemetry": "telemetry.exporting:set_up"}
    )
    router = deploy(config)
    events = itertools.islice(EventLog(Path(log)), most or None)
    tally = play(connect(name), events)
    stats = closing_stats(router, tally)
    address = endpoint()
    while True:
        series = scraped(address)
        entries = total(series, "ray_router_partition_entries")
        resolves = total(series, "ray_router_resolves_total")
        if resolves >= stats.traffic.resolves and entries == stats.holdings.entries:
            break
        time.sleep(0.5)
    shutdown(name)
    ray.shutdown()
    return {
        "tally": repr(tally),
        "traffic": {name: getattr(stats.traffic, name) for name in stats.traffic.__slots__},
        "ray": [[name, sorted(attributes), value] for (name, attributes), value in series.items()],
        "otel": [
            [name, sorted(attributes), value]
            for (name, attributes), value in flushed(exports_of(name)).items()
        ],
    }


def main() -> None:
    """Run: a name for the router, a log, how many of its events (0 for all), a file for the findings."""
    import ray

    name, log, most, findings = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="rr", dir="/tmp", ignore_cleanup_errors=True) as temporary:
        ray.init(
            address="local",
            include_dashboard=False,
            num_cpus=4,
            object_store_memory=100_000_000,
            _temp_dir=temporary,
        )
        Path(findings).write_text(json.dumps(replay(name, log, int(most))))


if __name__ == "__main__":
    main()
