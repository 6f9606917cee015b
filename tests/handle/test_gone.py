"""A partition whose actor is gone for good, and another one that takes its name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from ray_router import FallbackReason, PartitionUnavailableError, Reply, SetOutcome, SetResult
from ray_router.testing import FaultyTransport, wait_until

from .scene import AWAY, HOME, HeldPings, Scene, Stage, in_threads

KEY = "tg:bot:room"


def test_replaced_before_anyone_noticed() -> None:
    """A call that finds its actor gone and another in its place goes to that one, looked up once."""
    scene = Scene()
    scene.router.set(KEY, HOME).result()
    scene.transport.remove(0)
    scene.transport.revive(0)
    assert scene.router.set(KEY, AWAY).result().outcome is SetOutcome.STORED
    assert scene.transport.looked_up == {0: 1}
    assert scene.router.get(KEY).result().alternates == ()  # type: ignore[union-attr]  # it began empty


async def test_replaced_before_a_task_noticed() -> None:
    """The same in an event loop."""
    scene = Scene()
    scene.transport.remove(0)
    scene.transport.revive(0)
    assert (await scene.router.set(KEY, HOME)).outcome is SetOutcome.STORED


def test_nobody_has_its_name() -> None:
    """While nobody has taken its place, its calls fail at once."""
    scene = Scene()
    scene.transport.remove(0)
    for _ in range(3):
        with pytest.raises(PartitionUnavailableError):
            scene.router.set(KEY, HOME).result(0)
    assert scene.router.resolve(KEY, [AWAY]).result(0).reason is FallbackReason.UNAVAILABLE
    assert scene.transport.sent == {0: 1}


def test_another_takes_its_name_later() -> None:
    """An actor that takes the name later is found without anyone's help, though it counts anew."""
    scene = Scene()
    for _ in range(3):
        scene.transport.revive(0)  # the fourth life
    scene.router.set(KEY, HOME).result()
    scene.transport.remove(0)
    with pytest.raises(PartitionUnavailableError):
        scene.router.set(KEY, HOME).result()
    wait_until(lambda: scene.transport.looked_up[0] >= 3)
    scene.transport.revive(0)
    wait_until(lambda: scene.router.resolve(KEY, [AWAY]).result().reason is not FallbackReason.UNAVAILABLE)
    assert scene.router.set(KEY, AWAY).result().outcome is SetOutcome.STORED


def test_gone_with_calls_under_way() -> None:
    """What the former actor was sent goes to the one that takes its place, with all that had queued."""
    scene = Scene()
    scene.router.set(KEY, HOME).result()
    scene.transport.freeze(0)
    replies = [scene.router.set(KEY, AWAY)]  # nobody hears of its end before the next one comes
    scene.transport.remove(0)
    scene.transport.revive(0)
    replies.append(scene.router.set(KEY, AWAY))
    outcomes = [reply.result().outcome for reply in replies]
    assert outcomes == [SetOutcome.STORED, SetOutcome.REFRESHED]


def test_news_of_the_former_actor_arrives_late() -> None:
    """What an actor said before it lost the name does not make its successor look like a zombie."""
    stage = Stage(HeldPings)
    stage.router.connect()
    for _ in range(3):
        stage.transport.revive(0)  # the fourth life
    stage.router.set(KEY, HOME).result()
    stage.transport.kill(0)
    waiting = stage.router.set(KEY, AWAY)  # and now it is pinged
    stage.transport.holding = True
    stage.transport.revive(0)  # the fifth life answers, and its answers stay under way

    def replace() -> None:
        wait_until(lambda: len(stage.transport.held) > 0)
        stage.transport.remove(0)
        stage.transport.revive(0)  # another actor's first
        wait_until(lambda: stage.transport.looked_up.get(0, 0) > 0)
        stage.transport.let_arrive()

    result, _ = in_threads([waiting.result, replace])
    assert result.outcome is SetOutcome.STORED
    assert stage.router.set(KEY, AWAY).result().outcome is SetOutcome.REFRESHED


@pytest.mark.parametrize("end", [FaultyTransport.kill, FaultyTransport.remove])
def test_it_ends_while_it_is_being_asked(end: Callable[[FaultyTransport, int], None]) -> None:
    """A ping that ends with its partition is asked again, of whoever has the name then."""
    scene = Scene()
    scene.router.set(KEY, HOME).result()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, AWAY)

    def end_and_replace() -> None:
        wait_until(lambda: scene.transport.asked.get(0, 0) >= 1)  # it is late, and asked whether it lives
        end(scene.transport, 0)
        scene.transport.revive(0)

    in_threads([lambda: _tried(reply), end_and_replace])
    wait_until(lambda: scene.router.resolve(KEY, [HOME]).result().reason is not FallbackReason.UNAVAILABLE)
    assert scene.router.set(KEY, AWAY).result().outcome in {SetOutcome.STORED, SetOutcome.REFRESHED}


def _tried(reply: Reply[SetResult]) -> None:
    """It may be answered by the next life, or find nobody: the race is the runtime's."""
    with suppress(PartitionUnavailableError):
        reply.result()
