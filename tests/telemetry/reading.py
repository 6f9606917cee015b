"""What a backend holds, as one number for each metric and set of attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from prometheus_client.parser import text_string_to_metric_families

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class InMemory:
    """A private meter provider, and what it has collected."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])

    def series(self) -> Series:
        """Each number; of a histogram, its count."""
        data = self._reader.get_metrics_data()
        return {
            (
                metric.name,
                frozenset((name, str(value)) for name, value in (point.attributes or {}).items()),
            ): (point.value if isinstance(point, NumberDataPoint) else point.count)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        }


def totals(series: Series, name: str, *by: str) -> dict[tuple[str, ...], float]:
    """The sums of a metric by some of its attributes."""
    found: Counter[tuple[str, ...]] = Counter()
    for (metric, attributes), value in series.items():
        if metric == name:
            values = dict(attributes)
            found[tuple(values[each] for each in by)] += value  # type: ignore[assignment]  # a Counter of floats
    return dict(found)


def total(series: Series, name: str) -> float:
    """The sum of a metric."""
    return totals(series, name).get((), 0.0)


def parsed(text: str, names: Iterable[str]) -> Series:
    """What a Prometheus endpoint says of some metrics, by the names of its samples."""
    wanted = set(names)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in wanted
    }
