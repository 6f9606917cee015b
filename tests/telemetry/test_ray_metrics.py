"""Ray's own metrics: what Ray is told, of which it says nothing back in the process that told it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.core.events import Called, Carried, Served
from ray_router.telemetry import Home, PartitionTelemetry, for_partition
from ray_router.telemetry.instruments import (
    CALL,
    CALLED,
    ENTRIES,
    GHOSTS,
    QUEUE,
    RESOLVES,
    ROUND_TRIP,
    SERVICE,
    SETS,
    SLOTS,
    TABLE,
    WAITED,
    Instrument,
)
from ray_router.telemetry.ray_metrics import RayCalls, RayPartitions
from ray_router.transport import Control

metrics = pytest.importorskip("ray.util.metrics")

KEYS = [f"telegram:bot:{number}" for number in range(10)]
_NEVER_S = 3_600.0


class Told:
    """What Ray was told, in order; it is told all the same."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._heard: list[tuple[str, float, dict[str, str]]] = []
        record = metrics.Metric._record

        def listen(metric: Any, value: float, tags: dict[str, str] | None = None) -> None:
            self._heard.append((metric.info["name"], value, dict(tags or {})))
            record(metric, value, tags)

        patch.setattr(metrics.Metric, "_record", listen)

    def of(self, instrument: Instrument) -> list[tuple[float, dict[str, str]]]:
        """The values of a metric, with their tags but for the router's."""
        found = [(value, tags) for name, value, tags in self._heard if name == instrument.ray]
        assert all(tags.pop("router") == "chat" for _, tags in found if "router" in tags)
        return found

    def sum(self, instrument: Instrument) -> float:
        """Of all its values."""
        return sum(value for value, _ in self.of(instrument))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What Ray is told meanwhile."""
    return Told(monkeypatch)


@pytest.fixture
def observer() -> Iterator[RayPartitions]:
    """One that pushes when it is asked to."""
    pushing = RayPartitions("chat", _NEVER_S)
    yield pushing
    pushing.close()


def router(observer: RayPartitions) -> RouterHandle:
    """A router of two partitions, watched by it."""
    transport = LocalTransport(RouterConfig(name="chat", partitions=2), observer=observer)
    for partition in range(2):
        observer.watch(lambda index=partition: transport.ask(index, Control.STATS).wait(0))  # type: ignore[misc, arg-type]
    return RouterHandle(transport, watching=lambda _: None)


def test_what_was_counted_is_pushed_once(told: Told, observer: RayPartitions) -> None:
    """Each push hands over what came since the last one, whatever the counts are by then."""
    handle = router(observer)
    handle.set_many([(key, Route("1")) for key in KEYS]).result()
    handle.resolve_many(KEYS).result()
    assert not told.of(RESOLVES)
    observer.push()
    assert told.sum(RESOLVES) == told.sum(SETS) == len(KEYS)
    observer.push()
    assert told.sum(RESOLVES) == len(KEYS)
    handle.resolve_many([*KEYS, "telegram:bot:unknown"]).result()
    observer.close()
    assert told.sum(RESOLVES) == 2 * len(KEYS) + 1
    outcomes = {tags["outcome"] for _, tags in told.of(RESOLVES)}
    assert outcomes == {"hit", "miss"}


def test_gauges_are_set_anew_at_each_push(told: Told, observer: RayPartitions) -> None:
    """They say what the stats say then, of each partition."""
    handle = router(observer)
    handle.set_many([(key, Route("1")) for key in KEYS]).result()
    observer.push()
    live = [value for value, tags in told.of(ENTRIES) if tags["phase"] == "live"]
    assert len(live) == 2 and sum(live) == len(KEYS)
    assert told.sum(SLOTS) == 16_384
    assert told.sum(TABLE) > 0 and told.of(GHOSTS) == [(0, {"partition": "0"}), (0, {"partition": "1"})]


def test_a_batch_in_eight_is_timed(told: Told, observer: RayPartitions) -> None:
    """By each partition for itself, the first of them included."""
    for _ in range(9):
        observer(Served(1, 0.002))
    assert told.of(SERVICE) == [(0.002, {"partition": "1"})] * 2


def test_a_push_that_fails_is_logged_and_the_next_does_better(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread goes on, and nothing is lost."""
    failures = iter([OSError("stats"), OSError("stats")])
    transport = LocalTransport(RouterConfig(name="chat", partitions=1))

    def stats() -> Any:
        for failure in failures:
            raise failure
        return transport.ask(0, Control.STATS).wait(0)

    with caplog.at_level(logging.ERROR):
        observer = RayPartitions("chat", 0.001)
        observer.watch(stats)
        while not told.of(SLOTS):
            observer._closed.wait(0.001)
        observer.close()
    assert [each.getMessage() for each in caplog.records] == ["metrics could not be pushed"] * 2


def test_a_handles_calls_are_told_as_they_come(told: Told) -> None:
    """All keys by operation and outcome, one in eight of the times, and the queue."""
    observer = RayCalls("chat")
    for _ in range(9):
        observer(Called("resolve", "answered", 7, 0.004))
        observer(Carried(1, 0.003, 0.001, 5))
    observer(Called("resolve", "unavailable", 2, None))
    assert told.sum(CALLED) == 65
    assert told.of(CALL) == [(0.004, {"operation": "resolve"})] * 2
    assert told.of(ROUND_TRIP) == [(0.003, {"partition": "1"})] * 2
    assert told.of(WAITED) == [(0.001, {"partition": "1"})] * 2
    assert told.of(QUEUE) == [(5, {"partition": "1"})] * 9


def telemetry() -> PartitionTelemetry:
    """A partition's, with Ray's metrics and nothing else."""
    return for_partition(None, True, Home("chat", 0, 1))


def test_a_partition_is_set_up_with_them(told: Told) -> None:
    """They watch its events and its stats, and are pushed when it closes."""
    watched = telemetry()
    assert isinstance(watched.observer, RayPartitions)
    handle = router(watched.observer)
    handle.resolve_many(KEYS).result()
    watched.close()
    assert told.sum(RESOLVES) == len(KEYS)
    assert told.of(SLOTS)


def test_a_ray_that_has_none_leaves_a_partition_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and the partition lives."""

    def refuse(*_: object) -> None:
        raise RuntimeError("no metrics in this Ray")

    monkeypatch.setattr(metrics.Metric, "__init__", refuse)
    watched = telemetry()
    assert watched.observer is None and watched.problem is None
    assert [each.getMessage() for each in caplog.records] == ["partition 0 goes without Ray's metrics"]
