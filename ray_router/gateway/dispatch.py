"""``Dispatch``: the course of one message, from resolving its route to its fate.

::

    resolve -> check -> attempt -> delivered                 DELIVERED
       ^         |         |----> retryable, retried         RETRIES_EXHAUSTED
       |         |         |----> moved, followed once       MOVED_AGAIN
       |         |         |----> permanent, the message     MESSAGE_REFUSED
       |         |         `----> permanent, the route --.
       |         `---> none, or tried already            |   NO_ROUTE, ROUTES_FAILED
       `-------------------------------------------------'

A route is tried once, its retries apart: one that the router offers again, because it did not learn of the
failure or a user wrote from there in the meantime, ends the search.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from ray_router.errors import InvalidInputError, RouterError
from ray_router.gateway.attempt import Tried, attempt
from ray_router.gateway.journal import Journal
from ray_router.gateway.lookup import look_up
from ray_router.gateway.outgoing import Outgoing
from ray_router.gateway.result import SendOutcome
from ray_router.gateway.retry import Retries, Sleep
from ray_router.gateway.sender import Blame, Delivered, Moved, Retryable, Sender, Verdict
from ray_router.gateway.settings import GatewaySettings
from ray_router.handle import RouterHandle
from ray_router.model import Route


class Dispatch:
    """Carries messages out; what is kept between two of them is the number of senders at work."""

    def __init__(
        self,
        router: RouterHandle,
        settings: GatewaySettings,
        *,
        random: Random,
        clock: Callable[[], float],
        sleep: Sleep,
        judge: Callable[[Exception], Verdict],
    ) -> None:
        self._router = router
        self._settings = settings
        self._judge = judge
        self._retries = Retries(settings, random, clock, sleep)
        self._at_work = asyncio.Semaphore(settings.max_concurrency)

    async def carry_out(self, outgoing: Outgoing, sender: Sender, journal: Journal) -> SendOutcome:
        """Send a message, trying one valid route after the other.

        Raises:
            InvalidInputError: the router does not accept the key or a fallback.
        """
        while True:
            try:
                journal.resolution = await look_up(self._router, outgoing, journal.tried)
            except InvalidInputError:
                raise
            except RouterError as error:
                journal.problem = str(error)
                return SendOutcome.ROUTER_UNAVAILABLE
            route = journal.resolution.route
            if route is None or route in journal.tried:
                return _at_a_loss(journal)
            if len(journal.tried) >= self._settings.max_routes:
                journal.problem = f"{len(journal.tried)} routes were tried, which is the limit"
                return SendOutcome.ROUTES_FAILED
            outcome = await self._follow(route, outgoing, sender, journal)
            if outcome is not None:
                return outcome

    async def _follow(
        self, route: Route, outgoing: Outgoing, sender: Sender, journal: Journal
    ) -> SendOutcome | None:
        """What sending along a route comes to; None when another may be tried."""
        verdict = await self._persist(route, outgoing, sender, journal)
        if isinstance(verdict, Moved) and not journal.has_moved:
            journal.has_moved = True
            if verdict.route in journal.tried:
                return None
            verdict = await self._persist(verdict.route, outgoing, sender, journal)
        if isinstance(verdict, Delivered):
            return SendOutcome.DELIVERED
        if isinstance(verdict, Moved):
            journal.problem = "the conversation had moved twice"
            return SendOutcome.MOVED_AGAIN
        if isinstance(verdict, Retryable):
            return SendOutcome.RETRIES_EXHAUSTED
        return None if verdict.blame is Blame.ROUTE else SendOutcome.MESSAGE_REFUSED

    async def _persist(self, route: Route, outgoing: Outgoing, sender: Sender, journal: Journal) -> Verdict:
        """The last verdict on a route, its temporary failures retried; each is reported."""

        async def once(retry: int) -> Tried:
            async with self._at_work:  # not while waiting for the next retry
                journal.begin(route, retry)
                tried = await attempt(
                    sender,
                    outgoing,
                    route,
                    timeout_s=self._settings.attempt_timeout_s,
                    judge=self._judge,
                )
                journal.end(tried)
            return tried

        deadline = journal.deadline(self._settings.send_timeout_s)
        return (await self._retries.until_final(once, deadline)).verdict


def _at_a_loss(journal: Journal) -> SendOutcome:
    """There is no route to try."""
    assert journal.resolution is not None
    if journal.tried:
        return SendOutcome.ROUTES_FAILED
    reason = journal.resolution.reason
    journal.problem = "no route" if reason is None else f"no route: {reason.value}"
    return SendOutcome.NO_ROUTE
