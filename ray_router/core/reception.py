"""Reception: whether a partition can carry a group out, and if so in whose place.

Where sender and partition go by the same decree, and the partition has all that it owns, there is nothing
to look at: that is so in all calls but those of a few moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_router.core.admission import check_key, check_operation
from ray_router.core.exchange import Exchange
from ray_router.core.keytext import scope_of
from ray_router.core.operations import Elsewhere, Explain, Get, Group, Moved, Operation, Resolve
from ray_router.core.settings import Limits
from ray_router.errors import InvalidInputError
from ray_router.model import Scope


def received(group: Group, exchange: Exchange, limits: Limits, *, agreed: bool) -> bool | Elsewhere | Moved:
    """Whether a group is carried out on copies, in another's place; or why it is not carried out here.

    Args:
        agreed: the sender goes by the same decree.
    """
    if not group.copy and agreed and exchange.ready and not exchange.custody.awaits:
        return False
    keys = list(session_keys(group.operations, limits))
    mine = [exchange.custody.owns(key) for key in keys]
    copy = group.copy
    if not agreed:
        if copy and keys and all(mine):
            copy = False  # it has come to be one's own
        elif any(mine) if copy else not all(mine):
            return Moved(exchange.decree.since)
        elif copy and not group.astray and not all(map(exchange.keeps, keys)):
            return Moved(exchange.decree.since)  # others are asked for the copy by now
    if copy:
        read = session_keys(_looks(group.operations), limits)
        whole = all(exchange.answers_for(key) for key in read)
        return True if whole else Elsewhere("it does not hold a whole copy")
    if not exchange.ready and keys:
        if exchange.keeps_copies:
            return Elsewhere("it has been restarted, and does not hold its sessions yet")
        return Moved(exchange.decree.since)  # nobody else can be asked
    read = session_keys(_looks(group.operations), limits)
    return False if all(map(exchange.is_here, read)) else Moved(exchange.decree.since)


def session_keys(operations: Sequence[Operation], limits: Limits) -> Iterator[str]:
    """The sessions that a group is about, so far as they are any: what is bad input is refused later."""
    for operation in operations:
        try:
            check_operation(operation, limits)
        except InvalidInputError:
            continue
        for key in operation.keys if isinstance(operation, Resolve) else (operation.key,):
            try:
                check_key(key, limits)
            except InvalidInputError:
                continue
            if scope_of(key) < Scope.INSTANCE:
                yield key


def _looks(operations: Sequence[Operation]) -> list[Operation]:
    return [each for each in operations if isinstance(each, Resolve | Get | Explain)]
