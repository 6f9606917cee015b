"""Scatter and gather: a submission's operations to the partitions that own their keys, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ray_router.core.operations import Answers, Operation, Refused, Resolve, Result
from ray_router.handle.lane import Lane, Pending
from ray_router.handle.ownership import Ownership
from ray_router.handle.promise import Failure, Outcome
from ray_router.handle.resolutions import Share, refusal
from ray_router.handle.watched import WatchedCall


class Gathered(NamedTuple):
    """What one partition said to one operation."""

    partition: int
    result: Result | Failure


class Scatter:
    """Sends each partition its share of a submission in one call, and finds the answers again.

    Args:
        shares: partition -> (positions in the submission, what to do about them).
        lane: a link's, which is kept: whoever waits keeps the link, and with it the courier's care.
        call: watches it; None when nobody does.
    """

    def __init__(
        self,
        shares: dict[int, tuple[list[int], tuple[Operation, ...]]],
        lane: Callable[[int], Lane],
        now: float | None,
        deadline: float,
        *,
        call: WatchedCall | None = None,
    ) -> None:
        self._lane = lane
        traceparent = None if call is None else call.traceparent
        self._shares = [
            (partition, positions, lane(partition).submit(operations, now, deadline, traceparent))
            for partition, (positions, operations) in shares.items()
        ]
        if call is not None:
            call.follow([(partition, part.size, part) for partition, _, part in self._shares])

    @property
    def parts(self) -> list[Pending]:
        """What to wait for."""
        return [pending for _, _, pending in self._shares]

    def gather(self, count: int) -> list[list[Gathered]]:
        """For each position, what each partition said that was asked about it.

        Raises:
            Exception: whatever a part of the submission was settled with.
        """
        gathered: list[list[Gathered]] = [[] for _ in range(count)]
        for partition, positions, pending in self._shares:
            outcome = pending.outcome
            if isinstance(outcome, Exception):
                raise outcome
            results = (outcome,) * len(positions) if isinstance(outcome, Failure) else outcome
            for position, result in zip(positions, results, strict=True):
                gathered[position].append(Gathered(partition, result))
        return gathered


class ResolveScatter:
    """Sends each partition its share of a resolve's keys in one call, and gathers the shares.

    Its owner alone answers for a key.
    """

    def __init__(
        self,
        wishes: Resolve,
        ownership: Ownership,
        lane: Callable[[int], Lane],
        now: float | None,
        deadline: float,
        *,
        call: WatchedCall | None = None,
    ) -> None:
        self._lane = lane
        traceparent = None if call is None else call.traceparent
        self._shares = [
            (partition, positions, lane(partition).submit((share,), now, deadline, traceparent))
            for partition, positions, share in _resolve_shares(wishes, ownership)
        ]
        if call is not None:
            call.follow([(partition, part.size, part) for partition, _, part in self._shares])

    @property
    def parts(self) -> list[Pending]:
        """What to wait for."""
        return [pending for _, _, pending in self._shares]

    def gather(self) -> list[Share]:
        """What each partition said.

        Raises:
            InvalidInputError: a partition refused its share.
            Exception: whatever a part of the submission was settled with.
        """
        return [
            Share(partition, positions, said(pending.outcome))
            for partition, positions, pending in self._shares
        ]


def _resolve_shares(wishes: Resolve, ownership: Ownership) -> list[tuple[int, list[int] | None, Resolve]]:
    keys = wishes.keys
    if len(keys) == 1:
        return [(ownership.owner(keys[0]), None, wishes)]
    if ownership.only is not None and keys:
        return [(ownership.only, None, wishes)]
    shares: dict[int, list[int]] = {}
    for position, owner in enumerate(ownership.owners_of(keys)):
        if (positions := shares.get(owner)) is None:
            positions = shares[owner] = []
        positions.append(position)
    return [
        (partition, positions, wishes._replace(keys=tuple(map(keys.__getitem__, positions))))
        for partition, positions in shares.items()
    ]


def said(outcome: Outcome[tuple[Result, ...]]) -> Answers | Failure:
    """The answers to a resolve that settled so, or why there are none.

    Raises:
        InvalidInputError: the partition refused it.
        Exception: whatever it was settled with.
    """
    if isinstance(outcome, Exception):
        raise outcome
    if isinstance(outcome, Failure):
        return outcome
    (answers,) = outcome
    if isinstance(answers, Refused):
        raise refusal(answers)
    assert isinstance(answers, Answers)
    return answers


def share_operations(
    operations: Sequence[tuple[str, Operation]], ownership: Ownership
) -> dict[int, tuple[list[int], tuple[Operation, ...]]]:
    """Each partition's share of (key, operation) pairs; every keeper of a key is asked."""
    shares: dict[int, tuple[list[int], list[Operation]]] = {}
    for position, (key, operation) in enumerate(operations):
        for partition in ownership.keepers(key):
            positions, share = shares.setdefault(partition, ([], []))
            positions.append(position)
            share.append(operation)
    return {partition: (positions, tuple(share)) for partition, (positions, share) in shares.items()}


def share_look(
    key: str, operation: Operation, ownership: Ownership
) -> dict[int, tuple[list[int], tuple[Operation, ...]]]:
    """The one share of an operation that only the key's owner is asked about."""
    return {ownership.owner(key): ([0], (operation,))}
