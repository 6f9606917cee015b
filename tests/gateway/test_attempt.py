"""One attempt: what a sender does, made into a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ray_router.gateway import (
    AttemptOutcome,
    Blame,
    Delivered,
    Moved,
    Permanent,
    Retryable,
    Undelivered,
    Verdict,
)
from ray_router.gateway.attempt import Tried, attempt
from ray_router.gateway.outgoing import Outgoing
from ray_router.gateway.sender import judge_exception
from ray_router.model import Route, SessionKey

KEY = SessionKey("tg", "bot", "room")
OUTGOING = Outgoing(KEY, str(KEY), "hello")
HERE = Route("here")


class Doing:
    """A sender that does one thing."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self.do = do
        self.given: list[tuple[Route, Any]] = []

    async def send(self, route: Route, payload: Any) -> Verdict:
        self.given.append((route, payload))
        done = self.do()
        return await done if asyncio.iscoroutine(done) else done  # type: ignore[no-any-return]


def raising(error: BaseException) -> Callable[[], Any]:
    def do() -> None:
        raise error

    return do


async def tried(do: Callable[[], Any], route: Route = HERE, timeout_s: float = 60.0) -> Tried:
    return await attempt(Doing(do), OUTGOING, route, timeout_s=timeout_s, judge=judge_exception)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Delivered("17"), AttemptOutcome.DELIVERED),
        (Retryable(3.0, "busy"), AttemptOutcome.RETRYABLE),
        (Permanent("gone"), AttemptOutcome.PERMANENT),
        (Permanent("too long", Blame.MESSAGE), AttemptOutcome.MESSAGE_REFUSED),
        (Moved(Route("there")), AttemptOutcome.MOVED),
    ],
)
async def test_verdicts(verdict: Verdict, outcome: AttemptOutcome) -> None:
    """A verdict counts as it is, returned or raised."""
    assert await tried(lambda: verdict) == (verdict, outcome)
    assert await tried(raising(Undelivered(verdict))) == (verdict, outcome)


@pytest.mark.parametrize(
    "error",
    [
        OSError("down"),
        ConnectionError(),
        TimeoutError(),
        EOFError(),
        Exception("client's own"),
        RuntimeError(),
    ],
)
async def test_what_may_pass(error: Exception) -> None:
    """What the world raises is tried again."""
    verdict, outcome = await tried(raising(error))
    assert isinstance(verdict, Retryable)
    assert verdict.problem.startswith(type(error).__name__)
    assert outcome is AttemptOutcome.RETRYABLE


@pytest.mark.parametrize(
    "error",
    [
        TypeError(),
        ValueError(),
        KeyError("chat"),
        AttributeError(),
        NameError(),
        AssertionError(),
        ImportError(),
    ],
)
async def test_what_would_be_raised_again(error: Exception) -> None:
    """What a fault of the program raises is not tried again, and no route is blamed for it."""
    verdict, outcome = await tried(raising(error))
    assert isinstance(verdict, Permanent)
    assert verdict.blame is Blame.MESSAGE
    assert outcome is AttemptOutcome.MESSAGE_REFUSED


async def test_a_judge_that_fails() -> None:
    """What judges exceptions may itself be wrong; nothing is raised."""

    def judge(error: Exception) -> Verdict:
        raise LookupError("no rule")

    given = await attempt(Doing(raising(OSError("down"))), OUTGOING, HERE, timeout_s=60.0, judge=judge)
    assert given.verdict == Permanent("OSError: down; judging it raised LookupError: no rule", Blame.MESSAGE)


async def test_out_of_time() -> None:
    """An attempt that takes too long is retryable, and known as one whose effect is not known."""
    verdict, outcome = await tried(lambda: asyncio.Event().wait(), timeout_s=0.005)
    assert verdict == Retryable(problem="the sender was not done within 0.005 s")
    assert outcome is AttemptOutcome.TIMED_OUT


async def test_cancels_itself() -> None:
    """A sender whose own cancellation leaks out failed for a while."""
    verdict, _ = await tried(raising(asyncio.CancelledError()))
    assert isinstance(verdict, Retryable)


@pytest.mark.parametrize("nonsense", ["ok", None, True, Moved("there")])  # type: ignore[arg-type]
async def test_no_verdict(nonsense: Any) -> None:
    """What is no verdict may have delivered: it is neither repeated nor held against the route."""
    verdict, outcome = await tried(lambda: nonsense)
    assert isinstance(verdict, Permanent)
    assert verdict.blame is Blame.MESSAGE
    assert outcome is AttemptOutcome.MESSAGE_REFUSED


async def test_completed_route() -> None:
    """A sender sees which instance of which channel to use, where the stored route leaves that open."""
    sender = Doing(Delivered)
    stored = Route("here", "thread", metadata={"lang": "de"})
    await attempt(sender, OUTGOING, stored, timeout_s=60.0, judge=judge_exception)
    assert sender.given == [(Route("here", "thread", "tg", "bot", {"lang": "de"}), "hello")]


async def test_moved_route_is_bare() -> None:
    """A new place is the same route whether the sender names the session's channel and instance or not."""
    verdict, _ = await tried(lambda: Moved(Route("there", None, "tg", "bot")))
    assert verdict == Moved(Route("there"))


@pytest.mark.parametrize("stored", [HERE, Route("here", None, "tg", "bot")])
async def test_moved_to_where_it_is(stored: Route) -> None:
    """A move to the same place is a sender's fault, and would go round in circles."""
    verdict, _ = await tried(lambda: Moved(Route("here", None, "tg")), stored)
    assert isinstance(verdict, Permanent)
    assert verdict.blame is Blame.MESSAGE


@pytest.mark.parametrize("away", [Route("there", channel="irc"), Route("there", instance="bot_2")])
async def test_moved_out_of_reach(away: Route) -> None:
    """A move to another channel or instance ends the route, and cannot be followed."""
    assert (await tried(lambda: Moved(away))).outcome is AttemptOutcome.PERMANENT


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_impossible_pause(seconds: float) -> None:
    """A pause must be a number of seconds that can pass."""
    with pytest.raises(ValueError, match="retry_after_s must be a finite number"):
        Retryable(seconds)
