"""What receiving returns: ``IngestResult``, the record of one inbound message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ray_router.channels import InboundMessage
from ray_router.model import SetOutcome


class Stage(str, Enum):
    """Where a policy stands: ``GATING`` (who may speak) comes before ``MODERATION`` (what may be said)."""

    GATING = "gating"
    MODERATION = "moderation"


class PolicyOutcome(str, Enum):
    """What a policy decided; ``FLAG`` lets the message pass with a remark."""

    ALLOW = "allow"
    DENY = "deny"
    FLAG = "flag"
    MODIFY = "modify"


class PolicyFault(str, Enum):
    """Why a policy decided nothing itself: its time was up, or it raised."""

    TIMEOUT = "timeout"
    CRASH = "crash"


class IngestOutcome(str, Enum):
    """What became of an inbound message.

    ``ACCEPTED`` the handler has done its work; ``DENIED`` a policy stopped it; ``DUPLICATE`` it had been
    received before; ``FAILED`` the handler raised, or its time was up; ``OVERLOADED`` too many are being
    received. After the last two the platform's retry is received as if for the first time.
    """

    ACCEPTED = "accepted"
    DENIED = "denied"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one policy decided.

    Args:
        policy: its name.
        elapsed_s: how long it took.
        reason: as it gave it, or what went wrong with it.
        fault: why the outcome is the setting's and not the policy's own; None when it is its own.
    """

    stage: Stage
    policy: str
    outcome: PolicyOutcome
    elapsed_s: float
    reason: str | None = None
    fault: PolicyFault | None = None


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of one inbound message, and how. True when it was accepted.

    Args:
        message: as the policies left it.
        decisions: of every policy that was asked, in order.
        route_write: what the router made of its route; ``UNAVAILABLE`` when it did not acknowledge it, None
            when there was nothing to write or it was not accepted.
        route_problem: why the route was not written.
        returned: what the handler returned.
        problem: why it failed or was denied.
        first: with ``DUPLICATE``, what became of the first.
        elapsed_s: seconds since it was received.
    """

    message: InboundMessage
    outcome: IngestOutcome
    decisions: tuple[Decision, ...] = ()
    route_write: SetOutcome | None = None
    route_problem: str | None = None
    returned: object = None
    problem: str | None = None
    first: IngestOutcome | None = None
    elapsed_s: float = 0.0

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def accepted(self) -> bool:
        """Whether the handler has done its work."""
        return self.outcome is IngestOutcome.ACCEPTED

    @property
    def flags(self) -> tuple[Decision, ...]:
        """The remarks of policies that let it pass."""
        return flags(self.decisions)


def flags(decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Those of some decisions that are remarks."""
    return tuple(decision for decision in decisions if decision.outcome is PolicyOutcome.FLAG)
