"""Policies: their rulings, their time, and what holds when they fail."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

import ray_router.ingest
from ray_router.channels import InboundMessage
from ray_router.errors import InvalidCallError
from ray_router.ingest import (
    IngestOutcome,
    IngestSettings,
    OnFault,
    Policy,
    PolicyFault,
    PolicyOutcome,
    Ruling,
    Stage,
)
from ray_router.ingest.policy import ask
from ray_router.testing import ManualClock

from .scene import Scene, message, saying


async def forever(message: InboundMessage) -> Ruling:
    await asyncio.Event().wait()
    return Ruling.allow()


async def cancels_itself(message: InboundMessage) -> Ruling:
    raise asyncio.CancelledError


FAULTS = [
    (Policy("slow", forever, 0.005), PolicyFault.TIMEOUT, "not done within 0.005 s"),
    (saying(LookupError("no list")), PolicyFault.CRASH, "LookupError: no list"),
    (Policy("odd", cancels_itself), PolicyFault.CRASH, "it cancelled itself"),
    (saying("allow"), PolicyFault.CRASH, "it gave str, not a Ruling"),
    (saying(Ruling("allow")), PolicyFault.CRASH, "it gave Ruling, not a Ruling"),  # type: ignore[arg-type]
    (saying(Ruling.modify(7, "odd")), PolicyFault.CRASH, "it replaced the text by int"),  # type: ignore[arg-type]
    (Policy("sync", lambda message: Ruling.allow()), PolicyFault.CRASH, "TypeError"),  # type: ignore[arg-type,return-value]
]


@pytest.mark.parametrize(("policy", "fault", "reason"), FAULTS)
@pytest.mark.parametrize(
    ("on_fault", "outcome"),
    [(OnFault.DENY, PolicyOutcome.DENY), (OnFault.ALLOW_WITH_FLAG, PolicyOutcome.FLAG)],
)
async def test_faults(
    policy: Policy, fault: PolicyFault, reason: str, on_fault: OnFault, outcome: PolicyOutcome
) -> None:
    """A policy that crashes, dawdles or talks nonsense denies or flags, by setting, and changes nothing."""
    decision, left = await ask(policy, Stage.GATING, message(), on_fault=on_fault)
    assert (decision.outcome, decision.fault, decision.policy) == (outcome, fault, policy.name)
    assert decision.reason is not None and reason in decision.reason
    assert left == message()


@pytest.mark.parametrize(
    ("ruling", "outcome", "reason"),
    [
        (Ruling.allow(), PolicyOutcome.ALLOW, None),
        (Ruling.deny("spam"), PolicyOutcome.DENY, "spam"),
        (Ruling.flag("odd"), PolicyOutcome.FLAG, "odd"),
        (Ruling.modify("x", "masked"), PolicyOutcome.MODIFY, "masked"),
        (Ruling.deny("r" * 900), PolicyOutcome.DENY, "r" * 500),
    ],
)
async def test_rulings(ruling: Ruling, outcome: PolicyOutcome, reason: str | None) -> None:
    """A decision says what the policy said, in which stage and how long it took."""
    clock = ManualClock()

    async def judge(message: InboundMessage) -> Ruling:
        clock.advance(0.25)
        return ruling

    decision, _ = await ask(
        Policy("p", judge), Stage.MODERATION, message(), on_fault=OnFault.DENY, monotonic=clock
    )
    assert (decision.stage, decision.outcome, decision.reason) == (Stage.MODERATION, outcome, reason)
    assert (decision.elapsed_s, decision.fault) == (0.25, None)


async def test_denied_by_fault_is_not_remembered() -> None:
    """A denial that nobody decided does not stand in the way of the platform's retry."""
    faults: list[Any] = [OSError("list server"), None]

    async def judge(message: InboundMessage) -> Ruling:
        fault = faults.pop(0)
        if fault:
            raise fault
        return Ruling.allow()

    scene = Scene(gaters=[Policy("list", judge)])
    assert (await scene.ingest.receive(message())).outcome is IngestOutcome.DENIED
    assert (await scene.ingest.receive(message())).accepted


async def test_flagged_by_fault() -> None:
    """Where the setting says so, a message passes a policy that failed, with a remark."""
    scene = Scene(
        moderators=[saying(OSError("down"), name="toxicity")], on_policy_fault=OnFault.ALLOW_WITH_FLAG
    )
    result = await scene.ingest.receive(message())
    assert result.accepted
    assert [(each.policy, each.fault) for each in result.flags] == [("toxicity", PolicyFault.CRASH)]
    assert scene.handled[0].flags == result.flags


async def test_denied_without_a_reason() -> None:
    """A policy need not say why."""
    scene = Scene(gaters=[saying(Ruling(PolicyOutcome.DENY))])
    assert (await scene.ingest.receive(message())).problem == "policy: it gave no reason"


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": 7}, {"judge": "no"}, {"budget_s": 0}, {"budget_s": inf}]
)
def test_policies_refused(wrong: dict[str, Any]) -> None:
    """A policy needs a name, something to ask, and a time."""
    with pytest.raises(InvalidCallError, match=next(iter(wrong))):
        Policy(**{"name": "p", "judge": forever, **wrong})


@pytest.mark.parametrize("wrong", [{"handler_timeout_s": 0}, {"on_policy_fault": "allow"}, {"unknown": 1}])
def test_settings_refused(wrong: dict[str, Any]) -> None:
    """Settings that make no sense are refused."""
    with pytest.raises(ValidationError):
        IngestSettings(**wrong)


def test_all_is_sorted() -> None:
    """The public names are listed in order."""
    assert ray_router.ingest.__all__ == sorted(ray_router.ingest.__all__)
