"""When to try again: exponential backoff, capped, with full jitter; never before the platform allows it.

Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015) spreads callers that
failed together. A platform's own ``retry_after_s`` is a lower bound, with up to ``backoff_first_s`` on top
for the same reason; it is not capped: a retry that would come after the deadline is not made at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)

from ray_router.gateway.attempt import Tried
from ray_router.gateway.sender import Retryable
from ray_router.gateway.settings import GatewaySettings

Sleep = Callable[[float], Awaitable[None]]


class Retries:
    """Carries out an attempt until it says something final, or there is no allowed retry left.

    Args:
        random: where the jitter comes from.
        clock: monotonic seconds.
        sleep: waits.
    """

    def __init__(
        self, settings: GatewaySettings, random: Random, clock: Callable[[], float], sleep: Sleep
    ) -> None:
        self._first_s = settings.backoff_first_s
        self._random = random
        self._clock = clock
        self._sleep = sleep
        self._backoff = wait_exponential(multiplier=settings.backoff_first_s, max=settings.backoff_cap_s)
        self._enough = stop_after_attempt(1 + settings.max_retries)

    async def until_final(self, attempt: Callable[[int], Awaitable[Tried]], deadline: float) -> Tried:
        """The last attempt's outcome.

        Args:
            attempt: is told the how-manieth retry it is, from 0.
            deadline: monotonic seconds; no retry begins later.
        """
        made = 0

        async def once_more() -> Tried:
            nonlocal made
            made += 1
            return await attempt(made - 1)

        def too_late(state: RetryCallState) -> bool:
            return self._clock() + state.upcoming_sleep >= deadline

        retrying = AsyncRetrying(
            sleep=self._sleep,
            wait=self._pause_s,
            stop=lambda state: self._enough(state) or too_late(state),
            retry=retry_if_result(lambda tried: isinstance(tried.verdict, Retryable)),
            retry_error_callback=_last,
        )
        tried: Tried = await retrying(once_more)
        return tried

    def _pause_s(self, state: RetryCallState) -> float:
        asked_s = _last(state).verdict.retry_after_s  # type: ignore[union-attr]  # only these are retried
        if asked_s is not None:
            return float(asked_s + self._random.uniform(0.0, self._first_s))
        return self._random.uniform(0.0, self._backoff(state))


def _last(state: RetryCallState) -> Tried:
    assert state.outcome is not None
    tried: Tried = state.outcome.result()
    return tried
