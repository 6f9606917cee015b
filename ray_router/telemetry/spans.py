"""Spans: a handle's call, and a partition's work on a batch. Needs the API alone.

A call's ``traceparent`` (https://www.w3.org/TR/trace-context/) travels in its batch, explicitly: nothing is
hooked into the runtime. A batch carries the calls of several submitters, so the partition's span is a child
of the first and linked to the others. No span names a session, a room or a route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.util.types import AttributeValue

_HEADER = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")  # as ``header_of`` writes it
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
        """The span of a batch that these calls sent, current meanwhile; none of one that nobody records."""
        callers = _callers(traceparents)
        if not callers:
            yield
            return
        context, links = _within(callers[0]), [Link(each) for each in callers[1:]]
        with current_span(
            self._tracer, "ray_router.partition.apply", SpanKind.SERVER, self._attributes, context, links
        ):
            yield


@contextmanager
def current_span(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    context: Context | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """A span that is current while it lasts, at half the cost of the tracer's own, and as silent as ours are.

    Args:
        context: of what it is part of; what is current here when left out.
        links: to others that it belongs to.
    """
    span = tracer.start_span(name, context, kind, attributes, links)
    token = attach(trace.set_span_in_context(span, context))
    try:
        yield span
    except Exception as error:
        note_failure(span, error)
        raise
    finally:
        detach(token)
        span.end()


def traceparent_of(span: Span) -> str | None:
    """The header of a span; None when nobody records it."""
    return header_of(span) if span.is_recording() else None


def header_of(span: Span) -> str | None:
    """The header of a span, which says whether it is recorded; None when it is part of no trace."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def context_of(traceparent: object) -> Context | None:
    """The context of a span in another process, by its header as it came; None when it is none."""
    callers = _callers((traceparent,))
    return _within(callers[0]) if callers else None


def note_failure(span: Span, error: object) -> None:
    """A span ends in an error, which is named by its kind: its text may hold a session."""
    kind = type(error).__name__
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, kind))


def _callers(traceparents: object) -> list[SpanContext]:
    """What came over the wire; an odd header is passed over."""
    if not isinstance(traceparents, tuple | list):
        return []
    found = [_HEADER.fullmatch(each) for each in traceparents[:_MOST_CALLS] if isinstance(each, str)]
    callers = [_caller(*each.groups()) for each in found if each]
    return [each for each in callers if each.is_valid]


def _caller(trace_id: str, span_id: str, flags: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))


def _within(caller: SpanContext) -> Context:
    """The context of what is done for a caller in another process."""
    return trace.set_span_in_context(NonRecordingSpan(caller), Context())
