"""A controller looks at a router in this process, and has it resized."""

from __future__ import annotations

import pytest

from ray_router import (
    AutoscalingStats,
    InvalidCallError,
    LocalTransport,
    PartitionUnavailableError,
    RouterConfig,
    RouterHandle,
    ScalingDecision,
    ScalingReason,
    ScalingWish,
)
from ray_router.core.events import ScalingDecided
from ray_router.testing import ManualClock, RecordingObserver
from ray_router.transport import Control

from .resizes import Died, Mortal
from .scaling import INTERVAL_S, Scene, Shaky, config


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


def test_partitions_follow_the_load(clock: ManualClock) -> None:
    """They are added as sessions come, taken away when these have gone, and no route is lost meanwhile."""
    observer = RecordingObserver()
    scene = Scene(LocalTransport(config(), clock=clock, observer=observer), clock)
    assert scene.said == AutoscalingStats()
    scene.write(150)
    scene.look_for(120)
    assert scene.partitions == 2
    scene.write(350)
    begun = clock()
    scene.look_for(30)
    said = scene.said
    assert (scene.partitions, said.entries, said.partitions) == (2, 350, 2)
    assert said.wish == ScalingWish(4, ScalingReason.ENTRIES, begun + INTERVAL_S)
    assert said.due_at == begun + INTERVAL_S + 30
    scene.look_for(INTERVAL_S)
    assert scene.partitions == 4
    assert scene.lost(350) == []
    assert scene.said.last == ScalingDecision(clock(), 2, 4, ScalingReason.ENTRIES)
    clock.advance(1_810)
    scene.router.prune().result()
    scene.look_for(200)
    assert scene.partitions == 2
    assert (scene.said.wish, scene.said.problem, scene.said.doing) == (None, "", "")
    assert observer.of(ScalingDecided) == [
        ScalingDecided(0, 2, 4, ScalingReason.ENTRIES),
        ScalingDecided(0, 4, 3, ScalingReason.IDLE),
        ScalingDecided(0, 3, 2, ScalingReason.IDLE),
    ]


def test_calls_count_as_sessions_do(clock: ManualClock) -> None:
    """More are had for what is asked of them, however little they hold."""
    scene = Scene(LocalTransport(config(target_calls_per_s=10), clock=clock), clock)
    scene.write(10)
    for _ in range(10):
        scene.lost(10)
        scene.lost(10)
        scene.lost(10)
        scene.look_for(INTERVAL_S)
    assert scene.partitions == 2
    for _ in range(20):
        for _ in range(14):
            scene.lost(10)
        scene.look_for(INTERVAL_S)
    assert scene.partitions == 3
    assert scene.said.last is not None
    assert scene.said.last.reason is ScalingReason.CALLS


def test_it_says_what_it_is_busy_with(clock: ManualClock) -> None:
    """While partitions are started, which may take until there is a node for them."""
    scene = Scene(Shaky(config(), clock), clock)
    told = []

    class Asked(Shaky):
        def _hire(self, partition: int) -> None:
            told.append(scene.said.doing)
            super()._hire(partition)

    scene.transport.__class__ = Asked
    scene.write(400)
    scene.look_for(40)
    assert told == ["starting partition 2", "starting partition 3"]
    assert scene.said.doing == ""


def test_nothing_is_decided_while_a_partition_is_down(clock: ManualClock) -> None:
    """It says which one it misses, and needs none of them to go on itself."""
    transport = Shaky(config(), clock)
    scene = Scene(transport, clock)
    scene.write(400)
    transport.down = {1}
    scene.look_for(100)
    transport.down = set()
    assert (scene.partitions, scene.said.problem) == (2, "partition 1 does not answer")
    transport.down = {0}
    scene.look_for(100)
    transport.down, transport.unreachable = set(), {0}
    scene.look_for(100)
    transport.unreachable = set()
    scene.look_for(INTERVAL_S)
    assert (scene.partitions, scene.said.problem) == (2, "")
    scene.look_for(35)
    assert scene.partitions == 4


def test_as_many_are_had_as_there_is_room_for(clock: ManualClock) -> None:
    """It says who found no place, and tries again when it has been due again."""
    transport = Shaky(config(), clock, places=3)
    scene = Scene(transport, clock)
    scene.write(400)
    scene.look_for(40)
    assert (scene.partitions, scene.said.problem) == (3, "partition 3 could not be placed")
    assert scene.lost(400) == []
    scene.look_for(25)
    assert (scene.partitions, scene.said.problem) == (3, "partition 3 could not be placed")
    transport.places = 4
    scene.look_for(20)
    assert (scene.partitions, scene.said.problem) == (4, "")


def test_whoever_takes_over_goes_on(clock: ManualClock) -> None:
    """With what was waited for, and what was decided, as partition 0 has it."""
    scene = Scene(LocalTransport(config(), clock=clock), clock)
    scene.write(400)
    scene.look_for(20)
    wish = scene.said.wish
    scene.controller = scene.another()
    scene.look_for(10)
    assert scene.said.wish == wish
    scene.look_for(INTERVAL_S)
    assert scene.partitions == 4
    last = scene.said.last
    scene.controller = scene.another()
    scene.look_for(INTERVAL_S)
    assert (scene.said.last, scene.said.wish) == (last, None)


@pytest.mark.parametrize("dies_at", [0, 1, 3, 6, 7, 10])
def test_a_resize_is_completed_whoever_dies(dies_at: int, clock: ManualClock) -> None:
    """The next controller finds what the former one began, and goes on with it at once or when it is due."""
    transport = Mortal(config(), clock=clock)
    scene = Scene(transport, clock)
    scene.write(400)
    transport.dies_at = dies_at
    with pytest.raises(Died):
        scene.look_for(60)
    transport.dies_at = None
    assert scene.lost(400) == []
    scene.controller = scene.another()
    scene.look_for(40)
    assert (scene.partitions, scene.said.wish) == (4, None)
    assert scene.lost(400) == []


def test_what_partition_0_was_told_it_is_told_again(clock: ManualClock) -> None:
    """Whoever asks a partition 0 that was restarted soon hears of the last decision."""
    scene = Scene(LocalTransport(config(), clock=clock), clock)
    scene.write(400)
    scene.look_for(40)
    last = scene.said.last
    scene.transport.restart(0)
    assert scene.said == AutoscalingStats()
    scene.look_for(INTERVAL_S)
    assert scene.said.last == last


def test_partitions_that_disagree_are_waited_for(clock: ManualClock) -> None:
    """Who owns what is a matter of all of them."""
    scene = Scene(LocalTransport(config(), clock=clock), clock)
    topology = scene.transport.open().wait(0).topology
    scene.transport._partitions[1].obey(topology.heading_for(None))
    scene.look_for(INTERVAL_S)
    assert scene.said.problem == "partitions have yet to agree on who owns what"


def test_a_resize_by_hand_stays_within_the_bounds(clock: ManualClock) -> None:
    """Any number within them is had, and chosen anew after the delays."""
    scene = Scene(LocalTransport(config(), clock=clock), clock)
    for partitions in (1, 7):
        with pytest.raises(InvalidCallError, match=r"partitions: must be from 2 to 6, the bounds of auto"):
            scene.router.resize(partitions)
    assert scene.router.resize(4).result().partitions == 4
    scene.look_for(60)
    assert scene.partitions == 4
    scene.look_for(90)
    assert scene.partitions == 2


def test_a_router_without_it_says_nothing_of_it() -> None:
    """Nor is it asked for anything."""
    transport = LocalTransport(RouterConfig())
    assert RouterHandle(transport).stats().result().autoscaling is None
    assert RouterConfig().scaling_settings() is None
    assert transport.ask(0, Control.STATS)


def test_a_partition_that_never_answers_ends_a_resize(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look returns, and says so."""
    transport = Shaky(config(), clock)
    scene = Scene(transport, clock)
    scene.write(400)

    def run(_: object) -> None:
        raise PartitionUnavailableError(1, "it is frozen; resize again to go on")

    monkeypatch.setattr("ray_router.handle.autoscaling.Resizing.run", run)
    scene.look_for(40)
    assert scene.said.problem.startswith("partition 1 is unavailable: it is frozen")
