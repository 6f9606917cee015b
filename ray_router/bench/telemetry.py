"""What does it cost to be watched, and what that one could be?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ray_router.bench import targets
from ray_router.bench.measure import At, Report, Skipped
from ray_router.bench.rounds import Rounds, percentile, waits_ms
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
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_QUESTION = "telemetry on and off: how many sessions a second?"
_RAY, _METRICS, _TRACES = "Ray's metrics", "metrics", "metrics and traces"
_SETTINGS: dict[str, dict[str, Any]] = {
    _RAY: {"ray_metrics": True},
    _METRICS: {"telemetry": f"{__name__}:collect_in_memory"},
    _TRACES: {"telemetry": f"{__name__}:collect_in_memory"},
}
_OFF: dict[str, dict[str, Any]] = {"off": {}, "off again": {}}
_HERE = "resolve_many here"
"""In this process, where keys are counted by the second of CPU time: that is the sharpest figure there is."""


def collect_in_memory(home: object) -> None:
    """Set OpenTelemetry's global providers, in a partition's process: metrics stay there, traces go nowhere.

    What an exporter costs is the exporter's.
    """
    from opentelemetry import metrics, trace

    meters, tracers = _in_memory()
    metrics.set_meter_provider(meters)
    trace.set_tracer_provider(tracers)


def telemetry(stage: Stage) -> Report:
    """Ask routers that are watched, and some that are not, in turns of few calls.

    Watched means both ends: the handle's calls and the partition's work, by Ray's metrics or OpenTelemetry's,
    and by traces of every call, where an application would sample. On Ray, ``off`` stands there twice: how
    much the two differ is how little can be told apart. In this process ``off`` stands beside the package
    as it would be if nobody could watch it.
    """
    skipped = [
        Skipped(name, reason) for name, settings in _SETTINGS.items() if (reason := _missing(settings))
    ]
    watched = {name: each for name, each in _SETTINGS.items() if not _missing(each)}
    entries = stage.count(10_000, least=100)
    keys = some_keys(stage.count(300, least=20), entries)
    asked = batches(stage.count(1_000, least=10), entries)[: stage.count(100, least=2)]
    on_ray, here = _Taken(stage, 0.0), _Taken(stage, 0.5)
    with ExitStack() as open_ones:
        routers = {}
        for name, settings in (_OFF | watched).items():
            watching = None if name in _OFF or name == _RAY else _watching(traced=name == _TRACES)
            routers[name] = open_ones.enter_context(stage.router(watching=watching, **settings))
            load(routers[name], entries)
        for number in range(stage.rounds):
            on_ray.resolve(routers, number, keys)
            on_ray.resolve_many(routers, number, asked, time.perf_counter)
    loading = _routers_here(stage, entries, otel=_METRICS in watched)
    for number in range(stage.rounds):
        loaded = {name: loading[name]() for name in in_turn([*loading], number)}
        gc.collect()
        here.resolve_many(loaded, number, asked, time.process_time, _HERE)
    rounds = Rounds(on_ray.taken | here.taken)
    pairs = [
        (f"{_HERE}, off", f"{_HERE}, unwatchable", targets.OFF_OVER_UNWATCHABLE),
        ("resolve_many, off again", "resolve_many, off", None),
        *((f"resolve_many, {name}", "resolve_many, off", targets.WATCHED_OVER_OFF) for name in watched),
        *((f"resolve, {name}", "resolve, off", None) for name in watched),
        (f"{_HERE}, {_METRICS}", f"{_HERE}, off", None),
        (f"{_HERE}, {_TRACES}", f"{_HERE}, off", None),
    ]
    ratios = [each for over, under, target in pairs for each in rounds.ratios(over, under, target=target)]
    return Report("telemetry", _QUESTION, (*rounds.figures("1/s"), *ratios), skipped=tuple(skipped))


class _Taken:
    """What routers that take turns came to, round by round, by the median call: a core's speed changes from
    one moment to the next, and so does what else it has to do.

    Args:
        begun: how much of the measure is done before, 0 to 1; this is half of it.
    """

    def __init__(self, stage: Stage, begun: float) -> None:
        self.taken: dict[tuple[str, At], list[float]] = {}
        self._stage = stage
        self._begun = begun

    def resolve(self, routers: Mapping[str, RouterHandle], number: int, keys: Sequence[str]) -> None:
        """One call at a time, a second."""
        calls = {name: partial(_resolve, routers[name]) for name in in_turn([*routers], number)}
        for name, waits in waits_ms(calls, keys).items():
            self._note(f"resolve, {name}", 1e3 / percentile(waits, 50))

    def resolve_many(
        self,
        routers: Mapping[str, RouterHandle],
        number: int,
        asked: Sequence[Sequence[str]],
        clock: Callable[[], float],
        what: str = "resolve_many",
    ) -> None:
        """Keys a second by this clock; with this, a round is done."""
        calls = {name: partial(_resolve_many, routers[name]) for name in in_turn([*routers], number)}
        for name, waits in waits_ms(calls, asked, turn=1, clock=clock).items():
            self._note(f"{what}, {name}", len(asked[0]) * 1e3 / percentile(waits, 50))
        self._stage.progress(self._begun + (number + 1) / self._stage.rounds / 2)

    def _note(self, name: str, figure: float) -> None:
        self.taken.setdefault((name, None), []).append(figure)


def in_turn(names: Sequence[str], number: int) -> list[str]:
    """The names, each round beginning with another one.

    Of two tables alike the one that lies better in memory is faster by 5 %, and that is a matter of which was
    loaded first.
    """
    first = number % len(names)
    return [*names[first:], *names[:first]]


def _resolve(router: RouterHandle, key: str) -> None:
    router.resolve(key).result()


def _resolve_many(router: RouterHandle, keys: Sequence[str]) -> None:
    router.resolve_many(keys).result()


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

        meter, tracer = _instruments(traced)
        return loaded(OtelPartitions(config.name, meter), tracer, _watching(traced)(config))

    routers = {"unwatchable": without, "off": lambda: loaded(None, None, None)}
    if otel:
        routers |= {_METRICS: lambda: watched(False), _TRACES: lambda: watched(True)}
    return routers


def _watching(traced: bool) -> Callable[[RouterConfig], HandleTelemetry]:
    """What watches a handle's calls as an application's providers would."""
    from ray_router.telemetry.otel import OtelCalls

    meter, tracer = _instruments(traced)
    return lambda config: HandleTelemetry(OtelCalls(config.name, meter), tracer)


def _instruments(traced: bool) -> tuple[Meter, Tracer | None]:
    meters, tracers = _in_memory()
    return meters.get_meter(__name__), tracers.get_tracer(__name__) if traced else None


def _in_memory() -> tuple[MeterProvider, TracerProvider]:
    """Providers by which metrics stay in the process, and traces go nowhere."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    return MeterProvider(metric_readers=[InMemoryMetricReader()]), TracerProvider()


def _missing(settings: dict[str, Any]) -> str | None:
    """Why this cannot be measured; None when it can."""
    if "telemetry" in settings and not (find_spec("opentelemetry") and find_spec("opentelemetry.sdk")):
        return "OpenTelemetry's SDK is not installed"
    return None
