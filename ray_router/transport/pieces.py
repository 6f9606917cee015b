"""Long groups in pieces, so that stats, pings and cleaning need not wait for all of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeGuard

from ray_router.core.operations import Answers, Group, Operation, Resolve, Result

_MOST_OPERATIONS = 500  # some 10 ms
_MOST_KEYS = 5_000  # 1 ms where all of them are answered at once, and some 100 ms where none is


class Piece(NamedTuple):
    """Some of a group. ``goes_on``: it is the rest of the resolve that the piece before it ended with."""

    group: Group
    goes_on: bool = False


def pieces_of(group: Group, most: int) -> list[Piece]:
    """A group in pieces, in order; one that is short, or longer than ``most``, is left whole."""
    operations = group.operations
    longest = max([len(each.keys) for each in operations if _has_keys(each)], default=0)
    if longest <= _MOST_KEYS and len(operations) <= _MOST_OPERATIONS:
        return [Piece(group)]
    if longest > most or len(operations) > most:
        return [Piece(group)]  # which is refused as a whole
    return [Piece(group._replace(operations=some), goes_on) for some, goes_on in _cut(operations)]


def joined(said: Sequence[tuple[Piece, Sequence[Result]]]) -> tuple[Result, ...]:
    """The results of all pieces as those of the group."""
    results: list[Result] = []
    for piece, some in said:
        if not piece.goes_on:
            results.extend(some)
            continue
        before, (rest,) = results[-1], some
        if isinstance(before, Answers) and isinstance(rest, Answers):
            results[-1] = Answers(before.now, [*before.items, *rest.items])
    return tuple(results)


def _has_keys(operation: Operation) -> TypeGuard[Resolve]:
    """Whether it is a resolve whose keys can be counted; nothing was checked yet."""
    return isinstance(operation, Resolve) and isinstance(operation.keys, tuple)


def _cut(operations: Sequence[Operation]) -> Iterator[tuple[tuple[Operation, ...], bool]]:
    some: list[Operation] = []
    for operation in operations:
        if not _has_keys(operation) or len(operation.keys) <= _MOST_KEYS:
            some.append(operation)
            if len(some) == _MOST_OPERATIONS:
                yield tuple(some), False
                some = []
            continue
        if some:
            yield tuple(some), False
            some = []
        for first in range(0, len(operation.keys), _MOST_KEYS):
            keys = operation.keys[first : first + _MOST_KEYS]
            yield (operation._replace(keys=keys),), first > 0
    if some:
        yield tuple(some), False
