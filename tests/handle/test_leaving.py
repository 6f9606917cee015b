"""A node is about to leave: the partitions on it hand their slots off first, and come back elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pytest

from ray_router import RouterError, RouterHandle, ScalingReason
from ray_router.core.slots import SLOTS
from ray_router.testing import ManualClock
from ray_router.transport import Decree, Request
from ray_router.transport.local import Settled

from .resizes import Died
from .scaling import INTERVAL_S, Housed, Scene, config

COPIES = [pytest.param(0, id="alone"), pytest.param(1, id="with standbys")]
SESSIONS = 300


def scene_of(clock: ManualClock, replicas: int = 0) -> tuple[Scene, Housed]:
    """Four partitions on two nodes, and their sessions."""
    transport = Housed(config(4, replicas), clock)
    scene = Scene(transport, clock)
    scene.write(SESSIONS)
    scene.look_for(INTERVAL_S)
    return scene, transport


def owners(transport: Housed) -> tuple[int, ...]:
    """Who owns slots."""
    alive = next(each for each in transport.deployed() if each not in transport.down)
    return transport._partitions[alive].topology.partitions


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.mark.parametrize("replicas", COPIES)
@pytest.mark.parametrize("node", [0, 1])
def test_slots_leave_before_the_node_does(node: int, replicas: int, clock: ManualClock) -> None:
    """The others take them; the partitions, with nothing left, begin anew elsewhere, and take slots again."""
    scene, transport = scene_of(clock, replicas)
    there = (2 * node, 2 * node + 1)
    others = tuple(each for each in range(4) if each not in there)
    old = RouterHandle(transport, clock=clock)
    old.connect()
    scene.leaving = lambda: {f"node {node}"}
    scene.look_for(INTERVAL_S)
    assert owners(transport) == others
    assert (scene.said.away, transport.restarted) == (there, [])
    assert scene.said.last is not None
    assert (scene.said.last.before, scene.said.last.after, scene.said.last.reason) == (
        4,
        2,
        ScalingReason.LEAVING,
    )
    keys = [f"tg:bot:{each}" for each in range(SESSIONS)]
    answers = (*old.resolve_many(keys).result(), *old.resolve_many(keys).result())
    assert not [answer for answer in answers if answer.served_by_standby or not answer.route]
    assert {answer.partition for answer in answers[SESSIONS:]} == set(others)

    scene.look_for(INTERVAL_S)
    assert sorted(transport.restarted) == list(there)
    assert scene.lost(SESSIONS) == []
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1, 2, 3)
    scene.look_for(INTERVAL_S)
    assert (scene.said.away, scene.said.problem, scene.said.doing) == ((), "", "")
    assert scene.said.last is not None
    assert (scene.said.last.after, scene.said.last.reason) == (4, ScalingReason.BACK)
    assert scene.lost(SESSIONS) == []
    stats = scene.router.stats().result()
    assert [each.slots for each in stats.partitions] == [SLOTS // 4] * 4
    assert sum(each.holdings.live for each in stats.partitions) == SESSIONS
    scene.look_for(10 * INTERVAL_S)
    assert sorted(transport.restarted) == list(there), "once is enough"


@pytest.mark.parametrize("replicas", COPIES)
def test_who_finds_no_place_is_not_waited_for(replicas: int, clock: ManualClock) -> None:
    """Others are added, and sessions served, but nobody is taken away until it is back."""
    scene, transport = scene_of(clock, replicas)
    scene.leaving, transport.new_home = (lambda: {"node 1"}), None
    scene.look_for(2 * INTERVAL_S)
    scene.leaving = tuple  # it has left
    scene.look_for(2 * INTERVAL_S)
    assert (owners(transport), scene.said.away) == ((0, 1), (2, 3))
    assert sorted(transport.restarted) == [2, 3]
    scene.write(500)
    scene.look_for(40)
    assert owners(transport) == (0, 1, 4)
    assert scene.lost(500) == []
    scene.router.set("tg:bot:*", scene.router.get("tg:bot:7").result().route).result()  # type: ignore[union-attr]
    for session in range(500):
        scene.router.delete(f"tg:bot:{session}").result()
    clock.advance(10)
    scene.router.prune().result()
    scene.look_for(200)
    assert (owners(transport), scene.said.partitions) == ((0, 1, 4), 5)
    transport.new_home = "new"
    for partition in (2, 3):
        transport.down.discard(partition)
        transport.restart(partition)
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1, 2, 3, 4)
    scene.look_for(INTERVAL_S)
    assert (scene.said.away, scene.said.problem) == ((), "")
    scene.look_for(65)
    assert owners(transport) == (0, 1, 2, 3)


def test_a_node_that_stays_after_all_has_its_slots_again(clock: ManualClock) -> None:
    """Whoever was to leave takes part again."""
    scene, transport = scene_of(clock)
    scene.leaving = lambda: {"node 0"}
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (2, 3)
    scene.leaving = tuple
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1, 2, 3)
    assert (scene.lost(SESSIONS), transport.restarted) == ([], [])


def test_all_nodes_are_to_leave(clock: ManualClock) -> None:
    """Nobody could take anything: all stay as they are, and that is said."""
    scene, transport = scene_of(clock)
    scene.leaving = lambda: {"node 0", "node 1"}
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1, 2, 3)
    assert scene.said.problem == "all partitions live on nodes that are about to leave"


def test_a_partition_that_is_down_is_waited_for(clock: ManualClock) -> None:
    """Whoever owns slots and does not answer has sessions that others may not know."""
    scene, transport = scene_of(clock)
    scene.leaving, transport.down = (lambda: {"node 1"}), {3}
    scene.look_for(INTERVAL_S)
    transport.down = set()
    assert (owners(transport), scene.said.problem) == ((0, 1, 2, 3), "partition 3 does not answer")
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1)


def test_where_nobody_says_who_leaves(clock: ManualClock) -> None:
    """That is said, and everything else goes on."""

    def unknown() -> Collection[str]:
        raise RouterError("Ray does not say which nodes are about to leave")

    scene, transport = scene_of(clock)
    assert scene.said.blind == ""
    scene.leaving = unknown
    scene.write(450)
    scene.look_for(40)
    assert owners(transport) == (0, 1, 2, 3, 4)
    assert scene.said.blind == "Ray does not say which nodes are about to leave"


def test_a_node_that_leaves_does_not_wait_for_one_that_is_started(clock: ManualClock) -> None:
    """Who waits for a new partition's place gives that up, and goes on with it afterwards."""
    scene, transport = scene_of(clock)

    class Waiting(Housed):
        def hire(self, partitions: Sequence[int], meanwhile: Callable[[int], None]) -> None:
            if partitions:
                for _ in range(3):  # nodes have to be started
                    meanwhile(partitions[0])
                    clock.advance(1)
                scene.leaving = lambda: {"node 1"}
                clock.advance(INTERVAL_S)
                meanwhile(partitions[0])
            raise AssertionError("it is to give up")

    transport.__class__ = Waiting
    scene.write(600)
    scene.look_for(35)
    assert scene.said.problem == "a node is about to leave, which goes before"
    transport.__class__ = Housed
    scene.look_for(INTERVAL_S)
    assert owners(transport) == (0, 1)
    scene.look_for(60)
    assert owners(transport) == (0, 1, 2, 3, 4, 5)
    assert scene.lost(600) == []


class MortalHoused(Housed):
    """Whoever asks it to obey a decree dies at the ``dies_at``-th time."""

    dies_at = -1

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer, if there is somebody."""
        if isinstance(request, Decree):
            self.dies_at -= 1
            if self.dies_at == -1:
                raise Died
        return super().ask(partition, request)


@pytest.mark.parametrize("dies_at", [0, 1, 3, 5, 8])
def test_whoever_takes_over_goes_on(dies_at: int, clock: ManualClock) -> None:
    """A controller may die at any step of it; the next one has the slots leave, and come back."""
    scene, transport = scene_of(clock)
    transport.__class__ = MortalHoused
    assert isinstance(transport, MortalHoused)
    transport.dies_at = dies_at
    scene.leaving = lambda: {"node 1"}
    with pytest.raises(Died):
        scene.look_for(INTERVAL_S)
    scene.controller = scene.another()
    seen = [owners(transport)]
    for _ in range(6):
        scene.look_for(INTERVAL_S)
        seen.append(owners(transport))
    assert (0, 1) in seen
    assert seen[-1] == (0, 1, 2, 3)
    assert sorted(transport.restarted) == [2, 3]
    assert scene.lost(SESSIONS) == []
