"""What sending raises, besides ``InvalidInputError`` for bad input.

::

    RouterError
    ├── GatewayOverloadedError        nothing was sent: try again later, or give it a higher priority
    ├── GatewayUnavailableError       nothing was sent: the lane's actor does not answer, try again
    ├── GatewayClosedError            .sent: whether the message may have been sent
    ├── OutcomeUnknownError           the message may have been sent
    ├── NoSenderError (LookupError)   nothing was sent: nobody delivers to this channel
    ├── NotDeliveredError             .outcome; raised by ``SendResult.require`` alone
    ├── GatewayNotFoundError (LookupError)
    └── ConfigMismatchError
        └── GatewayMismatchError

What became of a message that was accepted is a result, not an exception.
"""

from __future__ import annotations

from ray_router.errors import ConfigMismatchError, RouterError
from ray_router.gateway.priority import Priority
from ray_router.model import PressureLevel


class GatewayOverloadedError(RouterError):
    """There is no room for a message of this priority; it was refused at once.

    Args:
        level: the pressure at which it was refused.
        priority: the message's.
        problem: what is full, with the limit.
    """

    def __init__(self, level: PressureLevel, priority: Priority, problem: str) -> None:
        super().__init__(level, priority, problem)
        self.level = level
        self.priority = priority
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"a message of priority {self.priority.name} was refused at pressure {self.level.name}: "
            f"{self.problem}"
        )


class GatewayUnavailableError(RouterError):
    """The actor that sends for this session does not answer; nothing was sent.

    Args:
        lane: the actor's number.
        problem: what was observed.
    """

    def __init__(self, lane: int, problem: str) -> None:
        super().__init__(lane, problem)
        self.lane = lane
        self.problem = problem

    def __str__(self) -> str:
        return f"lane {self.lane} of the gateway is unavailable, nothing was sent: {self.problem}"


class GatewayClosedError(RouterError):
    """The gateway is closed.

    Args:
        sent: whether the message may have been sent: it was accepted, and cut short by the closing.
    """

    def __init__(self, sent: bool) -> None:
        super().__init__(sent)
        self.sent = sent

    def __str__(self) -> str:
        if self.sent:
            return "the gateway was closed with this message under way; it may have been sent"
        return "the gateway is closed; nothing was sent"


class OutcomeUnknownError(RouterError):
    """The actor that had this message died or fell silent; the message may or may not have been sent.

    Args:
        lane: the actor's number.
        problem: what was observed.
    """

    def __init__(self, lane: int, problem: str) -> None:
        super().__init__(lane, problem)
        self.lane = lane
        self.problem = problem

    def __str__(self) -> str:
        return f"lane {self.lane} of the gateway was lost, the message may have been sent: {self.problem}"


class NoSenderError(RouterError, LookupError):
    """Nobody delivers to this channel.

    Args:
        channel: the channel of the session.
    """

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel

    def __str__(self) -> str:
        return f"there is no sender for channel {self.channel!r}"


class NotDeliveredError(RouterError):
    """A message was not delivered, and delivery was required.

    Args:
        outcome: the value of the ``SendOutcome``.
        problem: what stood in the way.
    """

    def __init__(self, outcome: str, problem: str) -> None:
        super().__init__(outcome, problem)
        self.outcome = outcome
        self.problem = problem

    def __str__(self) -> str:
        return f"not delivered ({self.outcome}): {self.problem}"


class GatewayNotFoundError(RouterError, LookupError):
    """No gateway of this name is deployed in this namespace."""


class GatewayMismatchError(ConfigMismatchError):
    """A gateway of this name runs with another config."""

    def __str__(self) -> str:
        return f"gateway {self.name!r} is already running with another config: " + "; ".join(self.fields)
