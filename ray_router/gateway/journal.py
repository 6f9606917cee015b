"""``Journal``: what happened to one message so far, and the reports that its router was given."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ray_router.errors import RouterError
from ray_router.gateway.attempt import Tried
from ray_router.gateway.outgoing import Outgoing
from ray_router.gateway.result import Attempt, AttemptOutcome, SendOutcome, SendResult
from ray_router.gateway.sender import Blame, Delivered, Moved, Permanent, Retryable
from ray_router.handle import Reply, RouterHandle
from ray_router.model import Delivery, ReportResult, Resolution, Route

_log = logging.getLogger(__name__)


class Journal:
    """The record of one message. Reports leave at once, in order, and are waited for at the end.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, outgoing: Outgoing, router: RouterHandle, clock: Callable[[], float]) -> None:
        self._outgoing = outgoing
        self._router = router
        self._clock = clock
        self._accepted_at = clock()
        self._waited_s: float | None = None
        self._attempts: list[Attempt] = []
        self._begun: tuple[Route, float, int] | None = None
        self._reports: list[Reply[ReportResult]] = []
        self._written = 0
        self._lost = 0
        self._message_id: str | None = None
        self.resolution: Resolution | None = None
        self.problem: str | None = None
        self.tried: set[Route] = set()
        self.has_moved = False

    def deadline(self, send_timeout_s: float) -> float:
        """When the whole send must be over, in monotonic seconds."""
        return self._accepted_at + send_timeout_s

    def at_turn(self) -> None:
        """The session's earlier messages are out of the way."""
        self._waited_s = self._clock() - self._accepted_at

    def begin(self, route: Route, retry: int) -> None:
        """An attempt begins."""
        self.tried.add(route)
        self._begun = (route, self._clock(), retry)

    def end(self, tried: Tried) -> None:
        """The attempt that was begun ends thus."""
        verdict = tried.verdict
        problem = verdict.problem if isinstance(verdict, Retryable | Permanent) else None
        retry_after_s = verdict.retry_after_s if isinstance(verdict, Retryable) else None
        route = self._record(tried.outcome, retry_after_s, problem)
        if isinstance(verdict, Delivered):
            self._message_id = verdict.message_id
            self.report(route, Delivery.DELIVERED)
        elif isinstance(verdict, Moved):
            self.report(route, Delivery.MOVED, moved_to=verdict.route)
        elif isinstance(verdict, Retryable):
            self.report(route, Delivery.TRANSIENT, retry_after_s=retry_after_s)
        elif verdict.blame is Blame.ROUTE:
            self.report(route, Delivery.PERMANENT)

    def report(
        self,
        route: Route,
        delivery: Delivery,
        *,
        moved_to: Route | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Tell the router; whether it takes it in is asked at the end."""
        try:
            reply = self._router.report(
                self._outgoing.session, route, delivery, moved_to=moved_to, retry_after_s=retry_after_s
            )
        except RouterError as error:
            self._lose(error)
        else:
            self._reports.append(reply)

    async def settle(self) -> None:
        """Wait until every report is written or lost; each has the router's own deadline.

        Being cancelled ends the waiting and nothing else: what became of the message is known, and the
        reports are on their way, though nobody will know whether they arrive.
        """
        try:
            while self._reports:
                try:
                    await self._reports[0]
                    self._written += 1
                except RouterError as error:
                    self._lose(error)
                del self._reports[0]
        except asyncio.CancelledError:
            self._lost += len(self._reports)
            self._reports.clear()

    def result(self, outcome: SendOutcome) -> SendResult:
        """The receipt."""
        if self._begun is not None:
            self._record(AttemptOutcome.CUT_SHORT)
        elapsed_s = self._clock() - self._accepted_at
        delivered = outcome is SendOutcome.DELIVERED
        return SendResult(
            key=self._outgoing.key,
            outcome=outcome,
            resolution=self.resolution,
            attempts=tuple(self._attempts),
            message_id=self._message_id,
            problem=None if delivered else self.problem,
            reports_written=self._written,
            reports_lost=self._lost,
            waited_s=elapsed_s if self._waited_s is None else self._waited_s,
            elapsed_s=elapsed_s,
        )

    def _record(
        self, outcome: AttemptOutcome, retry_after_s: float | None = None, problem: str | None = None
    ) -> Route:
        assert self._begun is not None
        route, begun_at, retry = self._begun
        self._begun = None
        elapsed_s = self._clock() - begun_at
        self._attempts.append(Attempt(route, outcome, elapsed_s, retry, retry_after_s, problem))
        self.problem = problem or self.problem
        return route

    def _lose(self, error: RouterError) -> None:
        self._lost += 1
        _log.warning("a delivery report was lost: %s", error)
