"""A real Prometheus, scraping a router under traffic: every rule and every panel has data."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, start_http_server

from ray_router import Delivery, LocalTransport, Origin, Route, RouterConfig, RouterHandle
from ray_router.core.events import KeptSnapshot, ScalingDecided, ServiceChanged, guarded
from ray_router.core.operations import Get, Group
from ray_router.model import ScalingReason
from ray_router.telemetry import INSTRUMENTS, HandleTelemetry
from ray_router.telemetry.otel import OtelCalls, OtelPartitions
from ray_router.transport import Batch, Control

CLUSTER = Path(__file__).parents[2] / "cluster"
RULES = [
    rule
    for file in ("recording.yml", "service_levels.yml", "alerts.yml")
    for group in yaml.safe_load((CLUSTER / "prometheus" / file).read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((CLUSTER / "grafana" / "ray_router.json").read_text())
PANELS = [
    pytest.param(target["expr"], id=f"{panel['title']}-{target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]
METRIC = re.compile(r"\b(?:router|router_partition):[a-z_0-9:]+|\bray_router_[a-z_]+")
PROMETHEUS = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not installed (Debian: apt-get install prometheus)"
)


class Server(NamedTuple):
    """A Prometheus that runs."""

    address: str

    def ask(self, path: str, **arguments: str) -> Any:
        """The data of its API's answer."""
        query = urllib.parse.urlencode(arguments)
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{query}") as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        """What an expression gives now, without what is no number."""
        result = self.ask("query", query=expression)["result"]
        return [value for each in result if (value := float(each["value"][1])) == value]

    def until(self, expression: str) -> list[float]:
        """What an expression gives, once it gives something."""
        while not (values := self.values(expression)):
            time.sleep(0.1)
        return values


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def traffic(stop: threading.Event, provider: MeterProvider) -> None:
    """Use two routers in every way: a small one, which is under pressure, and one with a brief TTL."""
    handles = []
    for name, capacity, ttl_s in (("small", 20, None), ("brief", 100_000, 0.05)):
        config = RouterConfig(name=name, partitions=2, max_entries_per_partition=capacity, ttl_s=ttl_s)
        meter = provider.get_meter(f"ray_router.{name}")
        observer = OtelPartitions(name, meter)
        transport = LocalTransport(config, observer=observer)
        for partition in range(2):
            observer.watch(lambda index=partition, way=transport: way.ask(index, Control.STATS).wait(0))  # type: ignore[misc]
        telemetry = HandleTelemetry(guarded(OtelCalls(name, meter)), None)
        nonsense = Group((Get("nonsense"),))
        transport.submit(0, Batch(1, config.fingerprint, 0, (nonsense,))).wait(0)
        observer(ServiceChanged(1, in_service=False))  # the sixteenth death in a minute brings it about
        observer(KeptSnapshot(0, written=False))  # so does a full disk
        observer(ScalingDecided(0, 2, 3, ScalingReason.CALLS))  # and a controller
        handles.append(RouterHandle(transport, watching=lambda _, told=telemetry: told))  # type: ignore[misc]
    route, number = Route("1"), 0
    while not stop.is_set():
        number += 1
        for router in handles:
            keys = [f"telegram:bot:{number}-{each}" for each in range(40)]
            router.resolve_many(keys).result()
            router.resolve_many([f"telegram:bot:{number - 3}-{each}" for each in range(9)], [route]).result()
            router.set_many([(key, route) for key in keys]).result()
            router.set(keys[0], route, origin=Origin.AGENT).result()
            router.resolve(f"{keys[-1]}:thread", [route]).result()
            router.resolve("telegram:bot:room", [route]).result()
            router.set("telegram:bot:room", route).result()
            router.report("telegram:bot:room", route, Delivery.DELIVERED).result()
            router.resolve("telegram:bot:room").result()
            router.delete(keys[1]).result()
            router.prune().result()
        stop.wait(0.2)  # a scrape must find time too


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus with the repository's own rules, which scrapes traffic every other second."""
    folder = tmp_path_factory.mktemp("prometheus")
    registry = CollectorRegistry()
    provider = MeterProvider([PrometheusMetricReader(registry=registry)])
    exporter, exporting = start_http_server(0, addr="127.0.0.1", registry=registry)
    settings = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [
            str(CLUSTER / "prometheus" / f"{name}.yml") for name in ("recording", "service_levels", "alerts")
        ],
        "scrape_configs": [
            {
                "job_name": "opentelemetry",
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_port}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    stop = threading.Event()
    driver = threading.Thread(target=traffic, args=(stop, provider))
    driver.start()
    address = f"127.0.0.1:{free_port()}"
    assert PROMETHEUS is not None
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [
            PROMETHEUS,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        running = Server(address)
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                running.until("router:ray_router_stale:ratio_rate6h and router:ray_router_slow:ratio6h")
                running.until('ray_router_sets_total{outcome="shed"}')
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait()
        log.close()
        stop.set()
        driver.join()
        exporter.shutdown()
        exporting.join()
        provider.shutdown()


@needs_prometheus
def test_every_metric_arrives(server: Server) -> None:
    """Each instrument has series, under its name."""
    for each in INSTRUMENTS:
        suffix = "_bucket" if each.kind.value == "histogram" else ""
        assert server.until(f"{each.prometheus}{suffix}")


@needs_prometheus
@pytest.mark.parametrize("expression", PANELS)
def test_every_panel_has_data(server: Server, expression: str) -> None:
    """Each expression of the dashboard gives numbers, for all routers and for those that are named."""
    for routers in (".+", "small|brief"):
        asked = expression.replace("$__rate_interval", "1m").replace("$router", routers)
        assert "$" not in asked
        assert server.until(asked)


@needs_prometheus
@pytest.mark.parametrize("rule", [rule["record"] for rule in RULES if "record" in rule])
def test_every_recording_rule_has_data(server: Server, rule: str) -> None:
    """Each recorded series has numbers."""
    assert server.until(rule)


@needs_prometheus
@pytest.mark.parametrize("rule", [rule for rule in RULES if "alert" in rule], ids=lambda rule: rule["alert"])
def test_every_alert_looks_at_what_is_there(server: Server, rule: dict[str, Any]) -> None:
    """Prometheus evaluates each alert, and each series that it looks at has numbers."""
    names = METRIC.findall(rule["expr"])
    assert names
    for name in names:
        assert server.until(name)
    evaluated = [
        each
        for group in server.ask("rules")["groups"]
        for each in group["rules"]
        if each["name"] == rule["alert"]
    ]
    assert [each["health"] for each in evaluated] == ["ok"]


@needs_prometheus
def test_pressure_is_alerted_where_it_is_and_nowhere_else(server: Server) -> None:
    """The router that sheds is about to be called out, the other is not."""
    server.until('ALERTS{alertname="RayRouterShedding",router="small"}')
    assert not server.values('ALERTS{alertname="RayRouterShedding",router="brief"}')


def test_the_dashboard_shows_what_it_should() -> None:
    """Traffic, hits and fallbacks, freshness, pressure, balance, latency and restarts have rows or panels."""
    titles = " ".join(panel["title"].lower() for panel in DASHBOARD["panels"])
    for subject in ("traffic", "hit", "fallback", "freshness", "pressure", "balance", "latency", "restarts"):
        assert subject in titles
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(
        panel["description"] and panel["datasource"]["uid"] == "${datasource}"
        for panel in DASHBOARD["panels"]
        if panel["type"] != "row"
    )
