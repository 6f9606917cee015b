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

Part = tuple[int, "Sequence[int] | None", tuple[Operation, ...]]
"""A partition, where its share stood in the submission (None: it is all of it), and what it is asked."""


class Gathered(NamedTuple):
    """What one partition said to one operation."""

    partition: int
    result: Result | Failure


class Scatter:
    """Sends each partition its share of a submission in one call, and finds the answers again.

    Args:
        shares: of operations or of a resolve, from ``share_operations``, ``share_look`` or ``share_resolve``.
        lane: a link's, which is kept: whoever waits keeps the link, and with it the courier's care.
        since: the epoch of the decree that the shares go by.
        call: watches it; None when nobody does.
    """

    def __init__(
        self,
        shares: Sequence[Part],
        lane: Callable[[int], Lane],
        now: float | None,
        deadline: float,
        *,
        since: int | None = None,
        call: WatchedCall | None = None,
    ) -> None:
        self._lane = lane
        traceparent = None if call is None else call.traceparent
        self._shares = [
            (
                partition,
                positions,
                lane(partition).submit(operations, now, deadline, traceparent, since=since),
            )
            for partition, positions, operations in shares
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
        for _, positions, pending in self._shares:
            outcome = pending.outcome
            if isinstance(outcome, Exception):
                raise outcome
            # Whoever was asked in the end: the sessions may have moved meanwhile.
            spread(
                gathered, range(count) if positions is None else positions, pending.lane.partition, outcome
            )
        return gathered

    def answers(self) -> list[Share]:
        """Of a resolve: what each partition said.

        Raises:
            InvalidInputError: a partition refused its share.
            Exception: whatever a part of the submission was settled with.
        """
        return [
            Share(pending.lane.partition, positions, said(pending.outcome))
            for _, positions, pending in self._shares
        ]


def spread(
    gathered: list[list[Gathered]],
    positions: Sequence[int],
    partition: int,
    results: tuple[Result, ...] | Failure,
) -> None:
    """Add to each position what a partition said about it; a failure is said about all."""
    each = (results,) * len(positions) if isinstance(results, Failure) else results
    for position, result in zip(positions, each, strict=True):
        gathered[position].append(Gathered(partition, result))


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


def share_resolve(wishes: Resolve, ownership: Ownership) -> list[Part]:
    """Each partition's share of a resolve: its owner alone answers for a key."""
    keys = wishes.keys
    only = ownership.owner(keys[0]) if len(keys) == 1 else ownership.only
    if only is not None and keys:
        return [(only, None, (wishes,))]
    shares: dict[int, list[int]] = {}
    for position, owner in enumerate(ownership.owners_of(keys)):
        if (positions := shares.get(owner)) is None:
            positions = shares[owner] = []
        positions.append(position)
    return [(partition, positions, (for_some(wishes, positions),)) for partition, positions in shares.items()]


def for_some(wishes: Resolve, positions: Sequence[int]) -> Resolve:
    """The same wishes for some of the keys."""
    return wishes._replace(keys=tuple(map(wishes.keys.__getitem__, positions)))


def share_operations(operations: Sequence[tuple[str, Operation]], ownership: Ownership) -> list[Part]:
    """Each partition's share of (key, operation) pairs; every keeper of a key is asked."""
    shares: dict[int, tuple[list[int], list[Operation]]] = {}
    for position, (key, operation) in enumerate(operations):
        for partition in ownership.keepers(key):
            positions, share = shares.setdefault(partition, ([], []))
            positions.append(position)
            share.append(operation)
    return [(partition, positions, tuple(share)) for partition, (positions, share) in shares.items()]


def share_look(key: str, operation: Operation, ownership: Ownership) -> list[Part]:
    """The one share of an operation that only the key's owner is asked about."""
    return [(ownership.owner(key), None, (operation,))]
