"""What does it cost to be watched, and what that one could be?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ray_router.bench import targets
from ray_router.bench.measure import At, Report, Skipped
from ray_router.bench.rounds import Contender, Rounds, interleaved, keys_per_s, percentile, waits_ms
from ray_router.bench.sessions import batches, load, some_keys
from ray_router.bench.stage import Stage
from ray_router.bench.unwatchable import unwatchable
from ray_router.config import RouterConfig
from ray_router.core.events import Observer
from ray_router.handle import RouterHandle
from ray_router.telemetry import HandleTelemetry
from ray_router.transport import LocalTransport

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

_QUESTION = "telemetry on and off: how many sessions a second?"
_RAY, _OTEL = "Ray's metrics", "OpenTelemetry"
_SETTINGS: dict[str, dict[str, Any]] = {
    _RAY: {"ray_metrics": True},
    _OTEL: {"telemetry": f"{__name__}:collect_in_memory"},
}
_OFF: dict[str, dict[str, Any]] = {"off": {}, "off again": {}}
_HERE = "resolve_many here"
"""In this process, where keys are counted by the second of CPU time: that is the sharpest figure there is."""


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
    """Ask routers that are watched, and some that are not, in turns.

    Watched means both ends: the handle's calls and the partition's work, as metrics and, by OpenTelemetry,
    as traces. On Ray, ``off`` stands there twice: how much the two differ is how little can be told apart.
    In this process ``off`` stands beside the package as it would be if nobody could watch it.
    """
    skipped = [
        Skipped(name, reason) for name, settings in _SETTINGS.items() if (reason := _missing(settings))
    ]
    watched = {name: each for name, each in _SETTINGS.items() if not _missing(each)}
    entries = stage.count(10_000, least=100)
    keys, asked = (
        some_keys(stage.count(300, least=20), entries),
        batches(stage.count(1_000, least=10), entries),
    )
    window_s = stage.window_s(0.5)
    contenders = []
    with ExitStack() as open_ones:
        for name, settings in (_OFF | watched).items():
            watching = _both if name == _OTEL else None
            router = open_ones.enter_context(stage.router(watching=watching, **settings))
            load(router, entries)
            contenders += [
                Contender(f"resolve, {name}", None, partial(_calls_per_s, router, keys)),
                Contender(f"resolve_many, {name}", None, partial(_keys_per_s, router, asked, window_s)),
            ]
        on_ray = interleaved(contenders, stage.rounds, lambda done: stage.progress(done / 2))
    rounds = on_ray | _here(stage, _routers_here(stage, entries, otel=_OTEL in watched), asked)
    pairs = [
        (f"{_HERE}, off", f"{_HERE}, unwatchable", targets.OFF_OVER_UNWATCHABLE),
        ("resolve_many, off again", "resolve_many, off", None),
        *((f"resolve_many, {name}", "resolve_many, off", targets.WATCHED_OVER_OFF) for name in watched),
        *((f"resolve, {name}", "resolve, off", None) for name in watched),
        (f"{_HERE}, metrics", f"{_HERE}, off", None),
        (f"{_HERE}, metrics and traces", f"{_HERE}, off", None),
    ]
    ratios = [each for over, under, target in pairs for each in rounds.ratios(over, under, target=target)]
    return Report("telemetry", _QUESTION, (*rounds.figures("1/s"), *ratios), skipped=tuple(skipped))


def _here(stage: Stage, routers: Mapping[str, Callable[[], RouterHandle]], asked: list[list[str]]) -> Rounds:
    """Keys that ``resolve_many`` gets through in a second of this process's CPU time.

    The routers take turns of one call, since a core's speed changes from one moment to the next, and are
    loaded anew for each round, in another order: of two alike that stay, the one whose table lies better in
    memory is faster by 5 %.
    """
    taken: dict[tuple[str, At], list[float]] = {(f"{_HERE}, {name}", None): [] for name in routers}
    for number in range(stage.rounds):
        first = number % len(routers)
        names = [*routers][first:] + [*routers][:first]
        loaded = {name: routers[name]() for name in names}
        spent_s, keys = dict.fromkeys(names, 0.0), 0
        gc.collect()
        for turn in range(stage.count(100, least=2)):
            batch = asked[turn % len(asked)]
            keys += len(batch)
            for name in names if turn % 2 else reversed(names):
                began = time.process_time()
                loaded[name].resolve_many(batch).result()
                spent_s[name] += time.process_time() - began
        for name in names:
            taken[f"{_HERE}, {name}", None].append(keys / spent_s[name])
        stage.progress(0.5 + (number + 1) / stage.rounds / 2)
    return Rounds(taken)


def _routers_here(stage: Stage, entries: int, *, otel: bool) -> Mapping[str, Callable[[], RouterHandle]]:
    """What loads a router of one partition into this process, by how it is watched."""
    config = stage.config()

    def loaded(
        observer: Observer | None, tracer: Tracer | None, told: HandleTelemetry | None
    ) -> RouterHandle:
        transport = LocalTransport(config, observer=observer, tracer=tracer)
        router = RouterHandle(transport, watching=lambda _: told)
        load(router, entries)
        return router

    def without() -> RouterHandle:
        bare = unwatchable()
        transport = bare.LocalTransport(bare.RouterConfig(**config.model_dump()))
        router: RouterHandle = bare.RouterHandle(transport)
        load(router, entries, bare.Route)
        return router

    def watched(traced: bool) -> RouterHandle:
        from ray_router.telemetry.otel import OtelPartitions

        meter, tracer = _in_memory(traced)
        return loaded(OtelPartitions(config.name, meter), tracer, _watching(traced)(config))

    routers = {"unwatchable": without, "off": lambda: loaded(None, None, None)}
    if otel:
        routers |= {"metrics": lambda: watched(False), "metrics and traces": lambda: watched(True)}
    return routers


def _both(config: RouterConfig) -> HandleTelemetry:
    return _watching(traced=True)(config)


def _watching(traced: bool) -> Callable[[RouterConfig], HandleTelemetry]:
    """What watches a handle's calls as an application's providers would."""
    from ray_router.telemetry.otel import OtelCalls

    meter, tracer = _in_memory(traced)
    return lambda config: HandleTelemetry(OtelCalls(config.name, meter), tracer)


def _in_memory(traced: bool) -> tuple[Meter, Tracer | None]:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    meter = MeterProvider(metric_readers=[InMemoryMetricReader()]).get_meter(__name__)
    return meter, TracerProvider().get_tracer(__name__) if traced else None


def _missing(settings: dict[str, Any]) -> str | None:
    """Why this cannot be measured; None when it can."""
    if "telemetry" in settings and not (find_spec("opentelemetry") and find_spec("opentelemetry.sdk")):
        return "OpenTelemetry's SDK is not installed"
    return None


def _calls_per_s(router: RouterHandle, keys: list[str]) -> float:
    """One call at a time, by the median."""
    waits = waits_ms({"": lambda key: router.resolve(key).result()}, keys)[""]
    return 1e3 / percentile(waits, 50)


def _keys_per_s(router: RouterHandle, asked: list[list[str]], window_s: float) -> float:
    return keys_per_s(lambda keys: router.resolve_many(keys).result(), asked, window_s)
