"""What partitions said, as what callers get; and what callers get when a partition says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ray_router.config import RouterConfig
from ray_router.core.insight.advisor import Situation, advise
from ray_router.core.operations import Look, Refused, Written
from ray_router.handle.link import ControlCall
from ray_router.handle.promise import Failure
from ray_router.handle.resolutions import refusal, unanswered
from ray_router.handle.scatter import Gathered
from ray_router.model import (
    Advice,
    Origin,
    PartitionInsight,
    PartitionStats,
    PruneResult,
    ReportOutcome,
    ReportResult,
    Route,
    RouteRecord,
    RouterStats,
    SessionKey,
    SetOutcome,
    SetResult,
    Settings,
)


def first_answer(said: Sequence[Gathered]) -> Gathered:
    """The owner's answer, or that of the first other keeper that gave one.

    Raises:
        InvalidInputError: a partition refused the input.
        PartitionUnavailableError, DeadlineExceededError: none of them answered.
    """
    for each in said:
        if isinstance(each.result, Refused):
            raise refusal(each.result)
        if not isinstance(each.result, Failure):
            return each
    owner = said[0]
    assert isinstance(owner.result, Failure)
    raise unanswered(owner.partition, owner.result)


def set_result(said: Sequence[Gathered]) -> SetResult:
    """The result of one write.

    Raises:
        RouterError: it was refused, or nobody acknowledged it.
    """
    partition, written = first_answer(said)
    assert isinstance(written, Written)
    return SetResult(written.outcome, partition, written.evicted)


def set_results(gathered: Sequence[Sequence[Gathered]]) -> list[SetResult]:
    """The results of many writes; those that nobody acknowledged are ``UNAVAILABLE``."""
    return [
        SetResult(SetOutcome.UNAVAILABLE, said[0].partition)
        if all(isinstance(each.result, Failure) for each in said)
        else set_result(said)
        for said in gathered
    ]


def record(key: str, said: Sequence[Gathered]) -> RouteRecord | None:
    """The result of a look."""
    look = first_answer(said).result
    if look is None:
        return None
    assert isinstance(look, Look)
    primary, *alternates = [Route.from_text(route) for route in look.routes]
    return RouteRecord(
        key=SessionKey.parse(key),
        route=primary,
        freshness=look.freshness,
        observed_at=look.observed_at,
        age_s=look.age_s,
        expires_in_s=look.expires_in_s,
        origin=Origin(look.origin),
        alternates=tuple(alternates),
        failed=look.failed,
    )


def report_result(said: Sequence[Gathered]) -> ReportResult:
    """The result of a delivery report."""
    partition, outcome = first_answer(said)
    assert isinstance(outcome, ReportOutcome)
    return ReportResult(outcome, partition)


def found(said: Sequence[Gathered]) -> bool:
    """Whether a deletion found a route, on any partition that answered."""
    first_answer(said)
    return any(each.result is True for each in said)


def prune_result(calls: Mapping[int, ControlCall]) -> PruneResult:
    """What all partitions that answered moved on.

    Raises:
        PartitionUnavailableError, DeadlineExceededError: none did.
    """
    moved = [call.outcome for call in calls.values() if not isinstance(call.outcome, Failure)]
    if not moved:
        first_answer([Gathered(partition, call.outcome) for partition, call in calls.items()])  # type: ignore[arg-type]
    return PruneResult(sum(each for each in moved if isinstance(each, int)), len(moved))


def revived(calls: Mapping[int, ControlCall]) -> bool:
    """Whether any partition that answered knew the one in question to be out of service.

    Raises:
        PartitionUnavailableError, DeadlineExceededError: none answered.
    """
    said = [Gathered(partition, call.outcome) for partition, call in calls.items()]  # type: ignore[arg-type]
    first_answer(said)
    return any(each.result is True for each in said)


def router_stats(name: str, epoch: int, calls: Mapping[int, ControlCall]) -> RouterStats:
    """The stats of all partitions; one that did not answer is marked as not available."""
    return RouterStats(
        name,
        epoch,
        tuple(
            call.outcome
            if isinstance(call.outcome, PartitionStats)
            else PartitionStats(index, available=False)
            for index, call in calls.items()
        ),
    )


def advice(
    config: RouterConfig, stats: RouterStats, calls: Mapping[int, ControlCall], within: float
) -> Advice:
    """Advice from what the partitions that answered have learnt.

    Raises:
        PartitionUnavailableError, DeadlineExceededError: none did.
    """
    insights = [call.outcome for call in calls.values() if isinstance(call.outcome, PartitionInsight)]
    if not insights:
        first_answer([Gathered(partition, call.outcome) for partition, call in calls.items()])  # type: ignore[arg-type]
    settings = Settings(config.ttl_s, config.max_entries_per_partition, len(stats.partitions))
    return advise(Situation(config.name, settings, config.clock == "event"), stats, insights, within)
