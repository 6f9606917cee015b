"""What partitions said, as what callers get; and what callers get when a partition says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ray_router import errors
from ray_router.core.operations import Answer, Look, Refused, Resolve, Written
from ray_router.core.resolver import fits
from ray_router.errors import DeadlineExceededError, InvalidInputError, PartitionUnavailableError
from ray_router.handle.link import ControlCall
from ray_router.handle.promise import Failure, FailureKind
from ray_router.handle.scatter import Gathered
from ray_router.model import (
    Confidence,
    FallbackReason,
    Origin,
    PartitionStats,
    PruneResult,
    ReportOutcome,
    ReportResult,
    Resolution,
    ResolutionSource,
    Route,
    RouteRecord,
    RouterStats,
    SessionKey,
    SetOutcome,
    SetResult,
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


def refusal(refused: Refused) -> InvalidInputError:
    """The error that a refusal stands for."""
    kind = getattr(errors, refused.kind, InvalidInputError)
    error = kind(refused.field, refused.problem)
    assert isinstance(error, InvalidInputError)
    return error


def unanswered(partition: int, failure: Failure) -> errors.RouterError:
    """The error for a partition that gave no answer."""
    if failure.kind is FailureKind.DEADLINE:
        return DeadlineExceededError(f"partition {partition}: {failure.problem}")
    return PartitionUnavailableError(partition, failure.problem)


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


def resolution(key: str, said: Gathered, epoch: int) -> Resolution:
    """An answer with its key."""
    answer = said.result
    if isinstance(answer, Refused):
        raise refusal(answer)
    assert isinstance(answer, Answer)
    return _resolution(key, answer, said.partition, epoch)


def fallback_resolution(key: str, said: Gathered, wishes: Resolve, epoch: int) -> Resolution:
    """What can be answered without the partition: the first fallback that fits, if that is sure enough."""
    assert isinstance(said.result, Failure)
    overloaded = said.result.kind is FailureKind.OVERLOADED
    reason = FallbackReason.OVERLOADED if overloaded else FallbackReason.UNAVAILABLE
    sure_enough = wishes.min_confidence <= Confidence.PROVIDED
    route = next((each for each in wishes.fallbacks if sure_enough and fits(each, key)), None)
    if route is None:
        answer = Answer(None, ResolutionSource.NONE, reason, False, Confidence.NONE)
    else:
        answer = Answer(route, ResolutionSource.PROVIDED, reason, False, Confidence.PROVIDED)
    return _resolution(key, answer, said.partition, epoch)


def _resolution(key: str, answer: Answer, partition: int, epoch: int) -> Resolution:
    return Resolution(
        SessionKey.parse(key),
        None if answer.route is None else Route.from_text(answer.route),
        *answer[1:],
        partition=partition,
        epoch=epoch,
    )


def resolutions(gathered: Sequence[Sequence[Gathered]], wishes: Resolve, epoch: int) -> list[Resolution]:
    """The answers for many keys, in order."""
    return [
        fallback_resolution(key, said, wishes, epoch)
        if isinstance(said.result, Failure)
        else resolution(key, said, epoch)
        for key, (said,) in zip(wishes.keys, gathered, strict=True)
    ]


def only_resolution(gathered: Sequence[Sequence[Gathered]], wishes: Resolve, epoch: int) -> Resolution:
    """The answer for one key.

    Raises:
        PartitionUnavailableError, DeadlineExceededError: no answer, and no fallback that would do.
    """
    answer = resolutions(gathered, wishes, epoch)[0]
    if not answer:
        first_answer(gathered[0])
    return answer


def prune_result(calls: Mapping[int, ControlCall]) -> PruneResult:
    """What all partitions that answered moved on.

    Raises:
        PartitionUnavailableError, DeadlineExceededError: none did.
    """
    moved = [call.outcome for call in calls.values() if not isinstance(call.outcome, Failure)]
    if not moved:
        first_answer([Gathered(partition, call.outcome) for partition, call in calls.items()])  # type: ignore[arg-type]
    return PruneResult(sum(each for each in moved if isinstance(each, int)), len(moved))


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
