"""A partition that stops without dying: deadlines, suspicion, and what happens when it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ray_router import (
    DeadlineExceededError,
    FallbackReason,
    PartitionUnavailableError,
    Reply,
    ResolutionSource,
    RouterError,
    SetOutcome,
)
from ray_router.testing import wait_until

from .scene import AWAY, HOME, LosingTransport, Scene, Stage, key_on, until

KEY = "tg:bot:room"
_BRIEF_S = 0.05  # too short to suspect that it is down
_LONG_ENOUGH_S = 1.5  # to know that it is down


def test_each_call_has_its_own_deadline() -> None:
    """A call is given its whole time, however long the one before it has waited already."""
    scene = Scene(call_timeout_s=_BRIEF_S)
    scene.transport.freeze(0)
    for _ in range(3):
        submitted_at = time.monotonic()
        with pytest.raises(DeadlineExceededError, match="partition 0: it is busy"):
            scene.router.set(KEY, HOME).result()
        assert time.monotonic() - submitted_at >= _BRIEF_S


def test_deadlines_pass_while_nobody_waits() -> None:
    """A call submitted long ago fails at once when somebody comes to wait for it."""
    scene = Scene(call_timeout_s=_BRIEF_S)
    scene.transport.freeze(0)
    under_way, queued = scene.router.set(KEY, HOME), scene.router.set(KEY, AWAY)
    time.sleep(_BRIEF_S)  # the deadline itself is what is waited for
    for reply in (queued, under_way):
        with pytest.raises(DeadlineExceededError, match="did not answer in time"):
            reply.result(0)


async def test_tasks_have_deadlines() -> None:
    """A task needs no thread to be told that its time is up."""
    scene = Scene(call_timeout_s=_BRIEF_S)
    scene.transport.freeze(0)
    resolved, written = scene.router.resolve(KEY, [AWAY]), scene.router.set(KEY, HOME)
    answer = await resolved
    assert (answer.source, answer.reason) == (ResolutionSource.PROVIDED, FallbackReason.UNAVAILABLE)
    with pytest.raises(DeadlineExceededError):
        await written


def test_what_is_past_its_deadline_may_still_be_carried_out() -> None:
    """When the partition goes on, it does what it was sent; what was still queued was never sent."""
    scene = Scene(call_timeout_s=_BRIEF_S)
    scene.transport.freeze(0)
    sent, queued = scene.router.set(KEY, HOME), scene.router.set("tg:bot:other", HOME)
    for reply in (sent, queued):
        with pytest.raises(DeadlineExceededError):
            reply.result()
    scene.transport.thaw(0)
    assert scene.router.resolve(KEY, [AWAY]).result().route == HOME
    assert scene.router.get("tg:bot:other").result() is None
    with pytest.raises(DeadlineExceededError):
        sent.result()


@pytest.mark.parametrize("kind", [Scene, lambda **given: _connected(LosingTransport, **given)])
def test_one_that_answers_no_ping_is_down(kind: Callable[..., Stage[Any]]) -> None:
    """Late, and deaf to pings, it counts as down: what waits is unavailable, new calls fail at once."""
    scene = kind(call_timeout_s=_LONG_ENOUGH_S)
    scene.router.set(KEY, HOME).result()
    waiting = _stop(scene)
    with pytest.raises(
        PartitionUnavailableError, match="it stopped answering, and did not come back in time"
    ):
        waiting.result()
    with pytest.raises(PartitionUnavailableError, match="it has not answered for"):
        scene.router.set(KEY, AWAY).result(0)
    assert scene.router.resolve(KEY, [AWAY]).result(0).reason is FallbackReason.UNAVAILABLE
    _go_on(scene)
    wait_until(lambda: _answers(scene))  # although nobody waited any more


def test_one_that_answers_pings_is_only_busy() -> None:
    """A partition that is late but alive is waited for to the end of each call's time."""
    stage = Stage(LosingTransport, call_timeout_s=1.0)
    stage.router.connect()
    stage.transport.losing = True
    with pytest.raises(DeadlineExceededError, match="partition 0: it is busy"):
        stage.router.set(KEY, HOME).result()
    assert stage.transport.asked[0] >= 2


def test_the_others_do_not_wait_for_it() -> None:
    """A batch call over several partitions waits for the frozen one alone, and no longer than its time."""
    scene = Scene(partitions=2, call_timeout_s=_BRIEF_S)
    up, stopped = key_on(0, 2), key_on(1, 2)
    scene.transport.freeze(1)
    written = scene.router.set_many([(stopped, HOME), (up, HOME)]).result()
    assert [result.outcome for result in written] == [SetOutcome.UNAVAILABLE, SetOutcome.STORED]
    answers = scene.router.resolve_many([stopped, up]).result()
    assert [answer.reason for answer in answers] == [FallbackReason.UNAVAILABLE, None]


def test_it_dies_of_its_frost() -> None:
    """A frozen partition that is killed and restarted serves again, and is told what it missed."""
    scene = Scene()
    scene.transport.freeze(0)
    replies = [scene.router.set(KEY, HOME), scene.router.set(KEY, AWAY)]
    scene.transport.kill(0)
    scene.transport.revive(0)
    assert [reply.result().outcome for reply in replies] == [SetOutcome.STORED] * 2


async def test_control_calls_have_deadlines() -> None:
    """Stats of a router say that a frozen partition is not available; nobody waits for ever."""
    scene = Scene(partitions=2, call_timeout_s=_BRIEF_S)
    scene.transport.freeze(1)
    stats = await scene.router.stats()
    assert [each.available for each in stats.partitions] == [True, False]
    scene.transport.thaw(1)
    stats = await scene.router.stats()
    assert [each.available for each in stats.partitions] == [True, True]


def test_control_calls_have_deadlines_in_threads() -> None:
    """The same without an event loop; a partition that dies meanwhile is not available either."""
    scene = Scene(partitions=2, call_timeout_s=_BRIEF_S)
    scene.transport.freeze(1)
    assert [each.available for each in scene.router.stats().result().partitions] == [True, False]
    asked = scene.router.stats()
    scene.transport.kill(1)
    assert [each.available for each in asked.result().partitions] == [True, False]
    scene.transport.revive(1)
    scene.router.stats()  # nobody need wait for it
    assert [each.available for each in scene.router.stats().result().partitions] == [True, True]


async def test_a_task_hears_that_it_goes_on() -> None:
    """What a task awaits from a frozen partition comes when it goes on."""
    scene = Scene()
    scene.transport.freeze(0)
    written, resolved, stats = scene.router.set(KEY, HOME), scene.router.resolve(KEY), scene.router.stats()
    scene.transport.thaw(0)
    assert (await written).outcome is SetOutcome.STORED
    assert (await resolved).route == HOME
    assert (await stats).partitions[0].available
    await until(lambda: scene.transport.sent[0] == 2)


def _connected(kind: Any, **settings: Any) -> Stage[Any]:
    stage: Stage[Any] = Stage(kind, **settings)
    stage.router.connect()
    return stage


def _stop(scene: Stage[Any]) -> Reply[Any]:
    """The partition stops; a call that it has not answered."""
    if isinstance(scene.transport, LosingTransport):
        scene.transport.losing = True
        reply = scene.router.set(KEY, HOME)
        scene.transport.kill(0)
        return reply
    scene.transport.freeze(0)
    return scene.router.set(KEY, HOME)


def _go_on(scene: Stage[Any]) -> None:
    if isinstance(scene.transport, LosingTransport):
        scene.transport.losing = False
        scene.transport.revive(0)
    else:
        scene.transport.thaw(0)


def _answers(scene: Stage[Any]) -> bool:
    try:
        scene.router.get(KEY).result()
    except RouterError:
        return False
    return True
