"""Global providers: found where an application has set them, set where the variables ask for them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from ray_router import LocalTransport, RouterConfig, RouterHandle
from ray_router.core.events import Called
from ray_router.telemetry import (
    Home,
    LaneHome,
    LaneTelemetry,
    application_tracer,
    for_handle,
    for_lane,
    for_partition,
)

from . import setups
from .collecting import Collector, collector, unset_providers
from .reading import totals

KEY = "telegram:bot:room"
HOME, LANE = Home("chat", 1, 3), LaneHome("gw", 2, "chat")


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has set providers yet, nor a variable."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with unset_providers(monkeypatch):
        yield


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, which the variables name, and which listens to the end."""
    with collector() as found, unset_providers(monkeypatch):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        yield found


def test_without_providers_nobody_watches(unset: None) -> None:
    """An SDK that is loaded is nothing yet: neither handles, gateways, lanes nor partitions are watched."""
    assert for_handle("chat", ray_metrics=False) is None
    assert application_tracer() is None
    lane = for_lane(None, LANE)
    assert (lane.tracer, lane.problem, lane.calls("chat", ray_metrics=False)) == (None, None, None)
    lane.close()
    assert for_partition(None, False, HOME).observer is None


def test_what_an_application_has_set_watches_its_handles(unset: None) -> None:
    """A handle made afterwards is counted by its meter provider, and traced by its tracer provider."""
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    trace.set_tracer_provider(TracerProvider())
    assert application_tracer() is not None
    RouterHandle(LocalTransport(RouterConfig(name="chat"))).resolve(KEY).result()
    data = reader.get_metrics_data()
    assert data is not None
    names = {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert "ray_router.call.operations" in names


def test_the_variables_set_up_a_partitions_process(listening: Collector) -> None:
    """Its counts and its part in traces are sent to the endpoint when it closes, and under its own name."""
    telemetry = for_partition(None, False, HOME)
    assert telemetry.problem is None and telemetry.observer is not None and telemetry.work is not None
    resource = getattr(trace.get_tracer_provider(), "resource").attributes  # noqa: B009  # the API has none
    assert resource["service.instance.id"] == HOME.instance_id
    RouterHandle(LocalTransport(RouterConfig(), observer=telemetry.observer)).resolve(KEY).result()
    with telemetry.work.batch(["00-" + "1" * 32 + "-" + "2" * 16 + "-01"]):
        pass
    telemetry.close()
    assert set(listening.got) == {"/v1/metrics", "/v1/traces"}


def test_the_variables_set_up_a_lanes_process(listening: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that they give goes before ours; its calls are counted, and flushed on closing."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    telemetry = for_lane(None, LANE)
    assert telemetry.tracer is not None
    resource = getattr(trace.get_tracer_provider(), "resource").attributes  # noqa: B009  # the API has none
    assert (resource["service.name"], resource["ray_router.lane"]) == ("mine", 2)
    transport = LocalTransport(RouterConfig(name="chat"))
    router = RouterHandle(transport, watching=lambda config: telemetry.calls(config.name, False))
    router.resolve(KEY).result()
    telemetry.close()
    assert "/v1/metrics" in listening.got


def test_variables_that_are_refused_leave_a_process_without(
    unset: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exporter that is not installed is a problem of the setting, which the log has once."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "nonsense")
    telemetry = for_lane(None, LANE)
    assert telemetry.problem is not None and "OTEL_*" in telemetry.problem.problem
    assert telemetry.tracer is None and telemetry.calls("chat", ray_metrics=False) is None
    assert len([each for each in caplog.records if each.name.startswith("ray_router")]) == 1


def test_a_function_sets_up_a_lane(unset: None) -> None:
    """What it gives counts the lane's calls, and it was told whose home it furnishes."""
    telemetry = for_lane(f"{setups.__name__}:private", LANE)
    assert setups.HOMES[-1] is LANE
    calls = telemetry.calls("chat", ray_metrics=False)
    assert calls is not None and calls.tell is not None and calls.tracer is None
    calls.tell(Called("resolve", "answered", 3, 0.001))
    series = totals(setups.MEMORY.series(), "ray_router.call.operations", "router", "operation")
    assert series["chat", "resolve"] == 3
    telemetry.close()


def test_an_observer_is_told_of_a_lanes_calls(unset: None) -> None:
    """As it is of a partition's events."""
    telemetry = for_lane(f"{setups.__name__}:observing", LANE)
    transport = LocalTransport(RouterConfig())
    RouterHandle(transport, watching=lambda config: telemetry.calls(config.name, False)).resolve(KEY).result()
    assert setups.SEEN.of(Called)
    telemetry.close()


def test_a_function_that_fails_leaves_a_lane_without(unset: None) -> None:
    """Whoever deploys is told what is wrong."""
    telemetry = for_lane(f"{setups.__name__}:failing", LANE)
    assert telemetry.problem is not None and "no collector" in telemetry.problem.problem
    telemetry.close()


def test_a_meter_that_cannot_be_had_leaves_a_handle_without(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; calls go on, and are traced where they can be."""
    telemetry = LaneTelemetry(setups.no_meter(LANE))
    with caplog.at_level(logging.ERROR):
        calls = telemetry.calls("chat", ray_metrics=False)
    assert calls is not None and calls.tell is None and calls.tracer is not None
    assert [each.getMessage() for each in caplog.records] == [
        "the handle of router 'chat' goes without metrics"
    ]


@pytest.mark.parametrize("function", ["no_meter", "no_tracer"])
def test_providers_that_give_nothing_leave_a_process_without(function: str) -> None:
    """A partition lives, and a lane, whatever their set-up's providers raise; whoever deploys is told."""
    telemetry = for_partition(f"{setups.__name__}:{function}", False, HOME)
    assert telemetry.problem is not None and "no collector" in telemetry.problem.problem
    assert telemetry.observer is None and telemetry.work is None
    telemetry.close()
    lane = for_lane(f"{setups.__name__}:{function}", LANE)
    calls = lane.calls("chat", ray_metrics=False)
    assert calls is None or calls.tell is None
    assert (lane.problem is None) == (function == "no_meter")  # a meter is asked for with the first call
    lane.close()


def test_every_lane_is_another_instance() -> None:
    """Two lives of a lane, and two lanes, have different ids in a resource; all have its gateway's name."""
    attributes = [LaneHome("gw", lane, "chat").resource_attributes for lane in (0, 0, 1)]
    assert len({each["service.instance.id"] for each in attributes}) == 3
    assert {each["ray_router.gateway"] for each in attributes} == {"gw"}
    assert {each["service.name"] for each in attributes} == {"ray_router"}


def test_one_provider_is_used_without_the_other(unset: None) -> None:
    """Where only traces are set up, a partition takes part in them, and nobody counts."""
    trace.set_tracer_provider(TracerProvider())
    telemetry = for_partition(None, False, HOME)
    assert telemetry.observer is None and telemetry.work is not None
    telemetry.close()
