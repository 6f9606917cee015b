"""Traces: a call, what the partitions did for it, and a message sent, in one trace, by a carried header."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, TraceFlags

from ray_router import LocalTransport, PartitionUnavailableError, Route, RouterConfig, RouterHandle
from ray_router.core.operations import Group, Resolve
from ray_router.core.slots import Topology
from ray_router.gateway import Delivered, NoSenderError, OutboundGateway
from ray_router.telemetry import HandleTelemetry
from ray_router.telemetry.gateway_spans import MessageSpan, receiving, sending
from ray_router.telemetry.spans import Work
from ray_router.testing import FaultyTransport
from ray_router.transport import PartitionShell, Transport
from ray_router.wire import Batch, pack_batch

KEY, ROUTE = "telegram:bot:room", Route("1")


class Traces:
    """A private tracer, and what it has recorded."""

    def __init__(self, **settings: object) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(**settings)  # type: ignore[arg-type]
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("test")

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of a name, in the order in which they ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """All of them."""
        return self._exporter.get_finished_spans()

    def router(self, transport: Transport) -> RouterHandle:
        """A handle whose calls are recorded."""
        return RouterHandle(transport, watching=lambda _: HandleTelemetry(None, self.tracer))


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    """What a span says."""
    return dict(span.attributes or {})


def span_id(span: ReadableSpan) -> int:
    """A span's own id."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def parent_id(span: ReadableSpan) -> int | None:
    """The id of the span that it is part of."""
    return None if span.parent is None else span.parent.span_id


def test_a_call_and_its_partitions_are_one_trace() -> None:
    """The call's span is the client's, that of each partition asked is its child."""
    traces = Traces()
    router = traces.router(LocalTransport(RouterConfig(name="chat", partitions=2), tracer=traces.tracer))
    router.resolve_many([f"telegram:bot:{number}" for number in range(20)]).result()
    (call,) = traces.named("ray_router.resolve_many")
    work = traces.named("ray_router.partition.apply")
    assert call.kind is SpanKind.CLIENT and call.parent is None
    assert attributes(call) == {"ray_router.router": "chat", "ray_router.keys": 20}
    assert [span.kind for span in work] == [SpanKind.SERVER] * 2
    assert {attributes(span)["ray_router.partition"] for span in work} == {0, 1}
    assert {parent_id(span) for span in work} == {span_id(call)}
    assert call.end_time is not None and all(call.end_time >= (span.end_time or 0) for span in work)


@pytest.mark.parametrize("operation", ["set", "get", "resolve", "delete"])
def test_every_operation_is_named(operation: str) -> None:
    """The span has the name of the handle's method."""
    traces = Traces()
    router = traces.router(LocalTransport(RouterConfig()))
    arguments = (KEY, ROUTE) if operation == "set" else (KEY,)
    getattr(router, operation)(*arguments).result()
    assert [span.name for span in traces.spans] == [f"ray_router.{operation}"]


def test_a_call_is_part_of_the_callers_trace() -> None:
    """A call made inside a span is its child, in sync and in async code."""
    traces = Traces()
    router = traces.router(LocalTransport(RouterConfig()))

    async def ask() -> None:
        with traces.tracer.start_as_current_span("async"):
            await router.resolve(KEY)

    asyncio.run(ask())
    with traces.tracer.start_as_current_span("sync"):
        router.resolve(KEY).result()
    first, second = traces.named("ray_router.resolve")
    assert parent_id(first) == span_id(*traces.named("async"))
    assert parent_id(second) == span_id(*traces.named("sync"))


def test_a_batch_of_several_calls_is_linked_to_all_of_them() -> None:
    """The partition's work is part of the first call's trace, and linked to those of the others."""
    traces = Traces()
    config = RouterConfig(name="chat", partitions=1)
    shell = PartitionShell(0, config, Topology.balanced(1), work=Work(traces.tracer, "chat", 0))
    headers = [f"00-{'%032x' % (number + 1)}-{'%016x' % (number + 1)}-01" for number in range(3)]
    odd = ("nonsense", "00-0-0-00", 7)
    group = Group((Resolve((KEY,)),))
    batch = Batch(1, config.fingerprint, 0, (group,), None, (*odd, *headers))  # type: ignore[arg-type]
    shell.apply(pack_batch(batch))
    (work,) = traces.spans
    assert parent_id(work) == 1
    assert [link.context.span_id for link in work.links] == [2, 3]


def test_a_batch_that_nobody_records_leaves_no_span() -> None:
    """A partition that could record does so only when a call asks for it."""
    traces = Traces()
    transport = LocalTransport(RouterConfig(), tracer=traces.tracer)
    RouterHandle(transport).resolve(KEY).result()
    unsampled = Traces(sampler=ALWAYS_OFF)
    unsampled.router(transport).resolve(KEY).result()
    assert traces.spans == unsampled.spans == ()


def test_a_call_that_is_not_answered_says_so() -> None:
    """The span of a call to a partition that is down ends in error, with the kind of failure."""
    traces = Traces()
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, call_timeout_s=0.05)))
    router = traces.router(transport)
    router.resolve(KEY).result()
    transport.kill(0)
    with pytest.raises(PartitionUnavailableError):
        router.resolve(KEY).result()
    _, failed = traces.named("ray_router.resolve")
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["error.type"] == "unavailable"


def test_no_span_names_a_session_or_a_route() -> None:
    """Whatever was asked, no name, attribute or status holds a key or a route."""
    traces = Traces()
    router = traces.router(LocalTransport(RouterConfig(), tracer=traces.tracer))
    router.set("telegram:bot:secret", Route("secret")).result()
    router.resolve_many(["telegram:bot:secret", "telegram:bot:secret:secret"]).result()
    assert len(traces.spans) >= 4
    for span in traces.spans:
        assert "secret" not in span.to_json()


async def test_a_gateways_send_holds_the_routers_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The send is a span, and the resolve and the report of its message are part of it."""
    traces = Traces()
    monkeypatch.setattr("ray_router.gateway.gateway.application_tracer", lambda: traces.tracer)
    router = traces.router(LocalTransport(RouterConfig(), tracer=traces.tracer))
    await router.set(KEY, ROUTE)

    class Sender:
        async def send(self, route: Route, payload: object) -> Delivered:
            return Delivered()

    async with OutboundGateway(router, {"telegram": Sender()}) as gateway:
        await gateway.send(KEY, "hello")
    (send,) = traces.named("ray_router.gateway.send")
    assert attributes(send) == {"ray_router.channel": "telegram", "ray_router.outcome": "delivered"}
    assert send.kind is SpanKind.PRODUCER
    for name in ("ray_router.resolve", "ray_router.report"):
        (call,) = traces.named(name)
        assert parent_id(call) == span_id(send)


def test_a_message_for_a_lane_is_the_callers_call() -> None:
    """Its span is a client's, part of what the caller does, and says what became of the message."""
    traces = Traces()
    with traces.tracer.start_as_current_span("agent"):
        answered = MessageSpan(traces.tracer, "gw", 2, "telegram")
        refused = MessageSpan(traces.tracer, "gw", 2, "telegram")
    answered.answered("delivered")
    refused.failed(NoSenderError("secret"))
    first, second = traces.named("ray_router.gateway.call")
    where = {"ray_router.gateway": "gw", "ray_router.lane": 2, "ray_router.channel": "telegram"}
    assert attributes(first) == where | {"ray_router.outcome": "delivered"}
    assert attributes(second) == where | {"error.type": "NoSenderError"}
    assert first.status.status_code is StatusCode.UNSET
    assert second.status.status_code is StatusCode.ERROR
    assert "secret" not in second.to_json()
    assert {span.kind for span in (first, second)} == {SpanKind.CLIENT}
    assert {parent_id(span) for span in (first, second)} == {span_id(*traces.named("agent"))}


def test_a_lane_goes_on_with_the_callers_trace() -> None:
    """What it does meanwhile is part of its span, which is part of the call."""
    traces = Traces()
    call = MessageSpan(traces.tracer, "gw", 0, "telegram")
    with receiving(traces.tracer, call.traceparent, "gw", 0), sending(traces.tracer, "telegram"):
        pass
    call.answered("delivered")
    (lane,), (send,) = traces.named("ray_router.gateway.lane"), traces.named("ray_router.gateway.send")
    assert lane.kind is SpanKind.SERVER
    assert parent_id(lane) == span_id(*traces.named("ray_router.gateway.call"))
    assert parent_id(send) == span_id(lane)


@pytest.mark.parametrize("odd", [None, "", "nonsense", "00-0-0-00", 7, ["00"]])
def test_a_message_without_a_trace_begins_one_where_it_is_sent(odd: object) -> None:
    """Its lane has no span, and nothing of what came is taken for a header."""
    traces = Traces()
    with receiving(traces.tracer, odd, "gw", 0) as span, sending(traces.tracer, "telegram"):
        assert not span.is_recording()
    (send,) = traces.spans
    assert send.name == "ray_router.gateway.send" and send.parent is None


def test_a_caller_that_does_not_record_decides_for_the_lane() -> None:
    """Its header says so, and neither the lane nor the send is recorded there, as tracers do by default."""
    unsampled, traces = Traces(sampler=ALWAYS_OFF), Traces()
    call = MessageSpan(unsampled.tracer, "gw", 0, "telegram")
    assert call.traceparent is not None
    assert not int(call.traceparent.rpartition("-")[2], 16) & TraceFlags.SAMPLED
    with receiving(traces.tracer, call.traceparent, "gw", 0), sending(traces.tracer, "telegram"):
        pass
    assert traces.spans == ()


def test_work_that_fails_says_so_and_fails() -> None:
    """The partition's span ends in an error that is named by its kind, and the error goes on."""
    traces = Traces()
    work = Work(traces.tracer, "chat", 0)
    with pytest.raises(ValueError, match="secret"), work.batch(["00-" + "1" * 32 + "-" + "2" * 16 + "-01"]):
        raise ValueError("secret")
    (span,) = traces.spans
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "ValueError"
    assert "secret" not in span.to_json()
    assert not trace.get_current_span().get_span_context().is_valid
