"""Time budgets for foreign coroutines."""

from __future__ import annotations

import asyncio

import pytest

from ray_router.budget import CancelledItselfError, OverBudgetError, within

SHORT_S = 0.005
LONG_S = 60.0


async def forever() -> None:
    await asyncio.Event().wait()


async def test_in_time() -> None:
    """What is done in time returns its result, or raises what it raised."""

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    async def fail() -> None:
        raise TimeoutError("its own")

    assert await within(LONG_S, work) == "done"
    with pytest.raises(TimeoutError, match="its own"):
        await within(LONG_S, fail)


async def test_raises_before_there_is_anything_to_await() -> None:
    """A call that fails before it gives a coroutine, or gives none, fails like any other."""

    def fail() -> asyncio.Future[None]:
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        await within(LONG_S, fail)
    with pytest.raises(TypeError):
        await within(LONG_S, lambda: None)  # type: ignore[arg-type,return-value]


async def test_over_budget() -> None:
    """What takes too long is cancelled, and has ended when this is said."""
    ended = []

    async def work() -> None:
        try:
            await forever()
        finally:
            ended.append(True)

    with pytest.raises(OverBudgetError, match=r"not done within 0\.005 s"):
        await within(SHORT_S, work)
    assert ended == [True]


async def test_finishes_while_being_cancelled() -> None:
    """What makes it in its last moment has made it; what fails then ran out of time."""

    async def save() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            return "saved"
        return "never"

    async def fail() -> None:
        try:
            await forever()
        finally:
            raise OSError("while closing")

    assert await within(SHORT_S, save) == "saved"
    with pytest.raises(OverBudgetError):
        await within(SHORT_S, fail)


async def test_ignores_its_cancellation() -> None:
    """What will not end is left behind."""
    release = asyncio.Event()
    left = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        left.set()
        raise OSError("nobody will know")

    with pytest.raises(OverBudgetError):
        await within(SHORT_S, stubborn, grace_s=SHORT_S)
    release.set()
    await left.wait()
    await asyncio.sleep(0)


async def test_cancels_itself() -> None:
    """A call that raises CancelledError unasked is not the caller's cancellation."""

    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledItselfError):
        await within(LONG_S, work)


@pytest.mark.parametrize("turns", range(6))
async def test_cancelled_from_outside(turns: int) -> None:
    """Cancelling the caller cancels the call, whenever it comes, even with the result at hand."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        finally:
            ended.append(True)

    task = asyncio.create_task(within(LONG_S, work))
    for _ in range(turns):
        await asyncio.sleep(0)
    was_over = task.done()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() is not was_over
    assert ended in ([True], [])
