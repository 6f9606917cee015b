"""In actors: set up there, told apart from life to life, flushed when closed, and in the caller's trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from gateway.senders import job

from ray_router import InvalidConfigError, Route, RouterConfig, connect, deploy, shutdown
from ray_router.errors import DeadlineExceededError, PartitionUnavailableError
from ray_router.gateway import NoSenderError
from ray_router.handle import RouterHandle
from ray_router.runtime.gateway_deployment import deploy_gateway, shutdown_gateway
from ray_router.telemetry import HandleTelemetry

from .exporting import exports_of, told
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


def spans(*files: Path) -> dict[str, list[dict[str, Any]]]:
    """What was exported, by the spans' names."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        for line in file.read_text().splitlines():
            span = json.loads(line)
            found.setdefault(span["name"], []).append(span)
    return found


def test_a_message_is_one_trace_from_its_sender_to_the_partition(
    ray_cluster: str, namespace: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caller, gateway's lane, send, resolve and the partition's work: each part of the one before.

    The lane's process is set up by the same function as the partition's, is another instance, and flushes
    when it is closed. A set-up that fails there is told to whoever deploys, and leaves nothing.
    """
    traces = Traces()
    monkeypatch.setattr("ray_router.runtime.gateway_handle.application_tracer", lambda: traces.tracer)
    set_up = "telemetry.exporting:set_up"
    config = RouterConfig(name=namespace, partitions=1, telemetry=set_up, call_timeout_s=30)
    deploy(config, namespace=namespace)
    deploy_lane = partial(
        deploy_gateway, namespace, 1, namespace, senders="gateway.senders:make", namespace=namespace
    )
    with pytest.raises(InvalidConfigError, match=r"telemetry.*no collector"):
        deploy_lane(telemetry="telemetry.setups:failing")
    gateway = deploy_lane(telemetry=set_up)
    with traces.tracer.start_as_current_span("agent"):
        assert gateway.send("tg:bot:room", job(1), [Route("here")]).result().delivered
    with pytest.raises(NoSenderError):
        gateway.send("irc:bot:room", job(2)).result()
    shutdown_gateway(namespace, namespace=namespace)
    shutdown(namespace, namespace=namespace)
    found = spans(folder / "spans-lane-0.jsonl", folder / "spans-0-1.jsonl")
    (agent,), (call, refused) = traces.named("agent"), traces.named("ray_router.gateway.call")
    lane, refused_there = found["ray_router.gateway.lane"]
    (send,), (resolve,) = found["ray_router.gateway.send"], found["ray_router.resolve"]
    (report,), work = found["ray_router.report"], found["ray_router.partition.apply"]
    assert call.parent is not None and call.parent.span_id == span_id(agent)
    assert [lane["parent"], send["parent"]] == [span_id(call), lane["span"]]
    assert [resolve["parent"], report["parent"]] == [send["span"]] * 2
    assert {each["parent"] for each in work} == {resolve["span"], report["span"]}
    assert {each["trace"] for each in (lane, send, resolve, report, *work)} == {told(agent)["trace"]}
    assert dict(call.attributes or {})["ray_router.outcome"] == "delivered"
    assert dict(refused.attributes or {})["error.type"] == "NoSenderError"
    assert refused_there["attributes"]["error.type"] == "NoSenderError"
    assert refused_there["parent"] == span_id(refused)
    assert len({lane["instance"], work[0]["instance"]}) == 2
    attributes = metrics(folder / "metrics-lane-0.json")["resource"]["attributes"]
    assert (attributes["ray_router.gateway"], attributes["ray_router.lane"]) == (namespace, 0)
    assert attributes["service.instance.id"] == lane["instance"] == resolve["instance"]


def test_a_set_up_that_fails_is_told_to_whoever_deploys(ray_cluster: str, namespace: str) -> None:
    """Deployment fails with the setting's name and the reason, and leaves nothing."""
    config = RouterConfig(name=namespace, partitions=1, telemetry="telemetry.setups:failing")
    with pytest.raises(InvalidConfigError, match=r"telemetry.*no collector"):
        deploy(config, namespace=namespace)
    config = RouterConfig(name=namespace, partitions=1)
    deploy(config, namespace=namespace).resolve("telegram:bot:room").result()
    shutdown(namespace, namespace=namespace)
