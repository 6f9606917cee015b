"""Long batches are carried out in pieces: nobody can tell by the answers, and stats need not wait."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.core.events import Event, WroteRoute
from ray_router.core.operations import Answers, Delete, Get, Group, Operation, Refused, Resolve, Result
from ray_router.model import PartitionStats
from ray_router.testing.faulty import wait_until
from ray_router.transport import Control, pieces
from ray_router.transport.pieces import joined, pieces_of
from ray_router.transport.turns import Turns

operations = st.one_of(
    st.builds(Get, st.sampled_from("ab")),
    st.builds(lambda keys: Resolve(tuple(keys)), st.lists(st.sampled_from("abcde"), max_size=12)),
    st.builds(Delete, st.sampled_from("ab"), st.just(1.0)),
)


def answered(group: Group) -> tuple[Result, ...]:
    """Each key answered by itself, any other operation by whether it is a look."""
    return tuple(
        Answers(1.0, [f"answer to {key}" for key in each.keys])
        if isinstance(each, Resolve)
        else isinstance(each, Get)
        for each in group.operations
    )


@pytest.fixture(scope="module", autouse=True)
def short_pieces() -> Any:
    """Pieces so short that few operations make many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_MOST_OPERATIONS", 3)
        patch.setattr(pieces, "_MOST_KEYS", 4)
        yield


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(operations, max_size=12))
def test_pieces_make_the_whole(asked: list[Operation]) -> None:
    """Every operation is in one piece, in order, no piece is long, and the results are the group's."""
    group = Group(tuple(asked), 7.0)
    cut = pieces_of(group, most=100)
    assert joined([(piece, answered(piece.group)) for piece in cut]) == answered(group)
    assert {piece.group.now for piece in cut} == {7.0}
    for piece in cut:
        assert len(piece.group.operations) <= 3
        keys = [each.keys for each in piece.group.operations if isinstance(each, Resolve)]
        assert all(len(each) <= 4 for each in keys)


@pytest.mark.parametrize(
    "asked",
    [
        (Get("a"),) * 11,
        (Resolve(("a",) * 11),),
        (Resolve(7),),  # type: ignore[arg-type]  # as anybody may send it
        ("nonsense",),
    ],
    ids=["operations", "keys", "no keys", "no operation"],
)
def test_what_is_refused_whole_is_left_whole(asked: tuple[Any, ...]) -> None:
    """What is over the limit of a batch, or no operation at all, is nobody's to cut."""
    group = Group(asked)
    assert [piece.group for piece in pieces_of(group, most=10)] == [group]


def test_a_resolve_refused_in_pieces_is_refused_once() -> None:
    """Wishes that are refused are so in each piece; the first refusal stands for all."""
    group = Group((Resolve(("a",) * 10, min_confidence=99),))
    refused = Refused("InvalidCallError", "min_confidence", "no")
    assert joined([(piece, (refused,)) for piece in pieces_of(group, most=100)]) == (refused,)


def test_stats_are_answered_in_the_middle_of_a_batch() -> None:
    """They do not wait for a long batch to end."""
    answers: list[PartitionStats] = []
    threads: list[threading.Thread] = []

    def ask_for_stats() -> None:
        stats = transport.ask(0, Control.STATS).wait(0)
        assert isinstance(stats, PartitionStats)
        answers.append(stats)

    def observe(event: Event) -> None:
        if isinstance(event, WroteRoute) and not threads:
            threads.append(threading.Thread(target=ask_for_stats))
            threads[0].start()
            wait_until(lambda: len(transport._partitions[0]._lock._waiting) > 0)

    transport = LocalTransport(RouterConfig(partitions=1), observer=observe)
    router = RouterHandle(transport)
    router.set_many([(f"a:b:{number}", Route("home")) for number in range(100)]).result()
    threads[0].join()
    assert 0 < answers[0].traffic.stored < 100
    assert router.stats().result().traffic.stored == 100


def test_nobody_waits_nobody_gives_way() -> None:
    """Giving way keeps the lock when there is nobody to give way to."""
    turns = Turns()
    with turns:
        turns.give_way()
        assert turns._lock.locked()
    assert not turns._lock.locked()
