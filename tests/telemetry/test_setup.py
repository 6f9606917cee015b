"""Setting up: by a function that the config names, by the variables, or not at all, which is free."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError
from workload.logfiles import REPOSITORY

from ray_router import LocalTransport, RouterConfig, RouterHandle
from ray_router.core.events import Resolved
from ray_router.telemetry import Home, PartitionTelemetry, for_partition
from ray_router.telemetry.environment import asked_for

from . import setups
from .collecting import collector
from .events import ONE_OF_EACH
from .reading import totals
from .readings import stats_of

HOME = Home("chat", 1, 3)


def set_up(function: str | None) -> PartitionTelemetry:
    """The telemetry of a partition whose config names a function of ``setups``."""
    return for_partition(None if function is None else f"{setups.__name__}:{function}", False, HOME)


def test_a_function_that_gives_providers_has_them_used() -> None:
    """Events and stats arrive at its meter; the function was told whose home it furnishes."""
    telemetry = set_up("private")
    telemetry.watch(stats_of(RouterConfig(name="chat"), 1, 3))
    assert telemetry.observer is not None and telemetry.problem is None
    for event in ONE_OF_EACH:
        telemetry.observer(event)
    series = setups.MEMORY.series()
    assert totals(series, "ray_router.resolves", "router") == {("chat",): 1}
    assert totals(series, "ray_router.service.duration", "partition") == {("3",): 1}
    assert totals(series, "ray_router.partition.restarts", "partition") == {("1",): 2}
    assert setups.HOMES[-1] is HOME
    assert telemetry.work is None
    telemetry.close()


def test_a_function_that_gives_an_observer_has_it_told() -> None:
    """It is told every event as it is."""
    telemetry = set_up("observing")
    router = RouterHandle(LocalTransport(RouterConfig(), observer=telemetry.observer))
    router.resolve("telegram:bot:room").result()
    assert setups.SEEN.of(Resolved)
    telemetry.close()


def test_a_function_that_sets_nothing_costs_nothing() -> None:
    """Without providers, nobody watches."""
    telemetry = set_up("nothing")
    assert (telemetry.observer, telemetry.work, telemetry.problem) == (None, None, None)


def test_no_telemetry_is_no_observer() -> None:
    """Neither a function nor a variable: nobody watches, and there is nothing to flush."""
    telemetry = set_up(None)
    telemetry.watch(stats_of(RouterConfig()))
    telemetry.close()
    assert (telemetry.observer, telemetry.work, telemetry.problem) == (None, None, None)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("failing", "no collector"),
        ("wrong", "returned str"),
        ("missing", "missing"),
    ],
)
def test_a_function_that_fails_leaves_the_partition_without(
    setting: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The partition lives, the log has it once, and whoever deploys is told what is wrong."""
    with caplog.at_level(logging.ERROR):
        telemetry = set_up(setting)
    assert telemetry.observer is None
    assert len(caplog.records) == 1
    assert telemetry.problem is not None and telemetry.problem.field == "telemetry"
    assert problem in telemetry.problem.problem and setting in telemetry.problem.problem


def test_what_cannot_be_flushed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Closing goes on."""
    telemetry = set_up("unflushable")
    telemetry.close()
    assert [record.getMessage() for record in caplog.records] == ["telemetry could not be flushed"]


@pytest.mark.parametrize("setting", ["", "module", "module:", ":function", "module:no function"])
def test_the_setting_names_a_function(setting: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValidationError, match="module:function"):
        RouterConfig(telemetry=setting)


def test_every_life_is_another_instance() -> None:
    """Two lives of a partition, and two partitions, have different ids in a resource."""
    homes = [Home("chat", partition, life) for partition in (0, 1) for life in (1, 2)]
    attributes = [home.resource_attributes for home in homes]
    assert len({each["service.instance.id"] for each in attributes}) == 4
    assert {each["service.name"] for each in attributes} == {"ray_router"}


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "chat"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_METRICS_EXPORTER": "console"}, True),
        ({"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_METRICS_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_variables_decide(variables: Mapping[str, str], asked: bool) -> None:
    """An exporter or an endpoint asks for telemetry; a disabled SDK does not."""
    assert asked_for(variables) is asked


IN_A_PROCESS_OF_ITS_OWN = """
import os
import sys
from ray_router import LocalTransport, RouterConfig, RouterHandle
from ray_router.telemetry import Home, for_partition

assert "opentelemetry.sdk" not in sys.modules
home = Home("chat", 0, 1)
telemetry = for_partition(None, False, home)
transport = LocalTransport(RouterConfig(name="chat"), observer=telemetry.observer)
RouterHandle(transport).resolve("telegram:bot:room").result()
telemetry.close()
print(home.instance_id, telemetry.observer is None, "opentelemetry" in sys.modules, telemetry.problem)
sys.stdout.flush()
os._exit(0)  # as an actor ends: nothing is flushed by itself
"""


def process(**variables: str) -> list[str]:
    """What such a process prints, with these variables."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN],
        env={**others, "PYTHONPATH": str(REPOSITORY), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_without_variables_nothing_is_loaded() -> None:
    """Not even the API is imported, whatever is installed."""
    (said,) = process()
    assert said.split()[1:] == ["True", "False", "None"]


def test_the_console_gets_what_the_variables_say() -> None:
    """With ``OTEL_METRICS_EXPORTER=console`` the metrics are there when closing has flushed them."""
    *exported, said = process(OTEL_METRICS_EXPORTER="console", OTEL_SERVICE_NAME="mine")
    (resource,) = json.loads("\n".join(exported))["resource_metrics"]
    attributes = resource["resource"]["attributes"]
    assert attributes["service.instance.id"] == said.split()[0]
    assert attributes["service.name"] == "mine"
    assert attributes["ray_router.router"] == "chat"
    names = {metric["name"] for scope in resource["scope_metrics"] for metric in scope["metrics"]}
    assert {"ray_router.resolves", "ray_router.service.duration"} <= names


def test_an_endpoint_alone_is_exported_to() -> None:
    """With ``OTEL_EXPORTER_OTLP_ENDPOINT`` the collector there is sent the metrics, over HTTP."""
    with collector() as listening:
        process(OTEL_EXPORTER_OTLP_ENDPOINT=listening.endpoint)
    assert "/v1/metrics" in listening.got


def test_variables_that_the_sdk_refuses_are_a_problem_and_no_more() -> None:
    """An exporter that is not installed leaves the partition without telemetry."""
    (said,) = process(OTEL_METRICS_EXPORTER="nonsense")
    assert said.split()[1] == "True"
    assert "OTEL_*" in said


def test_the_extra_has_what_the_variables_need() -> None:
    """The project's ``otel`` extra names the SDK and an exporter, and its core only the API."""
    text = (Path(REPOSITORY) / "pyproject.toml").read_text()
    core = text.partition("[project.optional-dependencies]")[0]
    assert "opentelemetry-api" in core and "opentelemetry-sdk" not in core
    assert "opentelemetry-sdk" in text and "opentelemetry-exporter-otlp-proto-http" in text
