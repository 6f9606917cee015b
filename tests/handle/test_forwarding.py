"""Calls of sessions that have moved, or are on their way: sent on, or over in time."""

from __future__ import annotations

import pytest

from ray_router import (
    DeadlineExceededError,
    FallbackReason,
    LocalTransport,
    PartitionUnavailableError,
    Route,
    RouterConfig,
    RouterHandle,
    SetOutcome,
)
from ray_router.core.reshaping import balanced_among
from ray_router.core.slots import Topology, slot_function
from ray_router.testing import FaultyTransport, wait_until
from ray_router.transport import Decree

from .resizes import ROOMS, Slow, filled, resized

ELSE = Route("else")
BEFORE, SLOT_OF = Topology.balanced(2), slot_function("room")
HEIRS = balanced_among(BEFORE.owners, range(3))
GOES = [room for room in ROOMS if HEIRS[SLOT_OF(room)] == 2]
STAYS = [room for room in ROOMS if HEIRS[SLOT_OF(room)] != 2]


def on_its_way(**settings: float) -> tuple[Slow, RouterHandle]:
    """A router whose third partition owns what has not come yet, and will not; and a handle that knows."""
    transport = Slow(RouterConfig(partitions=2, **settings))  # type: ignore[arg-type]
    filled(transport)
    transport.quick = True
    transport.hire([2], lambda _: None)
    transport.quick = False
    decree = Topology(3, HEIRS, since=3)
    for partition in (2, 0, 1):
        transport._partitions[partition].answer(Decree(decree))
    return transport, RouterHandle(transport)


def test_a_read_waits_for_what_is_on_its_way() -> None:
    """Until it has come; what is written meanwhile is taken at once, and merged with it."""
    transport, router = on_its_way()
    reply = router.resolve(GOES[0])
    assert router.set(GOES[1], ELSE).result().partition == 2
    assert not reply.done()
    transport.quick = True
    transport._let_talk()
    assert (reply.result().route, reply.result().partition) == (Route(GOES[0]), 2)
    assert router.get(GOES[1]).result().alternates == (Route(GOES[1]),)  # type: ignore[union-attr]


def test_a_read_waits_for_its_deadline_at_most() -> None:
    """And is answered from the fallbacks then, if there are any; nobody else waits."""
    _, router = on_its_way(call_timeout_s=0.2)
    assert [answer.route for answer in router.resolve_many(STAYS).result()] == list(map(Route, STAYS))
    with pytest.raises((PartitionUnavailableError, DeadlineExceededError)):
        router.get(GOES[0]).result()
    answer = router.resolve(GOES[0], [ELSE]).result()
    assert (answer.route, answer.reason) == (ELSE, FallbackReason.UNAVAILABLE)


def test_whoever_has_it_by_now_may_be_down() -> None:
    """Then a batch that is sent on fares like any other: its own items are unavailable."""
    inner = LocalTransport(RouterConfig(partitions=2))
    filled(inner)
    transport = FaultyTransport(inner)
    old = RouterHandle(transport)
    old.connect()
    resized(inner, 3)
    transport.remove(2)
    answers = old.resolve_many([*GOES, *STAYS], [ELSE]).result()
    assert {answer.route for answer in answers[: len(GOES)]} == {ELSE}
    written = old.set_many([(room, ELSE) for room in GOES]).result()
    assert {each.outcome for each in written} == {SetOutcome.UNAVAILABLE}


def test_a_partition_that_was_taken_away_is_asked_no_longer() -> None:
    """A handle that knows it alone learns where its sessions are, one call or many."""
    for replicas in (0, 1):
        transport = LocalTransport(RouterConfig(partitions=3, replicas=replicas))
        filled(transport)
        old, older = RouterHandle(transport), RouterHandle(transport)
        old.connect()
        older.connect()
        resized(transport, 1)
        assert all(old.set(room, ELSE).result().partition == 0 for room in ROOMS[:12])
        assert {answer.partition for answer in older.resolve_many(ROOMS).result()} == {0}
        assert old.resolve(ROOMS[0]).result().epoch == older.resolve(ROOMS[0]).result().epoch


def test_what_was_queued_for_the_former_owner_is_not_taken_for_its_own() -> None:
    """A handle may learn of a resize while calls wait in it: they say by which decree they were sent."""
    inner = LocalTransport(RouterConfig(partitions=2, call_timeout_s=60.0))
    filled(inner)
    transport = FaultyTransport(inner)
    router = RouterHandle(transport)
    stays, goes = ([room for room in some if BEFORE.owners[SLOT_OF(room)] == 0] for some in (STAYS, GOES))
    elsewhere = next(room for room in STAYS if BEFORE.owners[SLOT_OF(room)] == 1)
    router.connect()
    transport.freeze(0)
    under_way, queued = router.set(stays[0], ELSE), router.set(goes[0], ELSE)
    resized(inner, 3)
    wait_until(lambda: router.resolve(elsewhere).result().epoch == 3)
    transport.thaw(0)
    assert under_way.result().partition == 0
    assert queued.result().partition == 2
