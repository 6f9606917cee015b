"""``Reply``: one submission, two waits, as often as anybody likes."""

from __future__ import annotations

import asyncio
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from ray_router import DeadlineExceededError, PartitionUnavailableError, SetOutcome

from .scene import HOME, PATIENT_S, Scene, in_threads

KEY = "tg:bot:room"


def test_waiting_again_gives_the_same_answer() -> None:
    """A reply is not used up by waiting on it, and waiting asks nobody again."""
    scene = Scene()
    reply = scene.router.set(KEY, HOME)
    first = reply.result()
    assert first.outcome is SetOutcome.STORED
    assert [reply.result(), reply.result()] == [first, first]
    assert asyncio.run(_wait_for(reply)) == first
    assert scene.transport.sent == {0: 1}


def test_an_error_is_raised_at_each_wait() -> None:
    """An error is no more used up than an answer."""
    scene = Scene(call_timeout_s=0.01)
    scene.transport.kill(0)
    reply = scene.router.set(KEY, HOME)
    for _ in range(3):
        with pytest.raises(PartitionUnavailableError) as raised:
            reply.result()
        assert raised.value.partition == 0
    with pytest.raises(PartitionUnavailableError):
        asyncio.run(_wait_for(reply))


def test_many_threads_wait_on_one_reply() -> None:
    """Every thread that waits on a reply is given its answer, whichever of them received it."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    waiting = threading.Barrier(9)

    def wait() -> Any:
        waiting.wait()
        return reply.result()

    def thaw() -> Any:
        waiting.wait()
        scene.transport.thaw(0)
        return reply.result()

    results = in_threads([wait] * 8 + [thaw])
    assert {result.outcome for result in results} == {SetOutcome.STORED}
    assert scene.transport.sent == {0: 1}


async def test_many_tasks_wait_on_one_reply() -> None:
    """Every task of an event loop that awaits a reply is given its answer."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    waits = [asyncio.ensure_future(_wait_for(reply)) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any(wait.done() for wait in waits)
    scene.transport.thaw(0)
    results = await asyncio.gather(*waits)
    assert {result.outcome for result in results} == {SetOutcome.STORED}
    assert await reply == results[0]


def test_event_loops_and_threads_wait_on_one_reply() -> None:
    """Loops in different threads, and threads without one, may wait on the same reply at once."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    loops = [lambda: asyncio.run(_wait_for(reply))] * 3
    results = in_threads([*loops, reply.result, reply.result, lambda: _thaw_and_wait(scene, reply)])
    assert {result.outcome for result in results} == {SetOutcome.STORED}


def test_a_reply_has_no_truth_value() -> None:
    """A reply taken for its answer in a condition is an error that says what to do."""
    reply = Scene().router.get(KEY)
    with pytest.raises(TypeError, match=r"await it or call \.result\(\)"):
        bool(reply)
    assert reply.result() is None


def test_a_wait_may_be_limited() -> None:
    """A wait that runs out leaves the call under way: the next wait has its answer."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    for timeout_s in (0, 0.01):
        with pytest.raises(DeadlineExceededError, match=f"no answer within {timeout_s:g} s"):
            reply.result(timeout_s)
    scene.transport.thaw(0)
    assert reply.result(PATIENT_S).outcome is SetOutcome.STORED


async def test_an_awaiting_task_may_be_cancelled() -> None:
    """Giving up on awaiting leaves the call under way: the next wait has its answer."""
    scene = Scene()
    scene.transport.freeze(0)
    reply = scene.router.set(KEY, HOME)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_wait_for(reply), 0.001)
    scene.transport.thaw(0)
    assert (await reply).outcome is SetOutcome.STORED


async def test_blocking_a_running_loop_is_refused() -> None:
    """In a running event loop ``result`` raises at once, and the reply can still be awaited."""
    reply = Scene().router.set(KEY, HOME)
    with pytest.raises(RuntimeError, match="await the reply instead"):
        reply.result()
    assert (await reply).outcome is SetOutcome.STORED


@pytest.mark.parametrize(
    ("shell", "blocks"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["IPython imported, not run", "a terminal", "a notebook"],
)
async def test_a_notebook_may_block_its_own_loop(
    monkeypatch: pytest.MonkeyPatch, shell: object, blocks: bool
) -> None:
    """A kernel runs its cells inside an event loop, and ``result`` works there all the same."""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    reply = Scene().router.set(KEY, HOME)
    if blocks:
        assert reply.result().outcome is SetOutcome.STORED
    else:
        with pytest.raises(RuntimeError, match="await the reply instead"):
            reply.result()
    assert (await reply).outcome is SetOutcome.STORED


async def test_a_notebook_uses_both_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a kernel a reply whose batch was awaited in the loop may be waited for in its thread."""
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    scene = Scene()
    scene.transport.freeze(0)
    awaited, blocked = scene.router.set(KEY, HOME), scene.router.set(KEY, HOME)
    waiting = asyncio.ensure_future(_wait_for(awaited))
    await asyncio.sleep(0)
    thawing = threading.Timer(0.01, scene.transport.thaw, [0])
    thawing.start()
    assert blocked.result().outcome is SetOutcome.REFRESHED
    assert (await waiting).outcome is SetOutcome.STORED
    thawing.join()


async def _wait_for(reply: Any) -> Any:
    return await reply


def _thaw_and_wait(scene: Scene, reply: Any) -> Any:
    scene.transport.thaw(0)
    return reply.result()
