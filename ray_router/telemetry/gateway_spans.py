"""Spans of a message: handed to a gateway on Ray, taken in by its lane, and sent. Needs the API alone.

From a caller through a lane's actor to the router they are one trace: caller, call, lane, send, and then the
calls of the router's handle in the lane. As in ``spans``, what links them across processes is a header that
is carried explicitly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from ray_router.telemetry.spans import context_of, current_span, header_of, note_failure


class MessageSpan:
    """The span of a message that is handed to a gateway on Ray, until its lane has answered.

    Args:
        gateway: the gateway's name.
        lane: the number of the session's lane.
        channel: the session's.
    """

    def __init__(self, tracer: Tracer, gateway: str, lane: int, channel: str) -> None:
        self._span = tracer.start_span(
            "ray_router.gateway.call",
            kind=SpanKind.CLIENT,
            attributes={
                "ray_router.gateway": gateway,
                "ray_router.lane": lane,
                "ray_router.channel": channel,
            },
        )

    @property
    def traceparent(self) -> str | None:
        """What to send along; it also says that nobody records, which holds for the whole trace."""
        return header_of(self._span)

    def answered(self, outcome: str) -> None:
        """This became of the message."""
        self._span.set_attribute("ray_router.outcome", outcome)
        self._span.end()

    def failed(self, error: object) -> None:
        """The message was refused, or nobody knows what became of it."""
        note_failure(self._span, error)
        self._span.end()


@contextmanager
def receiving(tracer: Tracer, traceparent: object, gateway: str, lane: int) -> Iterator[Span]:
    """The span of a message in its lane, current while it lasts; none of a message that came without trace.

    Args:
        traceparent: of the caller's span, as it came.
        gateway: the gateway's name.
        lane: the lane's number.
    """
    context = context_of(traceparent)
    if context is None:
        yield INVALID_SPAN
        return
    attributes: dict[str, AttributeValue] = {"ray_router.gateway": gateway, "ray_router.lane": lane}
    with current_span(tracer, "ray_router.gateway.lane", SpanKind.SERVER, attributes, context) as span:
        yield span


def sending(tracer: Tracer, channel: str) -> AbstractContextManager[Span]:
    """The span of a gateway's send, current while it lasts, so that the router's calls are part of it."""
    return current_span(tracer, "ray_router.gateway.send", SpanKind.PRODUCER, {"ray_router.channel": channel})
