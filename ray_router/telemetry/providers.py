"""OpenTelemetry's providers: whose they are, what a setting makes of them, and how they are flushed."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ray_router.core.events import Observer
from ray_router.errors import InvalidConfigError
from ray_router.telemetry import environment
from ray_router.telemetry.home import AnyHome, Providers

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = logging.getLogger(__name__)

SCOPE = "ray_router"
"""The instrumentation scope of all meters and tracers."""

_FLUSH_WITHIN_MS = 1_500  # less than a router that is shut down gives its partitions to close


def set_providers() -> Providers:
    """The global providers that somebody has set in this process; what nobody has set is None.

    That the SDK is loaded says little: Ray loads it for metrics of its own, and sets no provider.
    """
    if "opentelemetry.sdk" not in sys.modules:  # without an SDK, all that the API does comes to nothing
        return Providers()
    from opentelemetry import metrics, trace

    meters, tracers = metrics.get_meter_provider(), trace.get_tracer_provider()
    return Providers(None if _of_the_api(meters) else meters, None if _of_the_api(tracers) else tracers)


def made_by(setting: str | None, home: AnyHome) -> Providers | Observer:
    """What a setting, or else the environment, makes in a process that is the router's own.

    Args:
        setting: ``"module:function"``, see ``SetUp``; None leaves it to the ``OTEL_*`` variables.

    Raises:
        Exception: whatever the function, or an exporter, raises; ``given_up`` makes a problem of it.
    """
    if setting is not None:
        module, _, function = setting.partition(":")
        made: Any = getattr(importlib.import_module(module), function)(home)
        if made is not None and not isinstance(made, Providers) and not callable(made):
            raise TypeError(f"it returned {type(made).__name__}, not Providers, an observer or None")
        if made is not None:
            return made  # type: ignore[no-any-return]  # as just checked
    elif environment.asked_for():
        environment.set_up(home.resource_attributes)
    return set_providers()


def given_up(setting: str | None, home: AnyHome, error: Exception) -> InvalidConfigError:
    """Log that a process goes without telemetry, since this was raised; the problem to be told of it."""
    _log.error("%s goes without telemetry", home, exc_info=error)
    return InvalidConfigError("telemetry", f"{setting or 'OTEL_*'} failed in the actor: {error!r}")


def tracer_of(made: Providers | Observer) -> Tracer | None:
    """Our tracer of the providers that were made; None where nobody records traces."""
    tracers = made.tracer_provider if isinstance(made, Providers) else None
    return None if tracers is None else tracers.get_tracer(SCOPE)


def flushes(made: Providers | Observer) -> list[Callable[[], object]]:
    """What flushes the providers that were made; an observer has nothing to flush."""
    providers = (made.meter_provider, made.tracer_provider) if isinstance(made, Providers) else ()
    found = [getattr(provider, "force_flush", None) for provider in providers]
    return [lambda flush=flush: flush(_FLUSH_WITHIN_MS) for flush in found if flush is not None]  # type: ignore[misc]


def close_all(closers: Iterable[Callable[[], object]]) -> None:
    """Call each, whatever the others do."""
    for close in closers:
        try:
            close()
        except Exception:  # the end comes, whether a collector hears of it or not
            _log.exception("telemetry could not be flushed")


def _of_the_api(provider: object) -> bool:
    """Whether a provider is what the API puts in place until somebody sets one, or the API's no-op."""
    return type(provider).__module__.startswith(("opentelemetry.metrics", "opentelemetry.trace"))
