"""Calls come in as their callers made them, in whatever order they arrive."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.gateway.arrivals import Arrivals, CallId


def enter(order: list[int], calls: list[CallId], *, patience_s: float = 60.0) -> list[int]:
    """The numbers of calls as they come in, each made after the one before it, arriving in this order."""
    entered: list[int] = []

    async def call(arrivals: Arrivals, number: int) -> None:
        await arrivals.come_in(calls[number], calls[number - 1] if number else None)
        entered.append(number)

    async def play() -> None:
        arrivals = Arrivals(1_000, patience_s)
        await asyncio.gather(*(call(arrivals, number) for number in order))
        assert not arrivals._awaited

    asyncio.run(play())
    return entered


@given(order=st.permutations(range(12)))
def test_any_order(order: list[int]) -> None:
    """However they arrive, a caller's calls come in as they were made."""
    assert enter(order, [("a", number) for number in range(12)]) == list(range(12))


def test_callers_do_not_wait_for_each_other() -> None:
    """A call without a predecessor is in at once."""
    assert enter([0], [("a", 0)]) == [0]
    shuffled = list(range(50))
    Random(7).shuffle(shuffled)
    assert enter(shuffled, [("a", number) for number in range(50)]) == list(range(50))


async def test_lost_predecessor() -> None:
    """A predecessor that never comes is waited for only so long."""
    arrivals = Arrivals(10, 0.01)
    await arrivals.come_in(("a", 1), ("a", 0))
    await arrivals.come_in(("a", 2), ("a", 1))


async def test_cancelled_while_waiting() -> None:
    """Who gives up waiting is forgotten; the one waited for comes in as if nobody had waited."""
    arrivals = Arrivals(10, 60.0)
    waiting = asyncio.create_task(arrivals.come_in(("a", 1), ("a", 0)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await arrivals.come_in(("a", 0), None)
    assert not arrivals._awaited
