"""Alert rules: each fires in a situation that deserves it, and in no healthy one; promtool says so."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).parents[2] / "cluster" / "prometheus"
FILES = [str(RULES / f"{name}.yml") for name in ("recording", "service_levels", "alerts")]
ALERTS: dict[str, str] = {
    rule["alert"]: rule["labels"]["severity"]
    for group in yaml.safe_load((RULES / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)

Series = Mapping[str, str]
RESOLVES = (
    'ray_router_resolves_total{router="chat",partition="%d",outcome="%s",source="x",reason="x",scope="x"}'
)
CALLS = 'ray_router_call_operations_total{router="chat",operation="resolve",outcome="%s"}'
CALL = 'ray_router_call_duration_seconds_bucket{router="chat",operation="resolve",le="%s"}'
WAITING = 'ray_router_round_trip_waiting_seconds_bucket{router="chat",partition="0",le="%s"}'
SETS = 'ray_router_sets_total{router="chat",partition="0",outcome="%s",origin="inbound"}'
SLOTS = 'ray_router_partition_slots{router="chat",partition="%d"}'
LEVEL = 'ray_router_partition_pressure_level{router="chat",partition="0"}'
RESTARTS = 'ray_router_partition_restarts{router="chat",partition="0",WorkerId="%s"}'
EVICTED_LIVE = 'ray_router_evictions_total{router="chat",partition="0",cause="live"}'
STALE = 'ray_router_stale_detections_total{router="chat",partition="0"}'

HEALTHY: Series = {
    RESOLVES % (0, "hit"): "0+600x200",
    RESOLVES % (1, "hit"): "0+500x200",
    RESOLVES % (1, "miss"): "0+60x200",
    SETS % "stored": "0+600x200",
    STALE: "0+5x200",
    SLOTS % 0: "8192x200",
    SLOTS % 1: "8192x200",
    LEVEL: "0x200",
    RESTARTS % "a": "0x200",
    CALLS % "answered": "0+1000x200",
    CALL % "0.001": "0+900x200",
    CALL % "0.002": "0+990x200",
    CALL % "+Inf": "0+1000x200",
    WAITING % "0.0005": "0x200",
    WAITING % "0.001": "0+900x200",
    WAITING % "+Inf": "0+1000x200",
}
"""Over three hours, a sample a minute, of a router that is well."""

DESERVING: dict[str, tuple[Series, str]] = {
    "RayRouterPartitionDown": ({SLOTS % 1: "8192x60 stale"}, "70m"),
    "RayRouterGone": ({SLOTS % 0: "8192x60 stale", SLOTS % 1: "8192x60 stale"}, "68m"),
    "RayRouterPartitionRestarting": (
        {RESTARTS % "a": "0x60 stale", RESTARTS % "b": "_x60 1x5 stale", RESTARTS % "c": "_x67 3x200"},
        "72m",
    ),
    "RayRouterShedding": ({SETS % "shed": "0x60 0+10x200"}, "70m"),
    "RayRouterPressureHigh": ({LEVEL: "0x60 2x200"}, "70m"),
    "RayRouterLiveRoutesEvicted": ({EVICTED_LIVE: "0x60 0+60x200"}, "80m"),
    "RayRouterHitRatioFalling": (
        {RESOLVES % (0, "hit"): "0+600x60 36000x200", RESOLVES % (0, "miss"): "0x60 0+600x200"},
        "110m",
    ),
    "RayRouterImbalanced": (
        {RESOLVES % (0, "hit"): "0+600x60 36000+6000x200"}
        | {RESOLVES % (number, "hit"): "0+60x200" for number in (2, 3)},
        "90m",
    ),
    "RayRouterAvailabilityBurnsFast": ({CALLS % "unavailable": "0x60 0+500x200"}, "90m"),
    "RayRouterAvailabilityBurnsSlowly": ({CALLS % "deadline": "0+10x200"}, "60m"),
    "RayRouterLatencyBurnsFast": (
        {CALL % "0.001": "0+900x60 54000x200", CALL % "0.002": "0+990x60 59400x200"}
        | {CALL % "1.0": "0+1000x200"},
        "90m",
    ),
    "RayRouterLatencyBurnsSlowly": (
        {CALL % "0.001": "0+900x60 54000 54000+900x140", CALL % "0.002": "0+990x60 59400 59400+990x140"}
        | {CALL % "1.0": "0+1000x200"},
        "84m",
    ),
    "RayRouterStalenessBurnsFast": ({STALE: "0x60 0+1000x200"}, "150m"),
    "RayRouterStalenessBurnsSlowly": ({STALE: "0+500x200"}, "60m"),
}


def firing(series: Series, at: str, folder: Path) -> tuple[set[str], str]:
    """The alerts that fire at a time, and what promtool said when asked whether none does."""
    test = {
        "rule_files": FILES,
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": name} for name in ALERTS],
            }
        ],
    }
    said = run(test, folder)
    failed = [part for part in said.split("alertname: ")[1:] if "got:[" in part.replace(" ", "")]
    return {part.split(",")[0].strip() for part in failed}, said


def run(test: Mapping[str, Any], folder: Path) -> str:
    """What promtool says of a test file."""
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_every_alert_has_a_situation_that_deserves_it() -> None:
    """No alert is untested, and none is tested that does not exist."""
    assert set(DESERVING) == set(ALERTS)


@needs_promtool
@pytest.mark.parametrize("files", [["prometheus.yml"], ["recording.yml", "service_levels.yml", "alerts.yml"]])
def test_prometheus_accepts_the_files(files: Sequence[str]) -> None:
    """The scrape configuration and the rules are as Prometheus wants them."""
    check = ["config"] if files == ["prometheus.yml"] else ["rules"]
    done = subprocess.run(
        ["promtool", "check", *check, *files], cwd=RULES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("at", ["30m", "150m"])
def test_a_healthy_router_raises_no_alert(at: str, tmp_path: Path) -> None:
    """Neither soon after it was deployed nor after hours."""
    alerts, said = firing(HEALTHY, at, tmp_path)
    assert not alerts and "SUCCESS" in said, said


@needs_promtool
@pytest.mark.parametrize("alert", sorted(DESERVING))
def test_an_alert_fires_when_it_should(alert: str, tmp_path: Path) -> None:
    """In its situation the alert fires, and says where and what; a slow burn is not a fast one."""
    series, at = DESERVING[alert]
    alerts, said = firing({**HEALTHY, **series}, at, tmp_path)
    assert alert in alerts, said
    if alert.endswith("BurnsSlowly"):
        assert alert.replace("Slowly", "Fast") not in alerts
    text = next(part for part in said.split("alertname: ")[1:] if part.startswith(alert + ","))
    assert "Router chat" in text
    assert "<no value>" not in text and "error" not in text.lower(), text
