"""In actors: set up there, told apart from life to life, flushed when closed, and in the caller's trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ray_router import InvalidConfigError, RouterConfig, connect, deploy, shutdown
from ray_router.errors import DeadlineExceededError, PartitionUnavailableError
from ray_router.handle import RouterHandle
from ray_router.telemetry import HandleTelemetry

from .exporting import exports_of
from .test_spans import Traces, span_id


@pytest.fixture
def folder(namespace: str) -> Iterator[Path]:
    """Where a router of the namespace's name exports to."""
    yield exports_of(namespace)
    shutil.rmtree(exports_of(namespace), ignore_errors=True)


def metrics(file: Path) -> dict[str, Any]:
    """The one resource of an export."""
    (resource,) = json.loads(file.read_text())["resource_metrics"]
    return dict(resource)


def test_a_trace_goes_through_the_actor_and_is_flushed_on_closing(
    ray_cluster: str, namespace: str, folder: Path
) -> None:
    """The actor's work is a child of the driver's call; after a kill the next life is another instance."""
    config = RouterConfig(
        name=namespace, partitions=1, telemetry="telemetry.exporting:set_up", call_timeout_s=30
    )
    deploy(config, namespace=namespace)
    traces = Traces()
    transport = connect(namespace, namespace=namespace)._transport
    router = RouterHandle(transport, watching=lambda _: HandleTelemetry(None, traces.tracer))
    router.resolve("telegram:bot:room").result()
    pid = router.stats().result().partitions[0].pid
    os.kill(pid, signal.SIGKILL)
    while True:  # until it is back
        try:
            answer = router.resolve("telegram:bot:room").result()
        except (PartitionUnavailableError, DeadlineExceededError):
            continue
        break
    assert answer.partition == 0
    shutdown(namespace, namespace=namespace)
    assert not list(folder.glob("*-0-1.*")), "whoever is killed flushes nothing"
    (resource,) = [metrics(file) for file in folder.glob("metrics-0-2.json")]
    attributes = resource["resource"]["attributes"]
    assert (attributes["ray_router.router"], attributes["ray_router.incarnation"]) == (namespace, 2)
    spans = [json.loads(line) for line in (folder / "spans-0-2.jsonl").read_text().splitlines()]
    calls = traces.named("ray_router.resolve")
    assert spans and all(span["name"] == "ray_router.partition.apply" for span in spans)
    assert spans[-1]["parent"] == span_id(calls[-1])
    assert {span["instance"] for span in spans} == {attributes["service.instance.id"]}


def test_a_set_up_that_fails_is_told_to_whoever_deploys(ray_cluster: str, namespace: str) -> None:
    """Deployment fails with the setting's name and the reason, and leaves nothing."""
    config = RouterConfig(name=namespace, partitions=1, telemetry="telemetry.setups:failing")
    with pytest.raises(InvalidConfigError, match=r"telemetry.*no collector"):
        deploy(config, namespace=namespace)
    config = RouterConfig(name=namespace, partitions=1)
    deploy(config, namespace=namespace).resolve("telegram:bot:room").result()
    shutdown(namespace, namespace=namespace)
