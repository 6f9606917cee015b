"""What sending returns: ``SendResult``, the receipt of one message, and ``GatewayStats``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ray_router.gateway.errors import NotDeliveredError
from ray_router.model import PressureLevel, Resolution, Route, SessionKey


class AttemptOutcome(str, Enum):
    """What became of one call of a sender.

    After ``TIMED_OUT`` (the attempt's own budget) and ``CUT_SHORT`` (the whole send's) the message may
    have been delivered all the same.
    """

    DELIVERED = "delivered"
    RETRYABLE = "retryable"
    TIMED_OUT = "timed_out"
    PERMANENT = "permanent"
    MESSAGE_REFUSED = "message_refused"
    MOVED = "moved"
    CUT_SHORT = "cut_short"


class SendOutcome(str, Enum):
    """What became of a message.

    ``NO_ROUTE`` nothing good enough is known; the resolution says why (``FAILED``: what is known is
    held back by delivery reports, for good or for a while). ``ROUTES_FAILED`` every valid route was
    tried and refused for good. ``MESSAGE_REFUSED`` the message was refused for good, and no route is to
    blame. ``RETRIES_EXHAUSTED`` the last allowed retry failed too, or the next would come too late.
    ``MOVED_AGAIN`` the conversation had moved twice. ``EXPIRED`` not delivered within ``send_timeout_s``.
    ``ROUTER_UNAVAILABLE`` the router did not answer, and no fallback would do.
    """

    DELIVERED = "delivered"
    NO_ROUTE = "no_route"
    ROUTES_FAILED = "routes_failed"
    MESSAGE_REFUSED = "message_refused"
    RETRIES_EXHAUSTED = "retries_exhausted"
    MOVED_AGAIN = "moved_again"
    EXPIRED = "expired"
    ROUTER_UNAVAILABLE = "router_unavailable"


_UNSURE = frozenset({AttemptOutcome.TIMED_OUT, AttemptOutcome.CUT_SHORT})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a sender.

    Args:
        route: the route as it is stored.
        elapsed_s: how long the call took.
        retry: the how-manieth retry on this route, 0 for the first attempt.
        retry_after_s: how long the platform wanted to be left alone.
        problem: what went wrong.
    """

    route: Route
    outcome: AttemptOutcome
    elapsed_s: float
    retry: int = 0
    retry_after_s: float | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one message. True when it was delivered.

    Args:
        resolution: the last one: of the route that was used, or of there being none left; None when the
            router gave none at all.
        attempts: every call of a sender, in order.
        message_id: what the platform calls the delivered message.
        problem: what stood in the way, None on delivery.
        reports_written: delivery reports that the router took in.
        reports_lost: delivery reports that it did not.
        waited_s: seconds for which the session's earlier messages were ahead.
        elapsed_s: seconds since it was accepted, waiting included.
    """

    key: SessionKey
    outcome: SendOutcome
    resolution: Resolution | None
    attempts: tuple[Attempt, ...]
    message_id: str | None
    problem: str | None
    reports_written: int
    reports_lost: int
    waited_s: float
    elapsed_s: float

    def __bool__(self) -> bool:
        return self.delivered

    @property
    def delivered(self) -> bool:
        """Whether the platform has it."""
        return self.outcome is SendOutcome.DELIVERED

    @property
    def route(self) -> Route | None:
        """The route that it was delivered along; None when it was not."""
        return self.attempts[-1].route if self.delivered else None

    @property
    def retries(self) -> int:
        """How many attempts were retries of a temporary failure."""
        return sum(attempt.retry > 0 for attempt in self.attempts)

    @property
    def retry_after_s(self) -> float | None:
        """How long the platform wanted to be left alone when last asked; None when it did not say."""
        return self.attempts[-1].retry_after_s if self.attempts else None

    @property
    def unsure(self) -> bool:
        """Whether it may have been delivered once more than is known: an attempt got no answer."""
        return any(attempt.outcome in _UNSURE for attempt in self.attempts)

    def require(self) -> SendResult:
        """Itself.

        Raises:
            NotDeliveredError: it was not delivered.
        """
        if not self.delivered:
            raise NotDeliveredError(self.outcome.value, self.problem or "no reason was given")
        return self


@dataclass(frozen=True, slots=True)
class GatewayStats:
    """What a gateway holds, and what it has done since it started.

    Args:
        pending: messages accepted and not finished.
        sessions: sessions that have any.
        remembered: idempotency keys remembered.
        level: the pressure level, the router's own included where it is known.
        refused: messages refused for want of room.
        outcomes: how many messages ended how.
        reports_lost: delivery reports that the router did not take in.
    """

    pending: int
    sessions: int
    remembered: int
    level: PressureLevel
    refused: int
    outcomes: Mapping[SendOutcome, int]
    reports_lost: int
