"""When it is tried again: the bounds of pauses and of their number."""

from __future__ import annotations

import asyncio
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ray_router.gateway import AttemptOutcome, Delivered, GatewaySettings, Retryable
from ray_router.gateway.attempt import Tried
from ray_router.gateway.retry import Retries
from ray_router.testing import ManualClock

BUSY = Tried(Retryable(), AttemptOutcome.RETRYABLE)
DONE = Tried(Delivered(), AttemptOutcome.DELIVERED)


def play(
    outcomes: list[Tried], *, within_s: float = 1e6, seed: int = 0, **settings: float
) -> tuple[Tried, list[int], list[float]]:
    """What comes of a course of attempts: the last, the numbers they were told, the pauses between them."""
    clock = ManualClock(0.0)
    told: list[int] = []
    slept: list[float] = []

    async def attempt(retry: int) -> Tried:
        told.append(retry)
        clock.advance(1.0)
        return outcomes[min(retry, len(outcomes) - 1)]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    retries = Retries(GatewaySettings.model_validate(settings), Random(seed), clock, sleep)
    return asyncio.run(retries.until_final(attempt, within_s)), told, slept


def test_final_at_once() -> None:
    """What is final is not tried again."""
    assert play([DONE]) == (DONE, [0], [])


def test_until_it_works() -> None:
    """Temporary failures are retried until one attempt says something else."""
    last, told, slept = play([BUSY, BUSY, DONE])
    assert (last, told, len(slept)) == (DONE, [0, 1, 2], 2)


def test_bounded() -> None:
    """After the last allowed retry the failure stands."""
    last, told, _ = play([BUSY], max_retries=4)
    assert (last, told) == (BUSY, [0, 1, 2, 3, 4])
    assert play([BUSY], max_retries=0)[1] == [0]


@given(seed=st.integers(), first_s=st.floats(0.01, 10), factor=st.floats(1, 100), retries=st.integers(0, 12))
def test_pauses(seed: int, first_s: float, factor: float, retries: int) -> None:
    """The n-th pause is between nothing and first * 2**n, capped."""
    cap_s = first_s * factor
    _, _, slept = play([BUSY], seed=seed, max_retries=retries, backoff_first_s=first_s, backoff_cap_s=cap_s)
    assert len(slept) == retries
    for number, pause_s in enumerate(slept):
        assert 0 <= pause_s <= min(cap_s, first_s * 2**number)


def test_jitter_is_seeded() -> None:
    """The same randomness gives the same pauses, another others."""
    assert play([BUSY], seed=1)[2] == play([BUSY], seed=1)[2] != play([BUSY], seed=2)[2]


@given(seed=st.integers(), asked_s=st.floats(0, 1_000))
def test_platform_is_obeyed(seed: int, asked_s: float) -> None:
    """Never sooner than the platform allows, and little later, above the cap too."""
    outcomes = [Tried(Retryable(asked_s), AttemptOutcome.RETRYABLE), DONE]
    _, _, (pause_s,) = play(outcomes, seed=seed, backoff_first_s=0.5, backoff_cap_s=1.0)
    assert asked_s <= pause_s <= asked_s + 0.5


def test_too_late() -> None:
    """A retry that would come after the deadline is not waited for."""
    outcomes = [Tried(Retryable(100.0), AttemptOutcome.RETRYABLE), DONE]
    last, told, slept = play(outcomes, within_s=50.0)
    assert (last, told, slept) == (outcomes[0], [0], [])
