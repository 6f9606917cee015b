"""What handles tell of their calls: one event for each outcome, and every batch's way there and back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ray_router import LocalTransport, PartitionUnavailableError, Route, RouterConfig, RouterHandle
from ray_router.core.events import Called, Carried
from ray_router.telemetry import HandleTelemetry
from ray_router.telemetry.otel import OtelCalls
from ray_router.testing import FaultyTransport, RecordingObserver, loud

from .reading import InMemory, totals

KEYS = [f"telegram:bot:{number}" for number in range(20)]


def watched(
    transport: FaultyTransport | LocalTransport, observer: RecordingObserver | OtelCalls
) -> RouterHandle:
    """A handle whose calls are told."""
    return RouterHandle(transport, watching=lambda _: HandleTelemetry(loud(observer), None))


def test_a_call_to_several_partitions_is_told_once() -> None:
    """With all its keys and how long it took; each partition's round trip is told by itself."""
    observer = RecordingObserver()
    watched(LocalTransport(RouterConfig(partitions=2)), observer).resolve_many(KEYS).result()
    (called,) = observer.of(Called)
    assert called[:3] == ("resolve_many", "answered", 20)
    assert called.took_s is not None and called.took_s > 0
    carried = observer.of(Carried)
    assert {each.partition for each in carried} <= {0, 1}  # on a slow machine nobody began to wait in time
    assert all(0 <= each.waited_s <= each.round_trip_s and not each.queued for each in carried)


def test_a_call_that_asks_nothing_is_told_too() -> None:
    """It is over at once, and nothing became of no keys."""
    observer = RecordingObserver()
    assert list(watched(LocalTransport(RouterConfig()), observer).resolve_many([]).result()) == []
    assert observer.of(Called) == []


def test_what_is_not_answered_is_told_apart() -> None:
    """With one of two partitions down, its keys count as unavailable, and the time is told once."""
    observer = RecordingObserver()
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=2, call_timeout_s=0.05)))
    router = watched(transport, observer)
    answers = router.resolve_many(KEYS).result()
    transport.kill(1)
    router.resolve_many(KEYS).result()
    _, *second = observer.of(Called)
    down = sum(answer.partition == 1 for answer in answers)
    assert {each.outcome: each.keys for each in second} == {"answered": 20 - down, "unavailable": down}
    assert [each.took_s is None for each in second] == [False, True]


def test_the_meter_counts_calls_by_operation_and_outcome() -> None:
    """All operations by outcome; durations of one call and one batch in eight."""
    memory = InMemory()
    transport = FaultyTransport(LocalTransport(RouterConfig(name="chat", partitions=1, call_timeout_s=0.05)))
    router = watched(transport, OtelCalls("chat", memory.provider.get_meter("test")))
    for key in KEYS:
        router.set(key, Route("1")).result()
    transport.kill(0)
    with pytest.raises(PartitionUnavailableError):
        router.resolve(KEYS[0]).result()
    series = memory.series()
    assert totals(series, "ray_router.call.operations", "router", "operation", "outcome") == {
        ("chat", "set", "answered"): 20,
        ("chat", "resolve", "unavailable"): 1,
    }
    assert totals(series, "ray_router.call.duration", "operation") == {("set",): 3, ("resolve",): 1}
    assert totals(series, "ray_router.round_trip.duration", "partition") == {("0",): 3}
    assert totals(series, "ray_router.round_trip.waiting", "partition") == {("0",): 3}


def test_handles_that_share_a_meter_are_counted_together() -> None:
    """A meter takes an instrument once; each handle is counted by it, under its router's name."""
    memory = InMemory()
    for name, calls in (("one", 1), ("two", 2), ("one", 3)):
        meter = memory.provider.get_meter("test")
        router = watched(LocalTransport(RouterConfig(name=name)), OtelCalls(name, meter))
        for key in KEYS[:calls]:
            router.resolve(key).result()
    series = memory.series()
    assert totals(series, "ray_router.call.operations", "router") == {("one",): 4, ("two",): 2}


APPLICATION = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from ray_router.telemetry import for_handle

assert for_handle("chat", ray_metrics=False) is None
metrics.set_meter_provider(MeterProvider())
trace.set_tracer_provider(TracerProvider())
telemetry = for_handle("chat", ray_metrics=False)
assert telemetry is not None and telemetry.tell is not None and telemetry.tracer is not None
"""


def test_an_application_that_sets_telemetry_up_has_its_calls_watched() -> None:
    """Where global providers were set a handle finds them; that an SDK is loaded is not enough.

    A process sets its providers once, so this is one of its own.
    """
    subprocess.run([sys.executable, "-c", APPLICATION], check=True)
