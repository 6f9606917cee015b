"""A collector that listens, and a process in which nobody has set providers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import NamedTuple

import pytest
from opentelemetry import metrics, trace
from opentelemetry.metrics import _internal
from opentelemetry.util._once import Once


class Collector(NamedTuple):
    """Where it listens, and the paths that it was sent something to."""

    endpoint: str
    got: list[str]


@contextmanager
def collector() -> Iterator[Collector]:
    """One that takes whatever it is sent, over HTTP."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            got.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}", got)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@contextmanager
def unset_providers(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process in which nobody has set any; those that are set meanwhile are shut down."""
    patch.setattr(trace, "_TRACER_PROVIDER", None)
    patch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    patch.setattr(_internal, "_METER_PROVIDER", None)
    patch.setattr(_internal, "_METER_PROVIDER_SET_ONCE", Once())
    yield
    for provider in (metrics.get_meter_provider(), trace.get_tracer_provider()):
        if shutdown := getattr(provider, "shutdown", None):
            shutdown()
