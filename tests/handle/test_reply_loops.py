"""Replies and event loops that end, stop, or are busy while an answer is on its way."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from ray_router import DeadlineExceededError, Reply, SetOutcome
from ray_router.testing import wait_until

from .scene import AWAY, HOME, HeldDoor, Scene, Stage

KEY = "tg:bot:room"


class ReopeningLoop(asyncio.SelectorEventLoop):
    """Looks open after it was closed, as a loop does to whoever asked just before."""

    def is_closed(self) -> bool:
        return False


async def give_up_on(reply: Reply[Any]) -> None:
    """Begin to await a reply, and stop."""
    waiting = asyncio.ensure_future(_wait_for(reply))
    await asyncio.sleep(0)
    waiting.cancel()


def test_an_answer_after_its_loop_has_closed() -> None:
    """A loop that closed with a call under way holds up neither that call nor those after it."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    asyncio.run(give_up_on(reply))
    scene.transport.thaw(0)
    assert reply.result().outcome is SetOutcome.STORED
    assert scene.router.set(KEY, AWAY).result().outcome is SetOutcome.STORED
    assert asyncio.run(_wait_for(scene.router.resolve(KEY))).route == AWAY


def test_nobody_waits_after_the_loop_has_closed() -> None:
    """What was queued is sent, and carried out, although the loop that submitted it is no more."""
    scene = Scene()
    scene.transport.freeze(0)
    replies = [scene.router.set(KEY, HOME), scene.router.set(KEY, AWAY)]
    asyncio.run(give_up_on(replies[1]))
    scene.transport.thaw(0)
    wait_until(lambda: scene.transport.sent[0] == 2)
    assert [reply.result().outcome for reply in replies] == [SetOutcome.STORED] * 2


def test_the_loop_closes_while_it_is_being_told() -> None:
    """A loop that closes between the look and the call is no different from one that was closed."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    loop = ReopeningLoop()
    loop.run_until_complete(give_up_on(reply))
    loop.close()
    scene.transport.thaw(0)
    assert reply.result().outcome is SetOutcome.STORED


def test_a_loop_that_closes_with_a_wait_in_it() -> None:
    """A task that is never finished does not disturb whoever settles what it waited for."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(_wait_for(reply))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    scene.transport.thaw(0)
    assert reply.result().outcome is SetOutcome.STORED
    assert not waiting.done()
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]  # it is left on purpose


def test_a_loop_that_stands_still() -> None:
    """A loop that is neither running nor closed is passed by: the courier receives its answers."""
    scene = Scene()
    scene.transport.freeze(0)
    first, second = scene.router.set(KEY, HOME), scene.router.set(KEY, AWAY)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(give_up_on(first))
    scene.transport.thaw(0)
    wait_until(lambda: scene.transport.sent[0] == 2)
    assert second.result().outcome is SetOutcome.STORED
    assert loop.run_until_complete(_wait_for(first)).outcome is SetOutcome.STORED
    loop.close()


def test_a_thread_need_not_wait_for_a_busy_loop() -> None:
    """A thread gets its answer although the loop that last awaited here is busy with other things."""
    scene = Scene()
    scene.transport.freeze(0)
    awaited, blocked = scene.router.set(KEY, HOME), scene.router.set(KEY, AWAY)
    begun, over = threading.Event(), threading.Event()

    async def be_busy() -> Any:
        waiting = asyncio.ensure_future(_wait_for(awaited))
        await asyncio.sleep(0)
        begun.set()
        over.wait()
        return await waiting

    outcomes: list[Any] = []
    busy = threading.Thread(target=lambda: outcomes.append(asyncio.run(be_busy())))
    busy.start()
    begun.wait()
    scene.transport.thaw(0)
    assert blocked.result().outcome is SetOutcome.STORED
    over.set()
    busy.join()
    assert outcomes[0].outcome is SetOutcome.STORED


def test_a_reply_moves_from_loop_to_loop() -> None:
    """A reply submitted in one loop may be awaited in another, and in a thread."""
    submitted = asyncio.run(_submit(Stage(HeldDoor)))
    assert asyncio.run(_wait_for(submitted)).outcome is SetOutcome.STORED
    assert submitted.result().outcome is SetOutcome.STORED


async def test_a_limit_on_waiting_for_the_router_itself() -> None:
    """``result(timeout_s)`` counts the time until the router is known as well."""
    stage = Stage(HeldDoor)
    reply = stage.router.set(KEY, HOME)
    with pytest.raises(DeadlineExceededError, match=r"no answer within 0\.01 s"):
        await asyncio.to_thread(reply.result, 0.01)
    stage.transport.let_in()
    assert (await asyncio.to_thread(reply.result)).outcome is SetOutcome.STORED
    assert (await reply).outcome is SetOutcome.STORED


async def _submit(stage: Stage[HeldDoor]) -> Reply[Any]:
    reply = stage.router.set(KEY, HOME)
    stage.transport.let_in()
    return reply


async def _wait_for(reply: Reply[Any]) -> Any:
    return await reply
