"""Hot partitions hand slots to cool ones while the router is used, whoever dies meanwhile."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ray_router import (
    InvalidCallError,
    LocalTransport,
    RebalancePlan,
    ResizeProgress,
    Route,
    RouterConfig,
    RouterError,
    RouterHandle,
)
from ray_router.core.slots import SLOTS, Topology, slot_function
from ray_router.handle.rebalancing import Rebalancing
from ray_router.testing import FaultyTransport, ManualClock

from .resizes import ROOMS as AGENTS_ROOMS
from .resizes import Agents, Died, Mortal, Slow, filled, resized

ROOMS = [f"tg:bot:room_{number}" for number in range(800)]
slot_of = slot_function("room")
COPIES = [pytest.param(0, id="alone"), pytest.param(1, id="with standbys")]


def config(replicas: int = 0, partitions: int = 4) -> RouterConfig:
    """Of a router whose partitions never count as late."""
    settings: dict[str, Any] = {"durability": "sync", "hedge_after_s": 30.0} if replicas else {}
    return RouterConfig(partitions=partitions, replicas=replicas, call_timeout_s=60.0, **settings)


class Used:
    """A router whose rooms are used by Zipf's law."""

    def __init__(self, transport: LocalTransport, clock: ManualClock) -> None:
        self.router = RouterHandle(transport, clock=clock)
        self._clock = clock
        self._random = Random(3)
        self.router.set_many([(room, Route(room)) for room in ROOMS]).result()
        self.use()

    def use(self, calls: int = 60) -> None:
        """Resolve rooms for a while."""
        weights = [(rank + 1) ** -1.2 for rank in range(len(ROOMS))]
        for _ in range(calls):
            self.router.resolve_many(self._random.choices(ROOMS, weights, k=500)).result()
            self._clock.advance(1.0)


def assert_all_is_there(*routers: RouterHandle) -> None:
    """Everybody finds every room, at home."""
    for router in routers:
        answers = router.resolve_many(ROOMS).result()
        assert [each.route for each in answers] == [Route(room) for room in ROOMS]
        assert not any(each.reason or each.served_by_standby for each in answers)


@pytest.fixture
def clock() -> ManualClock:
    """Of the partitions and of whoever uses them."""
    return ManualClock()


@pytest.mark.parametrize("replicas", COPIES)
def test_hot_partitions_become_as_busy_as_others(clock: ManualClock, replicas: int) -> None:
    """Looked at first, then done; the load that follows is as even as was expected, and stays alone."""
    transport = LocalTransport(config(replicas), clock=clock)
    used = Used(transport, clock)
    old = RouterHandle(transport, clock=clock)
    old.connect()
    planned = used.router.rebalance(dry_run=True).result()
    assert (planned.done, planned.epoch) == (False, 1)
    assert transport.open().wait(0).topology.epoch == 1
    done = used.router.rebalance().result()
    assert (done.done, done.epoch, done.moves) == (True, 3, planned.moves)
    assert planned.imbalance > 1.3
    assert done.expected < 1.05
    assert_all_is_there(used.router, old)
    topology = transport.open().wait(0).topology
    assert {move.slot: topology.owners[move.slot] for move in done.moves} == {
        move.slot: move.target for move in done.moves
    }
    before = used.router.stats().result()
    used.use(120)
    after = used.router.stats().result()
    busy = [now.work - then.work for now, then in zip(after.partitions, before.partitions, strict=True)]
    assert max(busy) / sum(busy) * len(busy) < 1.15
    again = used.router.rebalance().result()
    assert (again.moves, again.done) == ((), False)
    assert sum(each.holdings.live for each in after.partitions) == len(ROOMS)
    copies = sum(each.copies.entries for each in after.partitions if each.copies)
    assert copies == (len(ROOMS) if replicas else 0)


def test_a_resize_goes_on_from_there(clock: ManualClock) -> None:
    """To the number that there is it changes nothing, to another it moves as little as ever."""
    transport = LocalTransport(config(1), clock=clock)
    used = Used(transport, clock)
    moved = used.router.rebalance(max_moves=20).result()
    assert len(moved.moves) == 20
    assert used.router.resize(4).result().slots_moved == 0
    resized = used.router.resize(5).result()
    assert SLOTS // 5 <= resized.slots_moved <= SLOTS // 5 + 20
    assert_all_is_there(used.router)
    used.use()
    assert used.router.rebalance().result().done
    assert_all_is_there(used.router)


@pytest.mark.parametrize("replicas", COPIES)
def test_somebody_else_completes_it(clock: ManualClock, replicas: int) -> None:
    """Whoever rebalances may die before anything it changes; what it leaves serves, and is taken up."""
    changes = 0
    while True:
        transport = Mortal(config(replicas), clock=clock)
        used = Used(transport, clock)
        transport.dies_at = changes
        try:
            Rebalancing(transport, 30, pause=lambda _: None).run()
        except Died:
            pass
        else:
            break
        transport.dies_at = None
        assert_all_is_there(used.router)
        begun = transport.open().wait(0).topology.heirs is not None
        plan = used.router.rebalance(max_moves=30).result()
        assert begun == plan.why.endswith("; this was begun already, and is to be completed")
        assert transport.open().wait(0).topology.heirs is None
        assert_all_is_there(used.router)
        changes += 2
    assert changes >= 6


@pytest.mark.parametrize("replicas", COPIES)
def test_nobody_waits_in_vain(replicas: int) -> None:
    """While partitions tell each other a letter at a time, every write is read again, and no call raises."""
    transport = Slow(config(replicas, 2))
    router = filled(transport)
    owners = transport.open().wait(0).topology.owners
    hot = [room for room in AGENTS_ROOMS if owners[slot_of(room)] == 0]
    for _ in range(50):
        router.resolve_many(hot).result()
    with Agents(lambda: RouterHandle(transport)) as agents:
        before = list(agents.rounds)
        plan, _ = Rebalancing(transport, 100, pause=lambda _: transport.step(3)).run()
        while any(now <= then for now, then in zip(agents.rounds, before, strict=True)):
            transport.step()
    assert agents.wrong == []
    assert plan.done
    assert len(plan.moves) > 10


def test_it_says_what_it_does(clock: ManualClock) -> None:
    """Its progress, phase by phase."""
    told: list[ResizeProgress] = []
    used = Used(LocalTransport(config(), clock=clock), clock)
    assert used.router.rebalance(progress=told.append).result().done
    assert {each.phase for each in told} == {"copying", "handing over"}
    assert (told[-1].done, told[-1].left) == (1.0, 0)


async def test_it_can_be_awaited() -> None:
    """Like any other call; where there is nothing to do, nothing is done."""
    router = RouterHandle(LocalTransport(config()))
    plan: RebalancePlan = await router.rebalance()
    assert (plan.moves, plan.why, plan.imbalance) == ((), "nothing was asked or written yet", 1.0)


def test_a_resize_comes_first(clock: ManualClock) -> None:
    """One that was interrupted is completed by whoever resizes."""
    transport = Mortal(config(), clock=clock)
    used = Used(transport, clock)
    transport.dies_at = 3  # a partition is hired, and a decree is told to some
    with pytest.raises(Died):
        resized(transport, 5)
    transport.dies_at = None
    with pytest.raises(RouterError, match="resize again to complete that first"):
        used.router.rebalance().result()
    resized(transport, 5)
    assert used.router.rebalance().result().done
    assert_all_is_there(used.router)


def test_of_two_who_rebalance_one_is_told(clock: ManualClock) -> None:
    """A plan that somebody else was faster with is made anew."""
    transport = LocalTransport(config(), clock=clock)
    used = Used(transport, clock)

    class Slower(Rebalancing):
        def plan(self) -> tuple[RebalancePlan, Topology]:
            planned = super().plan()
            used.router.rebalance(max_moves=3).result()
            return planned

    with pytest.raises(RouterError, match="rebalance again"):
        Slower(transport, 30).run()
    assert_all_is_there(used.router)


@pytest.mark.parametrize("moves", [0, -1, True, 2.0, "3", SLOTS + 1])
def test_a_number_that_is_none_is_refused(moves: Any) -> None:
    """At once."""
    with pytest.raises(InvalidCallError, match="max_moves"):
        RouterHandle(LocalTransport(config())).rebalance(max_moves=moves)


def test_some_transports_have_what_they_have() -> None:
    """Where slots cannot be handed over, that is said."""
    with pytest.raises(RouterError, match="cannot add or take away"):
        RouterHandle(FaultyTransport(LocalTransport(config()))).rebalance()
