"""Time budgets: what policies, handlers, senders and whole messages are given, and not more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_GRACE_S = 1.0  # for a coroutine to end itself once it is cancelled; one that does not is left behind

T = TypeVar("T")


class OverBudgetError(Exception):
    """It did not finish within its time, and was cancelled."""


class CancelledItselfError(Exception):
    """It raised ``CancelledError`` though nobody cancelled it."""


async def within(budget_s: float, call: Callable[[], Awaitable[T]], *, grace_s: float = _GRACE_S) -> T:
    """What a call returns, if it does within a number of seconds.

    Unlike ``asyncio.wait_for`` it tells a call that ran out of time from one that raises
    ``TimeoutError``, never swallows the caller's own cancellation, and is over within
    ``budget_s + grace_s`` even when the call ignores that it is cancelled. A call that finishes while it
    is being cancelled has finished: its result counts.

    Raises:
        OverBudgetError: it ran out of time.
        CancelledItselfError: it was cancelled, and not by us.
        Exception: whatever the call raises.
    """
    task = asyncio.ensure_future(_called(call))
    try:
        done, _ = await asyncio.wait({task}, timeout=budget_s)
        if not done:
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=grace_s)
            if not done or task.cancelled() or task.exception() is not None:
                raise OverBudgetError(f"not done within {budget_s:g} s")
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=grace_s)
        raise
    finally:
        task.add_done_callback(_forget)
    if task.cancelled():
        raise CancelledItselfError("it cancelled itself")
    return task.result()


class Lifetime:
    """Cancels the task that makes it when its time is over, until it is ended.

    Cheaper than ``within``, where what runs is our own: the task itself must tell this cancellation from
    any other, by ``over``.
    """

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end_it)
        self.over = False

    def end(self) -> None:
        """It is not wanted any more."""
        self._timer.cancel()

    def _end_it(self) -> None:
        self.over = True
        self._task.cancel()


async def _called(call: Callable[[], Awaitable[T]]) -> T:
    """The call inside a task: what it raises before there is anything to await counts as its own."""
    return await call()


def _forget(task: asyncio.Future[T]) -> None:
    """Nobody asks what a task left behind came to."""
    if not task.cancelled():
        task.exception()
