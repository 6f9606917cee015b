"""``Policy``: an async callable with a name and a time budget, and the rulings that it gives."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from math import inf

from ray_router.budget import CancelledItselfError, OverBudgetError, within
from ray_router.channels import InboundMessage
from ray_router.errors import InvalidCallError
from ray_router.ingest.result import Decision, PolicyFault, PolicyOutcome, Stage

_LONGEST_REASON = 500  # characters


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy says of a message; made by ``allow``, ``deny``, ``flag`` and ``modify``."""

    outcome: PolicyOutcome
    reason: str | None = None
    text: str | None = None

    @classmethod
    def allow(cls) -> Ruling:
        """Let it pass."""
        return cls(PolicyOutcome.ALLOW)

    @classmethod
    def deny(cls, reason: str) -> Ruling:
        """Stop it: no handler sees it, and it writes no route."""
        return cls(PolicyOutcome.DENY, reason)

    @classmethod
    def flag(cls, reason: str) -> Ruling:
        """Let it pass with a remark, which the handler and the result show."""
        return cls(PolicyOutcome.FLAG, reason)

    @classmethod
    def modify(cls, text: str | None, reason: str) -> Ruling:
        """Replace its text for whatever follows; its session, route and the rest stay as they are."""
        return cls(PolicyOutcome.MODIFY, reason, text)


Judge = Callable[[InboundMessage], Awaitable[Ruling]]


@dataclass(frozen=True, slots=True)
class Policy:
    """A gater or a moderator.

    Args:
        name: what decisions call it.
        judge: is given the message as the policies before it left it.
        budget_s: seconds that it may take.

    Raises:
        InvalidCallError: it has no name, no judge, or no time.
    """

    name: str
    judge: Judge
    budget_s: float = 2.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidCallError("name", "of a policy must be text, and not empty")
        if not callable(self.judge):
            raise InvalidCallError("judge", f"of policy {self.name!r} must be an async callable")
        if not 0 < self.budget_s < inf:
            raise InvalidCallError("budget_s", f"of policy {self.name!r} must be positive seconds")


class OnFault(str, Enum):
    """What holds for a policy that crashes or takes too long."""

    DENY = "deny"
    ALLOW_WITH_FLAG = "allow_with_flag"


async def ask(
    policy: Policy,
    stage: Stage,
    message: InboundMessage,
    *,
    on_fault: OnFault,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[Decision, InboundMessage]:
    """What a policy decides, and the message that goes on. Raises nothing but ``CancelledError``."""
    begun_at = monotonic()

    def decided(
        outcome: PolicyOutcome, reason: str | None = None, fault: PolicyFault | None = None
    ) -> Decision:
        said = None if reason is None else str(reason)[:_LONGEST_REASON]
        return Decision(stage, policy.name, outcome, monotonic() - begun_at, said, fault)

    failed = PolicyOutcome.DENY if on_fault is OnFault.DENY else PolicyOutcome.FLAG
    try:
        ruling = await within(policy.budget_s, lambda: policy.judge(message))
    except OverBudgetError as error:
        return decided(failed, str(error), PolicyFault.TIMEOUT), message
    except CancelledItselfError as error:
        return decided(failed, str(error), PolicyFault.CRASH), message
    except Exception as error:  # a policy is foreign code
        return decided(failed, f"{type(error).__name__}: {error}", PolicyFault.CRASH), message
    problem = _problem(ruling)
    if problem is not None:
        return decided(failed, problem, PolicyFault.CRASH), message
    if ruling.outcome is PolicyOutcome.MODIFY:
        message = replace(message, text=ruling.text)
    return decided(ruling.outcome, ruling.reason), message


def _problem(ruling: object) -> str | None:
    """What is wrong with something that should be a ruling."""
    if not isinstance(ruling, Ruling) or not isinstance(ruling.outcome, PolicyOutcome):
        return f"it gave {type(ruling).__name__}, not a Ruling"
    if not isinstance(ruling.text, str | None):
        return f"it replaced the text by {type(ruling.text).__name__}"
    return None
