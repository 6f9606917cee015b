"""What does it cost to be watched?"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import Any

from ray_router.bench.measure import Report, Skipped
from ray_router.bench.rounds import Contender, interleaved, keys_per_s, percentile, waits_ms
from ray_router.bench.sessions import batches, load, some_keys
from ray_router.bench.stage import Stage
from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle

_QUESTION = "telemetry on and off: how many sessions a second?"
_SETTINGS: dict[str, dict[str, Any]] = {
    "Ray's metrics": {"ray_metrics": True},
    "OpenTelemetry": {"telemetry": f"{__name__}:collect_in_memory"},
}
_OFF: dict[str, dict[str, Any]] = {"off": {}}


def collect_in_memory(home: object) -> None:
    """Set OpenTelemetry's global providers, in a partition's process: metrics stay there, traces go nowhere.

    What an exporter costs is the exporter's.
    """
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    metrics.set_meter_provider(MeterProvider(metric_readers=[InMemoryMetricReader()]))
    trace.set_tracer_provider(TracerProvider())


def telemetry(stage: Stage) -> Report:
    """Ask routers with partitions that are watched, and one whose partition is not, in turns."""
    skipped = [
        Skipped(name, reason) for name, settings in _SETTINGS.items() if (reason := _missing(settings))
    ]
    watched = {name: each for name, each in _SETTINGS.items() if not _missing(each)}
    if not watched:
        return Report("telemetry", _QUESTION, (), skipped=tuple(skipped))
    entries, window_s = stage.count(10_000, least=100), stage.window_s(0.5)
    keys, asked = (
        some_keys(stage.count(300, least=20), entries),
        batches(stage.count(1_000, least=10), entries),
    )
    contenders = []
    with ExitStack() as open_ones:
        for name, settings in (_OFF | watched).items():
            router = open_ones.enter_context(stage.router(**settings))
            load(router, entries)
            contenders += [
                Contender(f"resolve, {name}", None, partial(_calls_per_s, router, keys)),
                Contender(f"resolve_many, {name}", None, partial(_keys_per_s, router, asked, window_s)),
            ]
        rounds = interleaved(contenders, stage.rounds, stage.progress)
    ratios = (
        each
        for name in watched
        for call in ("resolve", "resolve_many")
        for each in rounds.ratios(f"{call}, {name}", f"{call}, off")
    )
    return Report("telemetry", _QUESTION, (*rounds.figures("1/s"), *ratios), skipped=tuple(skipped))


def _missing(settings: dict[str, Any]) -> str | None:
    """Why this cannot be measured; None when it can."""
    unknown = [name for name in settings if name not in RouterConfig.model_fields]
    if unknown:
        return f"this release has no setting {unknown[0]!r}"
    if "telemetry" in settings and not (find_spec("opentelemetry") and find_spec("opentelemetry.sdk")):
        return "OpenTelemetry's SDK is not installed"
    return None


def _calls_per_s(router: RouterHandle, keys: list[str]) -> float:
    """One call at a time, by the median."""
    waits = waits_ms({"": lambda key: router.resolve(key).result()}, keys)[""]
    return 1e3 / percentile(waits, 50)


def _keys_per_s(router: RouterHandle, asked: list[list[str]], window_s: float) -> float:
    return keys_per_s(lambda keys: router.resolve_many(keys).result(), asked, window_s)
