"""Partitions are added and taken away while the router is used, whoever dies meanwhile."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from ray_router import (
    InvalidCallError,
    LocalTransport,
    ResizeProgress,
    Route,
    RouterConfig,
    RouterError,
    RouterHandle,
    Scope,
    SetOutcome,
)
from ray_router.core.slots import SLOTS
from ray_router.testing import FaultyTransport, ManualClock

from .resizes import ROOMS, Agents, Died, Mortal, Slow, filled, resized

COPIES = [pytest.param(0, id="alone"), pytest.param(1, id="with standbys")]


def config(replicas: int, partitions: int = 2, **settings: Any) -> RouterConfig:
    """Of a router that acknowledges what all keepers have, and whose partitions never count as late."""
    settings |= {"durability": "sync", "hedge_after_s": 30.0} if replicas else {}
    return RouterConfig(partitions=partitions, replicas=replicas, call_timeout_s=60.0, **settings)


def misled(router: RouterHandle, expected: dict[str, Route]) -> list[Any]:
    """The rooms that are not answered as they should be."""
    answers = zip(expected.items(), router.resolve_many(list(expected)).result(), strict=True)
    return [
        (room, route, answer) for (room, route), answer in answers if answer.route != route or answer.reason
    ]


def assert_is_whole(transport: LocalTransport, partitions: int) -> None:
    """There are so many partitions, in balance, and nobody holds what is another's."""
    topology = transport.open().wait(0).topology
    assert topology.members == topology.partitions == tuple(range(partitions))
    assert max(topology.shares.values()) - min(topology.shares.values()) <= 1
    assert transport.deployed() == list(range(partitions))
    router = RouterHandle(transport)
    stats = router.stats().result()
    assert not stats.down
    assert sum(each.holdings.live for each in stats.partitions) == len(ROOMS)
    assert sum(each.slots for each in stats.partitions) == SLOTS
    assert {each.epoch for each in stats.partitions} == {topology.epoch}
    copies = sum(each.copies.entries for each in stats.partitions if each.copies)
    assert copies == (len(ROOMS) if router.config.replicas and partitions > 1 else 0)
    assert router.resolve("tg:bot:stranger", widest_scope=Scope.INSTANCE).result().route == Route("lobby")


@pytest.mark.parametrize("replicas", COPIES)
def test_nothing_is_lost_and_nobody_waits_in_vain(replicas: int) -> None:
    """While partitions tell each other a letter at a time, every write is read again, and no call raises."""
    transport = Slow(config(replicas))
    filled(transport)
    with Agents(lambda: RouterHandle(transport)) as agents:
        for partitions in (4, 3, 1, 2):
            before = list(agents.rounds)
            resized(transport, partitions, pause=lambda: transport.step(3))
            while any(now <= then for now, then in zip(agents.rounds, before, strict=True)):
                transport.step()
    assert agents.wrong == []
    transport.quick = True
    transport._let_talk()
    router = RouterHandle(transport)
    assert misled(router, {room: Route(room) for room in ROOMS} | agents.written) == []
    assert_is_whole(transport, 2)


@pytest.mark.parametrize("replicas", COPIES)
@pytest.mark.parametrize("way_back", [False, True], ids=["completed", "rolled back"])
@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2)], ids=["growing", "shrinking"])
def test_somebody_else_completes_it_or_takes_it_back(
    replicas: int, way_back: bool, before: int, after: int
) -> None:
    """Whoever resizes may die before anything it changes; what it leaves serves, and is taken up."""
    changes = 0
    while True:
        transport = Mortal(config(replicas, before))
        router, old = filled(transport), RouterHandle(transport)
        old.connect()
        transport.dies_at = changes
        try:
            resized(transport, after)
        except Died:
            pass
        else:
            break
        transport.dies_at = None
        assert misled(old, {room: Route(room) for room in ROOMS}) == []
        router.set_many([(room, Route(f"later {room}")) for room in ROOMS]).result()
        goal = before if way_back else after
        resized(transport, goal)
        assert misled(old, {room: Route(f"later {room}") for room in ROOMS}) == []
        assert_is_whole(transport, goal)
        changes += 2
    assert changes >= 6


@pytest.mark.parametrize("replicas", COPIES)
def test_a_first_partition_that_was_only_just_restarted_is_waited_for(replicas: int) -> None:
    """It knows what the router was deployed with, until others tell it who owns what since then."""
    transport = Slow(config(replicas))
    filled(transport)
    resized(transport, 5, pause=lambda: transport.step(3))
    transport.restart(0)
    resized(transport, 4, pause=lambda: transport.step(3))
    transport.quick = True
    transport._let_talk()
    router = RouterHandle(transport)
    assert router.stats().result().epoch > 3
    assert transport.deployed() == [0, 1, 2, 3]
    mine = {room for room in ROOMS if router.get(room).result() is None}
    lost = {room for room in ROOMS if not replicas and router.resolve(room).result().partition == 0}
    assert mine <= lost  # what only partition 0 had died with it


def test_it_says_what_it_does() -> None:
    """Its progress, and what became of it."""
    told: list[ResizeProgress] = []
    router = filled(LocalTransport(config(0)))
    result = router.resize(3, progress=told.append).result()
    assert (result.partitions, result.epoch, result.slots_moved) == (3, 3, SLOTS // 3)
    assert told[0].phase == "starting partition 2"
    assert {each.phase for each in told} >= {"copying", "handing over"}
    assert (told[-1].done, told[-1].left) == (1.0, 0)
    again = router.resize(3).result()
    assert (again.slots_moved, again.epoch) == (0, 3)


async def test_it_can_be_awaited() -> None:
    """Like any other call; the loop is not held up."""
    router = RouterHandle(LocalTransport(config(0)))
    await router.set("tg:bot:room", Route("there"))
    assert (await router.resize(3)).partitions == 3
    assert (await router.resolve("tg:bot:room")).route == Route("there")


@pytest.mark.parametrize("partitions", [0, -1, True, 2.0, "3", SLOTS + 1])
def test_a_number_that_is_none_is_refused(partitions: Any) -> None:
    """At once."""
    with pytest.raises(InvalidCallError, match="partitions"):
        RouterHandle(LocalTransport(config(0))).resize(partitions)


@pytest.mark.parametrize("replicas", COPIES)
def test_a_batch_that_is_carried_out_in_pieces_moves_as_a_whole(replicas: int) -> None:
    """However large, and whichever of its pieces has moved."""
    transport = LocalTransport(config(replicas))
    router, old = filled(transport), RouterHandle(transport)
    old.connect()
    router.resize(3).result()
    rooms = [f"tg:bot:new_{number}" for number in range(1_500)]
    written = old.set_many([(room, Route(room)) for room in rooms]).result()
    assert {each.outcome for each in written} <= {SetOutcome.STORED, SetOutcome.REFRESHED}
    assert misled(router, {room: Route(room) for room in rooms}) == []


@pytest.mark.parametrize("replicas", COPIES)
@pytest.mark.parametrize("partitions", [1, 2, 4])
def test_a_router_that_forgot_its_size_is_resized_again(replicas: int, partitions: int) -> None:
    """When all who knew of a decree die at once, what is left goes by how it was deployed, until told."""
    clock = ManualClock()
    transport = LocalTransport(config(replicas, 3), clock=clock)
    filled(transport, clock=clock).resize(1).result()
    transport.restart(0)
    resized(transport, partitions, pause=lambda: clock.advance(0.5))
    router = RouterHandle(transport, clock=clock)
    router.set_many([(room, Route(room)) for room in ROOMS]).result()
    router.set("tg:bot:*", Route("lobby")).result()
    assert misled(router, {room: Route(room) for room in ROOMS}) == []
    assert_is_whole(transport, partitions)


def test_some_transports_have_what_they_have() -> None:
    """Where nobody can be hired, that is said."""
    with pytest.raises(RouterError, match="cannot add or take away"):
        RouterHandle(FaultyTransport(LocalTransport(config(0)))).resize(3)


def test_deletions_and_reports_find_their_sessions() -> None:
    """Whatever the operation, an old handle's is carried out by whoever owns the session by now."""
    transport = LocalTransport(config(0))
    router, old = filled(transport), RouterHandle(transport)
    old.connect()
    router.resize(5).result()
    assert all(old.delete(room).result() for room in ROOMS[:20])
    assert all(old.get(room).result() is not None for room in ROOMS[20:40])
    assert all(old.explain(room).result().route == Route(room) for room in ROOMS[40:60])
    assert old.resolve_many(ROOMS[:20]).result()[7].route is None
    with pytest.raises(TypeError):
        pickle.dumps(transport)
