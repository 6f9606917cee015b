"""One attempt: a sender called once, within its budget, and whatever it does made into a verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ray_router.budget import CancelledItselfError, OverBudgetError, within
from ray_router.core.ladder import fits
from ray_router.gateway.outgoing import Outgoing
from ray_router.gateway.result import AttemptOutcome
from ray_router.gateway.sender import (
    Blame,
    Delivered,
    Moved,
    Permanent,
    Retryable,
    Sender,
    Undelivered,
    Verdict,
    problem_of,
)
from ray_router.model import Route


class Tried(NamedTuple):
    """What an attempt came to."""

    verdict: Verdict
    outcome: AttemptOutcome


async def attempt(
    sender: Sender,
    outgoing: Outgoing,
    route: Route,
    *,
    timeout_s: float,
    judge: Callable[[Exception], Verdict],
) -> Tried:
    """Call the sender once. Raises nothing but ``CancelledError``."""
    try:
        verdict = await within(timeout_s, lambda: sender.send(outgoing.completed(route), outgoing.payload))
    except OverBudgetError as error:
        return Tried(Retryable(problem=f"the sender was {error}"), AttemptOutcome.TIMED_OUT)
    except CancelledItselfError as error:
        verdict = Retryable(problem=problem_of(error))
    except Undelivered as error:
        verdict = error.verdict
    except Exception as error:  # a sender is foreign code
        verdict = _judged(error, judge)
    verdict = _understood(verdict, outgoing, route)
    return Tried(verdict, _OUTCOMES[type(verdict)](verdict))


def _judged(error: Exception, judge: Callable[[Exception], Verdict]) -> Verdict:
    try:
        return judge(error)
    except Exception as fault:  # so is what judges it
        return Permanent(f"{problem_of(error)}; judging it raised {problem_of(fault)}", Blame.MESSAGE)


def _understood(verdict: object, outgoing: Outgoing, route: Route) -> Verdict:
    """A verdict that can be acted upon."""
    if isinstance(verdict, Moved):
        if not isinstance(verdict.route, Route):
            return Permanent(f"the sender said Moved to {type(verdict.route).__name__}", Blame.MESSAGE)
        moved = Moved(outgoing.bare(verdict.route))
        if moved.route == outgoing.bare(route):
            return Permanent("the sender said that the conversation moved to where it is", Blame.MESSAGE)
        if not fits(moved.route.text, outgoing.session):
            return Permanent("the conversation moved to another channel or instance", Blame.ROUTE)
        return moved
    if isinstance(verdict, Delivered | Retryable | Permanent):
        return verdict
    # Nobody knows what it means, and a second attempt might deliver twice.
    problem = f"the sender gave {type(verdict).__name__}, not a verdict; it may have delivered"
    return Permanent(problem, Blame.MESSAGE)


def _permanent(verdict: Verdict) -> AttemptOutcome:
    assert isinstance(verdict, Permanent)
    return AttemptOutcome.PERMANENT if verdict.blame is Blame.ROUTE else AttemptOutcome.MESSAGE_REFUSED


_OUTCOMES: dict[type[Verdict], Callable[[Verdict], AttemptOutcome]] = {
    Delivered: lambda _: AttemptOutcome.DELIVERED,
    Retryable: lambda _: AttemptOutcome.RETRYABLE,
    Permanent: _permanent,
    Moved: lambda _: AttemptOutcome.MOVED,
}
