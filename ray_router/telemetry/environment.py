"""OpenTelemetry's SDK set up from its own ``OTEL_*`` variables, in a process that is the router's alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

_SIGNALS = {"metrics": "metric_exporter_names", "traces": "trace_exporter_names"}


def asked_for(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the variables ask for an exporter, and the SDK that understands them is installed."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    asked = environment.get("OTEL_CONFIG_FILE") or any(_wanted(signal, environment) for signal in _SIGNALS)
    return bool(asked) and find_spec("opentelemetry.sdk") is not None


def set_up(attributes: Mapping[str, str | int], environment: Mapping[str, str] = os.environ) -> None:
    """Set the global providers as the variables say.

    An endpoint alone is enough to export to it, over HTTP unless the protocol is said to be another.

    Args:
        attributes: of the resource; ``OTEL_SERVICE_NAME`` goes before its ``service.name``.

    Raises:
        Exception: whatever the SDK makes of variables that it does not like.
    """
    from opentelemetry.sdk._configuration import _OTelSDKConfigurator

    class Configurator(_OTelSDKConfigurator):
        """The SDK's own is not to be used as it is, says its documentation, but to be derived from."""

    settings: dict[str, Any] = {"resource_attributes": _resource(attributes, environment)}
    protocol = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    exporter = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    for signal, argument in _SIGNALS.items():
        if _wanted(signal, environment) and not environment.get(f"OTEL_{signal.upper()}_EXPORTER"):
            settings[argument] = [exporter]
    Configurator().configure(**settings)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


def _wanted(signal: str, environment: Mapping[str, str]) -> bool:
    """Whether a signal is exported: its exporter is named, or an endpoint is and the exporter is not none."""
    exporter = environment.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower()
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    return exporter != "none" and bool(exporter or any(environment.get(each) for each in endpoints))


def _resource(attributes: Mapping[str, str | int], environment: Mapping[str, str]) -> dict[str, str | int]:
    named = bool(environment.get("OTEL_SERVICE_NAME"))
    return {name: value for name, value in attributes.items() if not (named and name == "service.name")}
