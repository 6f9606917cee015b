"""Boarding: however submissions share a batch, each gets the results of what it asked, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import PartitionUnavailableError, Route
from ray_router.core.operations import Answers, Delete, Get, Group, Operation, Refused, Resolve, Set
from ray_router.handle.boarding import Boarding
from ray_router.testing import FaultyTransport
from ray_router.transport import LocalTransport, Response, Ticket
from ray_router.transport.local import Settled
from ray_router.wire import Batch, pack_batch, pack_response, unpack_batch, unpack_response

from .scene import HOME, Stage

PATIENTLY = settings(max_examples=150, deadline=None, derandomize=True)
WISHES: tuple[dict[str, Any], ...] = ({}, {}, {"fallbacks": ("P",)}, {"allow_stale": True})


class Asking(NamedTuple):
    """A submission; one key that wishes nothing may board as its key alone."""

    operations: tuple[Operation, ...]
    now: float | None = None
    key: str | None = None

    @property
    def terms(self) -> tuple[float | None, bool, bool]:
        """Of the owner's own, and astray nowhere."""
        return self.now, False, False


def asks(operations: list[Operation], now: float | None, alone: bool) -> Asking:
    """A submission, which boards as its key alone if that is all it is."""
    if alone and len(operations) == 1 and isinstance(operations[0], Resolve):
        resolve = operations[0]
        if len(resolve.keys) == 1 and resolve == Resolve(resolve.keys):
            return Asking((resolve,), now, resolve.keys[0])
    return Asking(tuple(operations), now)


keys = st.sampled_from("abcd")
resolves = st.builds(
    lambda keys, wishes: Resolve(tuple(keys), **wishes), st.lists(keys, max_size=3), st.sampled_from(WISHES)
)
others: st.SearchStrategy[Operation] = st.one_of(
    st.builds(Get, keys),
    st.builds(Delete, keys, st.sampled_from((1.0, 2.0))),
    st.builds(lambda key, at: Set(key, "R", at), keys, st.sampled_from((1.0, 2.0))),
)
submissions = st.builds(
    asks,
    st.lists(resolves | resolves | others, max_size=3) | resolves.map(lambda each: [each]),
    st.sampled_from((None, None, 1.0, 2.0)),
    st.booleans(),
)
passengers = st.lists(submissions, min_size=1, max_size=8)


def answer(operation: Operation, now: float | None) -> Any:
    """A result that tells what was asked, and when."""
    if isinstance(operation, Resolve):
        return Answers(now or 0.0, [f"{key} {operation[1:]} at {now}" for key in operation.keys])
    return f"{operation} at {now}"


def answered(groups: Sequence[Group]) -> list[list[Any]]:
    """Such a result for each operation of a batch."""
    return [[answer(each, now) for each in operations] for operations, now, *_ in groups]


def told(results: Sequence[Any]) -> list[Any]:
    """Results, with items as lists: whether they came as a tuple or a part of a list does not matter."""
    return [Answers(each.now, list(each.items)) if isinstance(each, Answers) else each for each in results]


@PATIENTLY
@given(passengers)
def test_each_gets_the_results_of_its_own(passengers: list[Asking]) -> None:
    """Whoever shares the batch, whatever the times and wishes, and through the wire as well."""
    boarding = Boarding(passengers)
    results = boarding.results(answered(boarding.groups))
    assert results is not None
    for passenger, said in zip(passengers, results, strict=True):
        assert told(said) == [answer(each, passenger.now) for each in passenger.operations]
    batch = Batch(1, 1, 1, boarding.groups)
    assert unpack_batch(pack_batch(batch)).groups == boarding.groups


@PATIENTLY
@given(passengers)
def test_no_order_is_changed_and_nothing_asked_twice(passengers: list[Asking]) -> None:
    """What travels is what was asked, in order; of neighbours only resolves that wish the same are joined."""

    def apart(operations: Sequence[Operation]) -> list[Operation]:
        pieces: list[Operation] = []
        for each in operations:
            alone = [each._replace(keys=(key,)) for key in each.keys] if isinstance(each, Resolve) else [each]
            pieces.extend(alone)
        return pieces

    boarding = Boarding(passengers)
    asked = [(each, who.now) for who in passengers for each in apart(who.operations)]
    assert [(each, now) for group, now, *_ in boarding.groups for each in apart(group)] == asked
    for operations, *_ in boarding.groups:
        for one, next_one in pairwise(operations):
            assert not (
                isinstance(one, Resolve) and isinstance(next_one, Resolve) and one[1:] == next_one[1:]
            )
    times = [now for _, now, *_ in boarding.groups]
    assert all(one != next_one for one, next_one in pairwise(times))


@PATIENTLY
@given(passengers, st.data())
def test_one_result_or_answer_too_many_or_too_few_is_no_answer(
    passengers: list[Asking], data: st.DataObject
) -> None:
    """A batch whose groups, results or answers are not as many as were asked answers nobody."""
    boarding = Boarding(passengers)
    results = answered(boarding.groups)
    lists: list[list[Any]] = [results, *results]
    answers = [each for group in results for each in group if isinstance(each, Answers)]
    lists += [each.items for each in answers if isinstance(each.items, list)]
    spoilt = data.draw(st.sampled_from(range(len(lists))), label="which")
    too_few: bool = data.draw(st.booleans(), label="too few")
    if too_few and lists[spoilt]:
        lists[spoilt].pop()
    else:
        lists[spoilt].append("more")
    assert boarding.results(results) is None


@PATIENTLY
@given(passengers, st.data())
def test_a_group_refused_as_one_is_refused_to_all_in_it(
    passengers: list[Asking], data: st.DataObject
) -> None:
    """Its one refusal is the result of each of its operations; other groups have their own results."""
    refused = Refused("InvalidCallError", "now", "no")
    boarding = Boarding(passengers)
    results = answered(boarding.groups)
    group = data.draw(st.sampled_from(range(len(results))), label="group")
    results[group] = [refused]
    number, now = 0, passengers[0].now
    said_to = boarding.results(results)
    assert said_to is not None
    for passenger, said in zip(passengers, said_to, strict=True):
        number += passenger.now != now
        now = passenger.now
        expected = [answer(each, now) for each in passenger.operations]
        assert told(said) == ([refused] * len(expected) if number == group else expected)


# In a handle


class Miscounting(FaultyTransport):
    """While ``miscount`` is set, what the partitions answer is changed by it on the way."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.miscount: Any = None

    def submit(self, partition: int, batch: Any) -> Ticket[Any]:
        """Send it, and miscount."""
        ticket = super().submit(partition, batch)
        if self.miscount is None or not isinstance(ticket, Settled):
            return ticket
        response = ticket.wait(0)
        results = self.miscount([list(group) for group in response.results])
        return Settled(unpack_response(pack_response(response._replace(results=results))))


def _short(results: list[list[Any]]) -> list[list[Any]]:
    return [[Answers(each.now, each.items[:-1]) for each in group] for group in results]


@pytest.mark.parametrize(
    "miscount",
    [
        lambda results: [],
        lambda results: [*results, results[0]],
        lambda results: [group[:-1] for group in results],
        lambda results: [[*group, group[0]] for group in results],
        _short,
    ],
    ids=["no group", "a group more", "a result less", "a result more", "an answer less"],
)
def test_a_partition_that_miscounts_fails_those_it_miscounted_for(miscount: Any) -> None:
    """They are told so, or get their fallbacks; whoever asks later never notices."""
    stage = Stage(Miscounting)
    router = stage.router
    for name in ("a", "b"):
        router.set(f"tg:bot:{name}", HOME).result()
    stage.transport.miscount = miscount
    with pytest.raises(PartitionUnavailableError, match="did not answer what it was asked"):
        router.resolve("tg:bot:a").result()
    lost = router.resolve_many(["tg:bot:a", "tg:bot:b"], [Route("P")]).result()
    assert [each.route for each in lost] == [Route("P")] * 2
    stage.transport.miscount = None
    assert router.resolve("tg:bot:a").result().route == HOME
    assert [each.route for each in router.resolve_many(["tg:bot:a", "tg:bot:b"]).result()] == [HOME] * 2


def test_a_response_is_a_response() -> None:
    """The stage's miscounting transport changes nothing while it does not miscount."""
    stage = Stage(Miscounting)
    stage.transport.miscount = list
    stage.router.set("tg:bot:a", HOME).result()
    assert stage.router.resolve("tg:bot:a").result().route == HOME
    assert isinstance(stage.transport.submit(0, Batch(1, stage.config.fingerprint, 1, [])).wait(0), Response)
