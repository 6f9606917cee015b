"""Spans: a handle's call, and a partition's work on a batch. Needs the API alone.

A call's ``traceparent`` (https://www.w3.org/TR/trace-context/) travels in its batch, explicitly: nothing is
hooked into the runtime. A batch carries the calls of several submitters, so the partition's span is a child
of the first and linked to the others. No span names a session, a room or a route.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

_W3C = TraceContextTextMapPropagator()
_FIELD = "traceparent"
_MOST_CALLS = 128  # links that a span keeps, by the SDK's default


class CallSpan:
    """The span of a handle's call: from submission until every partition has answered.

    Args:
        operation: the handle's method.
        router: the router's name.
        count: how many keys it is about.
    """

    def __init__(self, tracer: Tracer, operation: str, router: str, count: int) -> None:
        self._span = tracer.start_span(
            f"ray_router.{operation}",
            kind=SpanKind.CLIENT,
            attributes={"ray_router.router": router, "ray_router.keys": count},
        )

    @property
    def traceparent(self) -> str | None:
        """What to send along; None when nobody records this call."""
        return traceparent_of(self._span)

    def failed(self, partition: int, problem: str) -> None:
        """A partition gave no answer."""
        self._span.set_attribute("error.type", problem)
        self._span.set_status(Status(StatusCode.ERROR, f"partition {partition}: {problem}"))

    def end(self) -> None:
        """All is said."""
        self._span.end()


class Work:
    """What a partition needs to record its part in its callers' traces.

    Args:
        router: the router's name.
        partition: the partition's number.
    """

    def __init__(self, tracer: Tracer, router: str, partition: int) -> None:
        self._tracer = tracer
        self._attributes: dict[str, AttributeValue] = {
            "ray_router.router": router,
            "ray_router.partition": partition,
        }

    @contextmanager
    def batch(self, traceparents: Sequence[str]) -> Iterator[None]:
        """The span of a batch that these calls sent; none of a batch that nobody records."""
        contexts = [trace.get_current_span(each).get_span_context() for each in _extracted(traceparents)]
        called = [each for each in contexts if each.is_valid]
        if not called:
            yield
            return
        with self._tracer.start_as_current_span(
            "ray_router.partition.apply",
            context=trace.set_span_in_context(NonRecordingSpan(called[0])),
            kind=SpanKind.SERVER,
            attributes=self._attributes,
            links=[Link(each) for each in called[1:]],
        ):
            yield


def _extracted(traceparents: object) -> list[Context]:
    """What came over the wire, as contexts; an odd one is the context of nothing."""
    if not isinstance(traceparents, tuple | list):
        return []
    return [_W3C.extract({_FIELD: each}) for each in traceparents[:_MOST_CALLS] if isinstance(each, str)]


def traceparent_of(span: Span) -> str | None:
    """The header of a span; None when nobody records it."""
    return header_of(span) if span.is_recording() else None


def header_of(span: Span) -> str | None:
    """The header of a span, which says whether it is recorded; None when it is part of no trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, trace.set_span_in_context(span))
    return carrier.get(_FIELD)


def context_of(traceparent: object) -> Context | None:
    """The context of a span in another process, by its header as it came; None when it is none."""
    for context in _extracted((traceparent,)):
        if trace.get_current_span(context).get_span_context().is_valid:
            return context
    return None
