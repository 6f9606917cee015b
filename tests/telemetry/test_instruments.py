"""The instruments: names, units and attributes as the conventions have them, the same by every way."""

from __future__ import annotations

import re

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from ray_router import RouterConfig
from ray_router.core.events import Called, Carried, Served
from ray_router.telemetry import INSTRUMENTS, Instrument, Kind
from ray_router.telemetry.otel import OtelCalls, OtelPartitions

from .events import ONE_OF_EACH
from .readings import stats_of

BOUNDED = {
    *("router", "partition", "outcome", "source", "reason", "scope", "origin", "delivery", "cause"),
    *("phase", "before", "after", "operation", "direction"),
}


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.name)
def test_each_is_named_by_the_conventions(instrument: Instrument) -> None:
    """Lower case, a namespace, a unit of UCUM, a sentence of description, and attributes of few values."""
    assert re.fullmatch(r"ray_router(\.[a-z_]+)+", instrument.name)
    assert instrument.unit in ("s", "By", "1") or re.fullmatch(r"\{[a-z]+\}", instrument.unit)
    assert instrument.description[0].isupper() or instrument.description[0].isdigit()
    assert instrument.description.endswith(".")
    assert set(instrument.attributes) <= BOUNDED
    assert instrument.unit == "s" or instrument.kind is not Kind.HISTOGRAM


def test_names_are_unique() -> None:
    """No two are called the same, in OpenTelemetry, in Prometheus or in Ray."""
    for name in ("name", "prometheus", "ray"):
        assert len({getattr(each, name) for each in INSTRUMENTS}) == len(INSTRUMENTS)


def test_prometheus_names_are_those_that_opentelemetry_exports() -> None:
    """Every instrument arrives in Prometheus under the name that rules and dashboard use."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry)
    meter = MeterProvider([reader]).get_meter("ray_router")
    partitions, calls = OtelPartitions("chat", meter), OtelCalls("chat", meter)
    partitions.watch(stats_of(RouterConfig(name="chat")))
    for event in ONE_OF_EACH:
        (calls if isinstance(event, Called | Carried) else partitions)(event)
    exported = generate_latest(registry).decode()
    for each in INSTRUMENTS:
        suffix = "_count" if each.kind is Kind.HISTOGRAM else ""
        assert re.search(rf"^{each.prometheus}{suffix}{{", exported, re.MULTILINE), each.prometheus
    assert any(isinstance(event, Served) for event in ONE_OF_EACH)


def test_ray_exports_them_under_the_same_names() -> None:
    """Ray puts ``ray_`` before a name, and ``_total`` behind a counter's."""
    for each in INSTRUMENTS:
        counted = "_total" if each.kind is Kind.COUNTER else ""
        assert f"ray_{each.ray}{counted}" == each.prometheus
