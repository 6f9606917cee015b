"""A batch that is one question is answered in fewer steps, and as it would be in all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import Delivery, Origin, PartitionStats, RouterConfig, Scope
from ray_router.core.events import Event, Served
from ray_router.core.operations import Delete, Group, Operation, Report, Resolve, Set
from ray_router.core.slots import Topology
from ray_router.core.table import Phase
from ray_router.testing import ManualClock
from ray_router.transport import PartitionShell, Response
from ray_router.wire import Batch, Question, pack_batch, unpack_call, unpack_response

CONFIG = RouterConfig(partitions=1, ttl_s=3.0, max_entries_per_partition=4)
KEYS = ("tg:bot:a", "tg:bot:a:t", "tg:bot:b", "tg:bot:b:t", "tg:bot:c", "tg:bot:*", "nonsense")


class Call(NamedTuple):
    """So many seconds pass, and this is asked by somebody who goes by a decree and waited so long."""

    seconds: float
    groups: tuple[Group, ...]
    epoch: int
    waited_s: float | None
    traceparents: tuple[str, ...]


class Observed:
    """A partition and what it tells; with ``in_general``, it takes every step for every batch."""

    def __init__(self, *, in_general: bool) -> None:
        self.clock = ManualClock()
        self.events: list[Event] = []
        topology = Topology.balanced(1)
        self.shell = PartitionShell(0, CONFIG, topology, clock=self.clock, observer=self.events.append)
        if in_general:
            self.shell._answer = lambda question, started: None  # type: ignore[method-assign]

    def answer(self, call: Call) -> Response:
        """What it answers, however long that takes."""
        self.clock.advance(call.seconds)
        batch = Batch(
            call.epoch, CONFIG.fingerprint, 1, call.groups, call.waited_s, traceparents=call.traceparents
        )
        return unpack_response(self.shell.apply(pack_batch(batch)))._replace(service_s=0.0)

    def told(self) -> list[Event]:
        """All that it told, but how long each call took."""
        return [each for each in self.events if not isinstance(each, Served)]

    def stats(self) -> PartitionStats:
        """What it counted, but how long it was busy."""
        stats = self.shell._partition.stats(self.clock())
        return replace(stats, windows=tuple(replace(each, busy_s=0.0) for each in stats.windows))

    def would_evict(self) -> list[str]:
        """The order in which its live sessions would leave."""
        table = self.shell._partition._table
        return [table._live.evict() for _ in range(table.count(Phase.LIVE))]


keys = st.sampled_from(KEYS)
routes = st.sampled_from("AB")
stamps = st.floats(-9.0, 3.0, width=16).map(lambda ago: ManualClock()() + ago)
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(lambda keys: Resolve(tuple(keys)), st.lists(keys, min_size=1, max_size=4)),
    st.builds(lambda key, stale: Resolve((key,), ("P",), stale, Scope.INSTANCE), keys, st.booleans()),
    st.builds(Set, keys, routes, stamps, st.just(Origin.INBOUND), st.none()),
    st.builds(Report, keys, routes, st.just(Delivery.PERMANENT), stamps, st.none(), st.none()),
    st.builds(Delete, keys, stamps),
)
groups = st.builds(lambda some: Group(tuple(some)), st.lists(operations, min_size=1, max_size=2))
calls = st.builds(
    Call,
    st.sampled_from((0.0, 0.0, 0.5, 2.0)),
    st.lists(groups, min_size=1, max_size=2).map(tuple),
    st.sampled_from((1, 1, 1, 2)),
    st.sampled_from((None, 0.01)),
    st.sampled_from(((), ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",))),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(calls, max_size=12))
def test_a_question_is_answered_as_any_batch_is(asked: list[Call]) -> None:
    """The answers, what is told and counted, and what would leave first are the same."""
    quick, general = Observed(in_general=False), Observed(in_general=True)
    for call in asked:
        assert quick.answer(call) == general.answer(call)
    assert quick.told() == general.told()
    assert quick.stats() == general.stats()
    assert quick.would_evict() == general.would_evict()


def test_a_question_is_not_answered_the_long_way() -> None:
    """Where all of its sessions are plain and alive; otherwise it is."""
    observed = Observed(in_general=False)
    long_way: list[Batch] = []

    def apply(batch: Batch, started: float) -> bytes:
        long_way.append(batch)
        return PartitionShell._apply(observed.shell, batch, started)

    observed.shell._apply = apply  # type: ignore[method-assign]
    write = Set("tg:bot:a", "A", observed.clock(), Origin.INBOUND, None)
    asked: list[tuple[Operation, int]] = [
        (write, 1),
        (Resolve(("tg:bot:a",)), 1),
        (Resolve(("tg:bot:a", "tg:bot:b")), 2),
    ]
    for operation, steps in asked:
        observed.answer(Call(0.0, (Group((operation,)),), 1, 0.01, ()))
        assert len(long_way) == steps


def test_what_is_a_question_and_what_is_none() -> None:
    """One that wishes nothing, at no time of its own, of no trace."""
    usual = Batch(3, 7, 1, [Group((Resolve(("a", "b")),))], 0.5)
    assert unpack_call(pack_batch(usual)) == Question(3, 7, 1, 0.5, ("a", "b"))
    others = [
        usual._replace(traceparents=("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)),
        usual._replace(groups=[*usual.groups, *usual.groups]),
        usual._replace(groups=[]),
        *(
            usual._replace(groups=[group])
            for group in (
                Group((Resolve(("a",)),), 5.0),
                Group((Resolve(("a",)),), copy=True),
                Group((Resolve(("a",)), Resolve(("b",)))),
                Group((Resolve(("a",), ("P",)),)),
                Group((Resolve(("a\nb",)),)),
                Group((Delete("a", 1.0),)),
            )
        ),
    ]
    for other in others:
        assert isinstance(unpack_call(pack_batch(other)), Batch)
