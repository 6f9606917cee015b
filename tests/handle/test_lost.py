"""A partition that dies: what was under way is sent again, what comes meanwhile fails at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ray_router import (
    Delivery,
    FallbackReason,
    PartitionUnavailableError,
    Reply,
    ReportOutcome,
    ResolutionSource,
    RouterHandle,
    SessionKey,
    SetOutcome,
)
from ray_router.testing import FaultyTransport, HeldTicket, wait_until
from ray_router.transport import LocalTransport, PartitionBroken, PartitionLost, Ticket

from .scene import AWAY, ELSEWHERE, HOME, LosingTransport, Scene, Stage, in_threads, key_on

KEY = "tg:bot:room"


class Deaf(FaultyTransport):
    """While ``deaf``, batches are carried out, and their answers are lost on the way."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.deaf = False

    def submit(self, partition: int, batch: Any) -> Ticket[Any]:
        """Carry it out, and say that it was lost."""
        answered = super().submit(partition, batch)
        if not self.deaf:
            return answered
        lost: HeldTicket[Any] = HeldTicket()
        lost.settle(PartitionLost("its answer was lost"))
        return lost


class Returned(FaultyTransport):
    """While ``broken``, nothing can be sent."""

    broken = False

    def submit(self, partition: int, batch: Any) -> Ticket[Any]:
        """Send it, or say at once that it cannot be."""
        if self.broken:
            raise PartitionBroken("it cannot be sent")
        return super().submit(partition, batch)


class TwoLives(FaultyTransport):
    """Calls go to a partition's former life instead of its present one while ``former``."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.zombie = LocalTransport(inner.open().wait(0).config)
        self.former = False
        self.refused = 0

    def submit(self, partition: int, batch: Any) -> Ticket[Any]:
        """Send it to the life that is listening."""
        if not self.former:
            return super().submit(partition, batch)
        self.refused += 1
        return self.zombie.submit(partition, batch)


def test_a_call_to_the_dead_waits_for_the_next_life() -> None:
    """A call that finds its partition dead is answered once it lives again, without anyone's help."""
    scene = Scene()
    scene.transport.kill(0)
    reply = scene.router.set(KEY, HOME)
    scene.transport.revive(0)
    assert reply.result().outcome is SetOutcome.STORED
    assert scene.router.resolve(KEY).result().route == HOME


async def test_a_task_waits_for_the_next_life() -> None:
    """The same holds for a task, with nobody's thread to look after it."""
    scene = Scene()
    scene.transport.kill(0)
    reply = scene.router.set(KEY, HOME)
    scene.transport.revive(0)
    assert (await reply).outcome is SetOutcome.STORED


def test_what_was_under_way_is_sent_again_in_order() -> None:
    """A batch whose partition died is sent again, ahead of what had queued behind it."""
    scene = Scene()
    scene.transport.freeze(0)
    first = scene.router.set(KEY, HOME)
    second, third = scene.router.set(KEY, HOME), scene.router.set(KEY, HOME)
    scene.transport.kill(0)
    scene.transport.revive(0)
    outcomes = [reply.result().outcome for reply in (third, second, first)]
    assert outcomes == [SetOutcome.REFRESHED, SetOutcome.REFRESHED, SetOutcome.STORED]


def test_a_retry_carries_the_same_stamps() -> None:
    """What is sent again is as old as it was when it was submitted, however late it arrives."""
    scene = Scene()
    submitted_at = scene.clock()
    scene.transport.kill(0)
    written = scene.router.set(KEY, HOME)
    scene.clock.advance(300)
    scene.transport.revive(0)
    written.result()
    record = scene.router.get(KEY).result()
    assert record is not None
    assert (record.observed_at, record.age_s) == (submitted_at, 300)


def test_a_late_retry_does_not_overrule_what_came_since() -> None:
    """A write that is sent again loses to one that was submitted after it and arrived before."""
    scene = Stage(Deaf)
    other = scene.another()
    scene.router.connect()
    scene.transport.deaf = True
    delayed = scene.router.set(KEY, HOME)
    scene.transport.deaf = False
    scene.clock.advance(10)
    other.set(KEY, AWAY).result()
    assert delayed.result().outcome is SetOutcome.REFRESHED
    assert scene.router.resolve(KEY).result().route == AWAY


def test_what_was_carried_out_already_changes_nothing() -> None:
    """A call that was carried out and whose answer was lost is carried out again to the same effect."""
    scene = Stage(Deaf)
    scene.router.connect()

    def twice(submit: Callable[[], Reply[Any]]) -> Any:
        scene.clock.advance(10)
        scene.transport.deaf = True
        reply = submit()
        scene.transport.deaf = False
        return reply.result()

    assert twice(lambda: scene.router.set(KEY, HOME)).outcome is SetOutcome.REFRESHED
    assert twice(lambda: scene.router.set(KEY, AWAY)).outcome is SetOutcome.REFRESHED
    twice(lambda: scene.router.report(KEY, AWAY, Delivery.TRANSIENT))
    assert scene.router.resolve(KEY).result().route == HOME
    scene.clock.advance(1.5 * scene.config.backoff_first_s)  # the second failure in a row costs twice that
    assert scene.router.resolve(KEY).result().route == AWAY
    moved = twice(lambda: scene.router.report(KEY, AWAY, Delivery.MOVED, moved_to=ELSEWHERE))
    assert moved.outcome is ReportOutcome.APPLIED
    record = scene.router.get(KEY).result()
    assert record is not None
    assert (record.route, sorted(map(str, record.alternates))) == (ELSEWHERE, sorted(map(str, [AWAY, HOME])))
    assert twice(lambda: scene.router.delete(KEY)) is False  # the first time it was there
    assert scene.router.get(KEY).result() is None


def test_while_it_is_down_new_calls_fail_at_once() -> None:
    """Known to be down, a partition is not called: whoever asks is answered without waiting."""
    scene = Scene()
    scene.transport.kill(0)
    waiting = scene.router.set(KEY, HOME)
    sent = dict(scene.transport.sent)
    assert scene.router.resolve(KEY, [AWAY]).result(0).reason is FallbackReason.UNAVAILABLE
    for reply in (scene.router.resolve(KEY), scene.router.set(KEY, AWAY), scene.router.delete(KEY)):
        with pytest.raises(PartitionUnavailableError, match="it has not answered for"):
            reply.result(0)
    assert scene.transport.sent == sent
    scene.transport.revive(0)
    assert waiting.result().outcome is SetOutcome.STORED


def test_it_is_back_without_help() -> None:
    """A partition that is down is pinged, and once it answers it is called again; nobody need wait for it."""
    scene = Scene(call_timeout_s=0.01)
    scene.transport.kill(0)
    with pytest.raises(PartitionUnavailableError):
        scene.router.set(KEY, HOME).result()
    wait_until(lambda: scene.transport.asked.get(0, 0) >= 2)
    scene.transport.revive(0)
    wait_until(lambda: scene.router.resolve(KEY, [AWAY]).result().reason is not FallbackReason.UNAVAILABLE)
    assert scene.router.set(KEY, HOME).result().outcome is SetOutcome.STORED


def test_a_deadline_passes_while_it_is_down() -> None:
    """A call whose partition does not come back in time is answered from its fallbacks, or fails."""
    scene = Scene(call_timeout_s=0.02)
    scene.transport.kill(0)
    resolved, written = scene.router.resolve(KEY, [AWAY]), scene.router.set(KEY, HOME)
    answer = resolved.result()
    assert (answer.source, answer.reason) == (ResolutionSource.PROVIDED, FallbackReason.UNAVAILABLE)
    with pytest.raises(PartitionUnavailableError):
        written.result()


def test_the_other_partitions_never_notice() -> None:
    """With one partition down, calls to the others are answered as ever, and only they are sent."""
    scene = Scene(partitions=4)
    scene.transport.kill(2)
    down = scene.router.set(key_on(2, 4), HOME)
    for partition in (0, 1, 3):
        assert scene.router.set(key_on(partition, 4), HOME).result().outcome is SetOutcome.STORED
    assert scene.transport.sent == {0: 1, 1: 1, 2: 1, 3: 1}
    scene.transport.revive(2)
    assert down.result().outcome is SetOutcome.STORED


def test_a_default_is_written_while_its_owner_is_down() -> None:
    """A default is acknowledged by the partitions that live; the others fetch it when they come back."""
    scene = Scene(partitions=3, call_timeout_s=0.02)
    key = SessionKey("tg", "bot")
    owner = scene.router.set(key, HOME).result().partition
    scene.transport.kill(owner)
    acknowledged = scene.router.set(key, AWAY).result()
    assert acknowledged.partition != owner
    assert acknowledged.outcome is SetOutcome.STORED
    scene.transport.revive(owner)
    wait_until(lambda: scene.router.resolve(key, [ELSEWHERE]).result().route == AWAY)


def test_a_former_life_is_fenced() -> None:
    """Whoever knows of a partition's next life writes nothing to the former, which may not know of it."""
    stage = Stage(TwoLives)
    stage.transport.revive(0)  # the second life
    stage.router.connect()
    stage.router.set(KEY, HOME).result()
    stage.transport.former = True
    reply = stage.router.set(KEY, AWAY)

    def let_it_go() -> None:
        wait_until(lambda: stage.transport.refused >= 3)  # sent again after each ping, and refused again
        stage.transport.former = False

    result, _ = in_threads([reply.result, let_it_go])
    assert result.outcome is SetOutcome.STORED
    assert stage.router.resolve(KEY).result().route == AWAY
    assert RouterHandle(stage.transport.zombie).get(KEY).result() is None


def test_a_batch_that_vanished_with_its_life_is_sent_again() -> None:
    """When a later life answers a ping, what the former was sent will not be answered any more."""
    stage = Stage(LosingTransport)
    stage.router.connect()
    stage.router.set(KEY, HOME).result()
    stage.transport.losing = True
    vanished, queued = stage.router.set(KEY, AWAY), stage.router.resolve(KEY)
    stage.transport.losing = False
    stage.transport.revive(0)
    assert vanished.result().outcome is SetOutcome.STORED
    assert queued.result().route == AWAY


def test_what_cannot_be_sent_fails_at_once() -> None:
    """A fault that trying again would not mend fails each call that meets it, queued ones too."""
    stage = Stage(Returned, max_batch=1)
    stage.router.connect()
    stage.transport.freeze(0)
    under_way = stage.router.set(KEY, HOME)
    queued = [stage.router.set(KEY, HOME) for _ in range(3)]
    stage.transport.broken = True
    stage.transport.thaw(0)
    assert under_way.result().outcome is SetOutcome.STORED
    for reply in queued:
        with pytest.raises(PartitionUnavailableError, match="it cannot be sent"):
            reply.result()
    stage.transport.broken = False
    assert stage.router.set(KEY, HOME).result().outcome is SetOutcome.REFRESHED


async def test_many_deaths() -> None:
    """However often a partition dies, what was submitted before it was known to be down is carried out."""
    scene = Scene()
    for _ in range(3):
        replies = [scene.router.set(KEY, HOME)]
        scene.transport.kill(0)
        replies.append(scene.router.set(KEY, AWAY))
        scene.transport.revive(0)
        for reply in replies:
            assert (await reply).outcome in {SetOutcome.STORED, SetOutcome.REFRESHED}
        assert (await scene.router.resolve(KEY)).route == AWAY
