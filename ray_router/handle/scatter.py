"""Scatter and gather: a submission's operations to the partitions that own their keys, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from ray_router.core.operations import Operation, Resolve, Result
from ray_router.handle.lane import Lane, Pending
from ray_router.handle.ownership import Ownership
from ray_router.handle.promise import Failure


class Gathered(NamedTuple):
    """What one partition said to one operation."""

    partition: int
    result: Result | Failure


class Scatter:
    """Sends each partition its share of a submission in one call, and finds the answers again.

    Args:
        shares: partition -> (positions in the submission, what to do about them).
        lane: a link's, which is kept: whoever waits keeps the link, and with it the courier's care.
    """

    def __init__(
        self,
        shares: dict[int, tuple[list[int], tuple[Operation, ...]]],
        lane: Callable[[int], Lane],
        now: float | None,
        deadline: float,
    ) -> None:
        self._lane = lane
        self._shares = [
            (partition, positions, lane(partition).submit(operations, now, deadline))
            for partition, (positions, operations) in shares.items()
        ]

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
            results = (
                (outcome,) * len(positions)
                if isinstance(outcome, Failure)
                else _spread(outcome, len(positions))
            )
            for position, result in zip(positions, results, strict=True):
                gathered[position].append(Gathered(partition, result))
        return gathered


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


def share_resolve(
    wishes: Resolve, ownership: Ownership
) -> dict[int, tuple[list[int], tuple[Operation, ...]]]:
    """Each partition's share of a resolve: its owner alone answers for a key."""
    shares: dict[int, tuple[list[int], list[str]]] = {}
    for position, key in enumerate(wishes.keys):
        positions, keys = shares.setdefault(ownership.owner(key), ([], []))
        positions.append(position)
        keys.append(key)
    return {
        partition: (positions, (wishes._replace(keys=tuple(keys)),))
        for partition, (positions, keys) in shares.items()
    }


def share_look(
    key: str, operation: Operation, ownership: Ownership
) -> dict[int, tuple[list[int], tuple[Operation, ...]]]:
    """The one share of an operation that only the key's owner is asked about."""
    return {ownership.owner(key): ([0], (operation,))}


def _spread(results: tuple[Result, ...], count: int) -> tuple[Result, ...]:
    """A share of a resolve comes back as one tuple of answers, or as one refusal of all it asked."""
    only = results[0]
    if type(only) is tuple:
        return cast("tuple[Result, ...]", only)
    return results if len(results) == count else (only,) * count
