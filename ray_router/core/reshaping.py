"""Reshaping: who is to own which slots when partitions are added or taken away. Pure.

A slot moves only if it must: when its owner is to own none, or more than its share. Nobody moves between
two partitions that both stay within their shares, so the moves are as few as any that end balanced. Where
nobody comes or goes nothing moves, be the shares as a rebalance left them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from ray_router.core.slots import SLOTS


def balanced_among(owners: array[int], partitions: Sequence[int]) -> array[int]:
    """The owners once these partitions have equal shares (they differ by at most one), by the fewest moves.

    If these own all slots already, they keep what they have.

    Args:
        owners: the partition of each slot.
        partitions: those that are to own slots, at least one.
    """
    if set(owners) == set(partitions):
        return owners
    quotas = _quotas(owners, partitions)
    room = dict(quotas)
    moving: list[int] = []
    for slot, owner in enumerate(owners):
        if room.get(owner, 0) > 0:
            room[owner] -= 1
        else:
            moving.append(slot)
    takers = [partition for partition in partitions if room[partition] > 0]
    after = array("H", owners)
    turns: dict[int, int] = {}
    for slot in moving:  # each owner deals in turn, so that it gives some to each of the takers
        turn = turns[owners[slot]] = turns.get(owners[slot], -1) + 1
        partition = takers[turn % len(takers)]
        after[slot] = partition
        room[partition] -= 1
        if room[partition] == 0:
            takers.remove(partition)
    return after


def moved(before: Sequence[int], after: Sequence[int]) -> int:
    """How many slots have another owner after than before."""
    return sum(map(int.__ne__, before, after))


def _quotas(owners: array[int], partitions: Sequence[int]) -> dict[int, int]:
    """How many slots each is to own; whoever owns the most now may keep the one that is left over."""
    shares = dict.fromkeys(partitions, 0)
    for owner in owners:
        if owner in shares:
            shares[owner] += 1
    small, larger = divmod(SLOTS, len(partitions))
    most_first = sorted(partitions, key=lambda each: (-shares[each], each))
    return {partition: small + (place < larger) for place, partition in enumerate(most_first)}
