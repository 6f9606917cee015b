"""Many messages at once: order, bounds, time, cancellation and closing."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from ray_router.errors import InvalidCallError, InvalidKeyError, InvalidRouteError
from ray_router.gateway import (
    AttemptOutcome,
    GatewayClosedError,
    GatewayOverloadedError,
    NoSenderError,
    OutboundGateway,
    Priority,
    Sender,
    SendOutcome,
)
from ray_router.model import PressureLevel
from ray_router.testing import local_router

from .scene import HERE, KEY, Scene, turns, until
from .senders import ScriptedSender, job

OTHER = "tg:bot:other"


async def started(*sends: Any) -> list[asyncio.Task[Any]]:
    """Sends that have been accepted, or refused."""
    tasks = [asyncio.create_task(send) for send in sends]
    await turns(3)
    return tasks


async def test_order_within_a_session() -> None:
    """Messages leave in the order of the calls, though the first take longest."""
    scene = Scene()
    await scene.knows(HERE)
    scripts = [["retryable", "pause"], ["pause"], []]
    results = await asyncio.gather(
        *(scene.gateway.send(KEY, job(number, {"here": scripts[number % 3]})) for number in range(30))
    )
    assert scene.sender.delivered["here"] == list(range(30))
    assert [result.message_id for result in results] == [str(number + 1) for number in range(30)]


async def test_a_failed_message_holds_nobody_up() -> None:
    """The next of the session goes when the one before has failed."""
    scene = Scene()
    await scene.knows(HERE)
    first, second = await asyncio.gather(
        scene.gateway.send(KEY, job(1, {"here": ["refused"]})), scene.gateway.send(KEY, job(2))
    )
    assert (first.outcome, second.outcome) == (SendOutcome.MESSAGE_REFUSED, SendOutcome.DELIVERED)


async def test_sessions_do_not_wait_for_each_other() -> None:
    """A message that waits for one of another session is not in its way."""
    scene = Scene()
    await scene.router.set_many([(KEY, HERE), (OTHER, HERE)])
    results = await asyncio.gather(
        scene.gateway.send(KEY, job(1, {"here": ["wait:gate"]})),
        scene.gateway.send(OTHER, job(2, {"here": ["open:gate"]})),
    )
    assert all(results)
    assert scene.sender.delivered["here"] == [2, 1]


async def test_waiting_is_shown() -> None:
    """How long a message waited for its session's earlier ones is on the result."""
    scene = Scene()
    await scene.knows(HERE)
    first, second = await asyncio.gather(
        scene.gateway.send(KEY, job(1, {"here": ["retryable:7"]})), scene.gateway.send(KEY, job(2))
    )
    assert first.waited_s == 0.0
    assert second.waited_s == pytest.approx(first.elapsed_s) == second.elapsed_s


async def test_bounded_concurrency() -> None:
    """No more senders are at work at once than allowed; one that waits for its retry is not at work."""

    class Counting(ScriptedSender):
        at_work = most = 0

        async def _play(self, step: str, detail: str) -> Any:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
            try:
                return await super()._play(step, detail)
            finally:
                self.at_work -= 1

    counting = Counting()
    scene = Scene(senders={"tg": counting}, max_concurrency=3)
    keys = [f"tg:bot:{number}" for number in range(20)]
    await scene.router.set_many([(key, HERE) for key in keys])
    sends = [
        scene.gateway.send(key, job(number, {"here": ["pause", "retryable"][number % 2 :]}))
        for number, key in enumerate(keys)
    ]
    assert all(await asyncio.gather(*sends))
    assert counting.most == 3


async def test_retries_of_one_session_leave_room_for_another() -> None:
    """With one sender at work at a time, a session that waits for its retry does not keep it."""
    scene = Scene(max_concurrency=1)
    await scene.router.set_many([(KEY, HERE), (OTHER, HERE)])
    asleep, held = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await held.wait()

    gateway = OutboundGateway(
        scene.router, {"tg": scene.sender}, settings=scene.gateway.settings, sleep=sleep
    )
    (waiting,) = await started(gateway.send(KEY, job(1, {"here": ["retryable"]})))
    await asleep.wait()
    assert await gateway.send(OTHER, job(2))
    held.set()
    assert await waiting


async def test_full() -> None:
    """A full gateway says so at once, per session and in total, and lets in again when there is room."""
    scene = Scene(max_pending=3, max_pending_per_session=2)
    await scene.router.set_many([(KEY, HERE), (OTHER, HERE), ("tg:bot:third", HERE)])
    tasks = await started(
        scene.gateway.send(KEY, job(1, {"here": ["wait:gate"]})),
        scene.gateway.send(KEY, job(2)),
    )
    with pytest.raises(GatewayOverloadedError, match="2 messages of its session are pending"):
        await scene.gateway.send(KEY, job(3))
    tasks += await started(scene.gateway.send(OTHER, job(4, {"here": ["wait:gate"]})))
    with pytest.raises(GatewayOverloadedError, match="3 messages are pending; the limit is 3"):
        await scene.gateway.send("tg:bot:third", job(5), priority=Priority.HIGH)
    stats = scene.gateway.stats()
    assert (stats.pending, stats.sessions, stats.refused, stats.level) == (3, 2, 2, PressureLevel.SHED)
    await scene.sender.send(HERE, job(6, {"here": ["open:gate"]}))
    assert all(await asyncio.gather(*tasks))
    assert scene.gateway.stats().pending == 0
    assert await scene.gateway.send("tg:bot:third", job(7))


async def test_priorities_under_pressure() -> None:
    """As it fills up, low priority is refused first, then normal of a busy session, then all normal."""
    scene = Scene(max_pending=20, max_concurrency=20)
    keys = [f"tg:bot:{number}" for number in range(20)]
    await scene.router.set_many([(key, HERE) for key in keys])
    tasks: list[asyncio.Task[Any]] = []

    async def fill(upto: int) -> None:
        gate = {"here": ["wait:gate"]}
        more = [
            scene.gateway.send(keys[number], job(number, gate), priority=Priority.HIGH)
            for number in range(len(tasks), upto)
        ]
        tasks.extend(await started(*more))

    async def refused(priority: Priority, key: str) -> bool:
        task = (await started(scene.gateway.send(key, job(99), priority=priority)))[0]
        if task.done():
            assert isinstance(task.exception(), GatewayOverloadedError)
            return True
        task.cancel()
        await asyncio.wait({task})
        return False

    busy, idle = keys[0], "tg:bot:idle"
    await scene.router.set(idle, HERE)
    scene.sender._steps[99, "here"] = 0
    await fill(13)
    assert not await refused(Priority.LOW, busy)
    await fill(14)
    assert await refused(Priority.LOW, busy)
    assert not await refused(Priority.NORMAL, busy)
    await fill(17)
    assert await refused(Priority.NORMAL, busy)
    assert (await scene.gateway.send(idle, job(98))).delivered
    await fill(19)
    assert await refused(Priority.NORMAL, idle)
    assert not await refused(Priority.HIGH, busy)
    assert scene.gateway.stats().level is PressureLevel.SHED
    await scene.sender.send(HERE, job(97, {"here": ["open:gate"]}))
    assert all(await asyncio.gather(*tasks))


async def test_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is not delivered in its time is over, with what is known of it."""
    scene = Scene(send_timeout_s=60)
    await scene.knows(HERE)
    sends = await started(
        scene.gateway.send(KEY, job(1, {"here": ["hang"]})), scene.gateway.send(KEY, job(2))
    )
    while not scene.sender.calls:
        await turns()
    loop = asyncio.get_running_loop()
    in_a_minute = loop.time() + 60
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", lambda: in_a_minute)
        await turns()
    stuck, behind = await asyncio.gather(*sends)
    assert (stuck.outcome, stuck.problem) == (SendOutcome.EXPIRED, "not delivered within 60 s")
    assert [each.outcome for each in stuck.attempts] == [AttemptOutcome.CUT_SHORT]
    assert stuck.unsure
    assert stuck.reports_written == 0
    assert behind.outcome in (SendOutcome.EXPIRED, SendOutcome.DELIVERED)
    assert scene.gateway.stats().pending == 0


async def test_expired_before_its_turn() -> None:
    """A message whose time ran out in the queue was never tried, and leaves the queue."""
    scene = Scene(send_timeout_s=0.02)
    await scene.knows(HERE)
    held = scene.gateway._lanes.admit(KEY, Priority.NORMAL, PressureLevel.NORMAL)
    result = await scene.gateway.send(KEY, job(1))
    assert (result.outcome, result.attempts, result.unsure) == (SendOutcome.EXPIRED, (), False)
    held.leave()
    assert scene.gateway.stats().sessions == 0


async def test_attempt_times_out_and_is_retried() -> None:
    """A sender that does not answer is asked again; the result says that the first may have worked."""
    scene = Scene(attempt_timeout_s=0.01)
    await scene.knows(HERE)
    result = await scene.gateway.send(KEY, job(1, {"here": ["hang"]}))
    assert [each.outcome for each in result.attempts] == [AttemptOutcome.TIMED_OUT, AttemptOutcome.DELIVERED]
    assert result.delivered and result.unsure


@pytest.mark.parametrize("progress", range(25))
async def test_cancelled(progress: int) -> None:
    """A caller that is cancelled, whenever it is, takes its message out and leaves nothing behind."""
    scene = Scene()
    await scene.knows(HERE)
    scripts = [["retryable", "pause"], ["pause", "pause"], []]
    tasks = [
        asyncio.create_task(scene.gateway.send(KEY, job(number, {"here": scripts[number]})))
        for number in range(3)
    ]
    await turns(progress)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert tasks[1].cancelled() or tasks[1].result().delivered
    assert tasks[0].result().delivered and tasks[2].result().delivered
    stats = scene.gateway.stats()
    assert (stats.pending, stats.sessions) == (0, 0)
    assert not scene.gateway._tasks


async def test_cancelling_the_caller_cancels_the_sender() -> None:
    """What is cancelled has ended when the caller is told."""
    begun, ended = asyncio.Event(), []

    class Hanging:
        async def send(self, route: Any, payload: Any) -> Any:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(payload)

    scene = Scene(senders={"tg": Hanging()})
    await scene.knows(HERE)
    (task,) = await started(scene.gateway.send(KEY, "hello"))
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert ended == ["hello"]


async def test_a_sender_that_will_not_be_cancelled() -> None:
    """It is left behind; its session goes on, and so does everything else."""
    release = asyncio.Event()

    class Stubborn(ScriptedSender):
        async def send(self, route: Any, payload: Any) -> Any:
            while payload["number"] == 1 and not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
            return await super().send(route, payload)

    scene = Scene(senders={"tg": Stubborn()}, attempt_timeout_s=0.01, max_retries=0)
    await scene.knows(HERE)
    first = await scene.gateway.send(KEY, job(1))
    assert (first.outcome, first.unsure) == (SendOutcome.RETRIES_EXHAUSTED, True)
    scene.clock.advance(60.0)
    assert await scene.gateway.send(KEY, job(2))
    release.set()
    await turns()


async def test_closing_drains() -> None:
    """What was accepted is sent; what comes after is refused, repeats apart."""
    scene = Scene()
    await scene.knows(HERE)
    tasks = await started(
        scene.gateway.send(KEY, job(1, {"here": ["wait:gate"]})), scene.gateway.send(KEY, job(2), (), "two")
    )
    closing = asyncio.create_task(scene.gateway.aclose())
    await turns()
    with pytest.raises(GatewayClosedError, match="the gateway is closed; nothing was sent") as caught:
        await scene.gateway.send(KEY, job(3))
    assert not caught.value.sent
    await scene.sender.send(HERE, job(4, {"here": ["open:gate"]}))
    assert await closing == 0
    assert all(await asyncio.gather(*tasks))
    assert await scene.gateway.send(KEY, job(2), (), "two")
    assert await scene.gateway.aclose() == 0


async def test_closing_is_bounded() -> None:
    """What does not end in time is cut short, and its caller is told so."""
    scene = Scene()
    await scene.knows(HERE)
    tasks = await started(
        scene.gateway.send(KEY, job(1, {"here": ["hang"]})), scene.gateway.send(KEY, job(2), (), "two")
    )
    assert await scene.gateway.aclose(0.0) == 2
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(error, GatewayClosedError)
        assert error.sent
        assert "it may have been sent" in str(error)
    assert scene.gateway.stats().pending == 0


async def test_as_a_context() -> None:
    """Leaving the block closes it."""
    scene = Scene()
    async with scene.gateway as gateway:
        assert gateway is scene.gateway
    with pytest.raises(GatewayClosedError):
        await scene.gateway.send(KEY, job(1))


async def test_cut_short_while_reporting() -> None:
    """What was delivered before it was cut short was delivered; the report's fate is not known."""
    scene = Scene()
    await scene.knows(HERE)
    report = scene.router.report
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def slow(*arguments: Any, **more: Any) -> Any:
        report(*arguments, **more)
        return never

    scene.router.report = slow  # type: ignore[method-assign]
    (task,) = await started(scene.gateway.send(KEY, job(1)))
    await until(lambda: scene.sender.delivered["here"])
    await turns()
    assert await scene.gateway.aclose(0.0) == 0
    assert (await task).delivered
    assert (await task).reports_lost == 1


async def test_bad_input() -> None:
    """What cannot be accepted names its field, and takes no place."""
    scene = Scene()
    gateway = scene.gateway
    with pytest.raises(InvalidKeyError):
        await gateway.send("tg", job(1))
    with pytest.raises(InvalidRouteError, match=r"fallbacks\[0\]"):
        await gateway.send(KEY, job(1), ["room"])  # type: ignore[list-item]
    with pytest.raises(InvalidCallError, match="fallbacks"):
        await gateway.send(KEY, job(1), HERE)  # type: ignore[arg-type]
    with pytest.raises(InvalidCallError, match="idempotency_key: must be a str"):
        await gateway.send(KEY, job(1), (), 7)  # type: ignore[arg-type]
    for key in ("", "k" * 513):
        with pytest.raises(InvalidCallError, match="idempotency_key: must be 1 to 512 characters"):
            await gateway.send(KEY, job(1), (), key)
    for wrong in (7, True, "high"):
        with pytest.raises(InvalidCallError, match="priority: must be one of LOW, NORMAL, HIGH"):
            await gateway.send(KEY, job(1), priority=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidCallError, match="min_confidence"):
        await gateway.send(KEY, job(1), min_confidence="sure")  # type: ignore[arg-type]
    with pytest.raises(InvalidCallError, match="widest_scope"):
        await gateway.send(KEY, job(1), widest_scope=9)  # type: ignore[arg-type]
    with pytest.raises(InvalidCallError, match="allow_stale"):
        await gateway.send(KEY, job(1), allow_stale=1)  # type: ignore[arg-type]
    with pytest.raises(NoSenderError, match="there is no sender for channel 'irc'") as caught:
        await gateway.send("irc:bot:room", job(1))
    assert caught.value.channel == "irc"
    assert gateway.stats().pending == 0


async def test_senders_by_function() -> None:
    """Senders may be found by a function, which says None for none."""
    sender = ScriptedSender()

    def find(channel: str) -> Sender | None:
        return sender if channel == "tg" else None

    gateway = OutboundGateway(local_router(), find)
    assert await gateway.send(KEY, job(1), [HERE])
    with pytest.raises(NoSenderError):
        await gateway.send("irc:bot:room", job(1))


async def test_nobody_waits_any_more(caplog: pytest.LogCaptureFixture) -> None:
    """An error whose caller is gone is not reported a second time by the event loop."""
    scene = Scene()
    (task,) = await started(scene.gateway.send(KEY, job(1), [HERE] * 33))
    (sending,) = scene.gateway._tasks
    task.cancel()
    await asyncio.wait({task, sending})
    del task, sending
    gc.collect()
    assert "never retrieved" not in caplog.text
