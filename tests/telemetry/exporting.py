"""A telemetry set-up for an actor's process: what is flushed is written to files of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from ray_router.telemetry import Home, LaneHome, Providers

_NEVER_MS = 3_600_000


class MetricsFile(MetricExporter):
    """Writes what is exported, as JSON, over what was."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any
    ) -> MetricExportResult:
        """Write."""
        self._path.write_text(metrics_data.to_json())
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Nothing to close."""


class SpansFile(SpanExporter):
    """Adds what is exported, a line of JSON for each span."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Any) -> SpanExportResult:
        """Write."""
        with self._path.open("a") as file:
            for span in spans:
                file.write(json.dumps(told(span)) + "\n")
        return SpanExportResult.SUCCESS


def told(span: ReadableSpan) -> dict[str, Any]:
    """What a test wants to know of a span."""
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "trace": context.trace_id,
        "span": context.span_id,
        "parent": span.parent and span.parent.span_id,
        "links": [link.context.span_id for link in span.links],
        "attributes": dict(span.attributes or {}),
        "instance": span.resource.attributes["service.instance.id"],
    }


def exports_of(router: str) -> Path:
    """The folder of a router's exports; actors share nothing with a test but the machine."""
    return Path(tempfile.gettempdir()) / f"ray_router_exports_{router}"


def set_up(home: Home | LaneHome) -> Providers:
    """Nothing leaves by itself: what is written was flushed."""
    folder, resource = exports_of(home.router), Resource.create(home.resource_attributes)
    folder.mkdir(exist_ok=True)
    whose = f"{home.partition}-{home.incarnation}" if isinstance(home, Home) else f"lane-{home.lane}"
    reader = PeriodicExportingMetricReader(
        MetricsFile(folder / f"metrics-{whose}.json"),
        export_interval_millis=_NEVER_MS,
    )
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(
        BatchSpanProcessor(
            SpansFile(folder / f"spans-{whose}.jsonl"),
            schedule_delay_millis=_NEVER_MS,
        )
    )
    return Providers(MeterProvider([reader], resource=resource), tracers)
