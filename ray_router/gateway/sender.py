"""``Sender``: what delivers to a platform, and the verdicts that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, Protocol, Union

from ray_router.model import Route


class Blame(str, Enum):
    """What a permanent failure says is no good.

    ``ROUTE`` the place: it is reported, and the next candidate is tried. ``MESSAGE`` the message itself
    (too long, malformed): the route is not to blame, and no other would take it.
    """

    ROUTE = "route"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The platform has it. ``message_id``: what the platform calls it."""

    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retryable:
    """It may work later.

    Args:
        retry_after_s: seconds for which the platform wants to be left alone.
        problem: what happened.

    Raises:
        ValueError: ``retry_after_s`` is negative, or not finite.
    """

    retry_after_s: float | None = None
    problem: str = ""

    def __post_init__(self) -> None:
        if self.retry_after_s is not None and not 0 <= self.retry_after_s < inf:
            raise ValueError(f"retry_after_s must be a finite number of seconds, not {self.retry_after_s}")


@dataclass(frozen=True, slots=True)
class Permanent:
    """It will not work, however often it is tried."""

    problem: str = ""
    blame: Blame = Blame.ROUTE


@dataclass(frozen=True, slots=True)
class Moved:
    """The conversation is elsewhere now."""

    route: Route


Verdict = Union[Delivered, Retryable, Permanent, Moved]
"""What became of one attempt."""


class Undelivered(Exception):
    """Raise it from a sender instead of returning the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Sender(Protocol):
    """Delivers to one channel."""

    async def send(self, route: Route, payload: Any) -> Verdict:
        """Try once to deliver.

        Args:
            route: where to; its channel and instance are always filled in, from the session if need be.
            payload: as it was given to the gateway.

        Raises:
            Undelivered: with the verdict, as an alternative to returning it.
        """


Senders = Union[Mapping[str, Sender], Callable[[str], "Sender | None"]]
"""Channel -> its sender."""

_PROGRAMMING_ERRORS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    NameError,
    AssertionError,
    ImportError,
    NotImplementedError,
)


def judge_exception(error: Exception) -> Verdict:
    """The verdict for an exception that a sender did not mean to raise.

    What a fault of the program raises (``TypeError``, ``ValueError``, ``LookupError``,
    ``AttributeError``, ``NameError``, ``AssertionError``, ``ImportError``, ``NotImplementedError``) would
    be raised again: permanent, and the route is not to blame. Anything else (``OSError``,
    ``TimeoutError``, what HTTP clients raise) is retryable.
    """
    if isinstance(error, _PROGRAMMING_ERRORS):
        return Permanent(problem_of(error), Blame.MESSAGE)
    return Retryable(problem=problem_of(error))


def problem_of(error: BaseException) -> str:
    """An exception in one line of bounded length."""
    return f"{type(error).__name__}: {error}".partition("\n")[0][:500]
