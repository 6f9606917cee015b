"""Submissions to a router that keeps every session twice, shared out by who keeps their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ray_router.core.keytext import scope_of
from ray_router.core.operations import Operation, Resolve
from ray_router.handle.link import Link
from ray_router.handle.ownership import Ownership
from ray_router.handle.relay import Relay, Stage
from ray_router.handle.resolutions import Share
from ray_router.handle.scatter import Gathered, for_some, said, spread
from ray_router.handle.strays import Strays
from ray_router.handle.watched import WatchedCall
from ray_router.model import Scope


class Twofold:
    """Sends a submission to the keepers of its keys, what fails to others, and finds the answers again.

    Args:
        stages: of operations or of a resolve, from ``stage_operations`` or ``stage_resolve``.
        copies: how many keepers must have a write.
        link: whose lanes carry it.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        copies: int,
        link: Link,
        now: float | None,
        deadline: float,
        *,
        call: WatchedCall | None = None,
    ) -> None:
        self._copies = copies
        self._link = link
        self._deadline = deadline
        self._relay = Relay(stages, link.lane, link.strays, now, deadline, self._restage, call)

    def _restage(
        self, stage: Stage, begin: Callable[[list[Stage]], None], give_up: Callable[[], None]
    ) -> None:
        """Have a stage begin again with those who keep it in a moment."""
        copies, strays = self._copies if stage.writes else 0, self._link.strays

        def again(ownership: Ownership) -> None:
            first = stage.operations[0]
            if isinstance(first, Resolve):
                stages = stage_resolve(first, ownership, strays)
            else:
                keyed = [(each.key, each) for each in stage.operations if not isinstance(each, Resolve)]
                stages = stage_operations(keyed, copies, ownership, strays)
            begin(
                [each._replace(positions=[stage.positions[at] for at in each.positions]) for each in stages]
            )

        self._link.hold(again, give_up, self._deadline)

    @property
    def parts(self) -> list[Relay]:
        """What to wait for."""
        return [self._relay]

    def gather(self, count: int) -> list[list[Gathered]]:
        """For each position, what each partition said that was asked about it, the owner first.

        Raises:
            Exception: whatever a part of the submission was settled with.
        """
        gathered: list[list[Gathered]] = [[] for _ in range(count)]
        for stage, answers in self._relay.answers():
            for partition, results, _ in answers:
                spread(gathered, stage.positions, partition, results)
        return gathered

    def answers(self) -> list[Share]:
        """Of a resolve: what each partition said.

        Raises:
            InvalidInputError: a partition refused its share.
            Exception: whatever a part of the submission was settled with.
        """
        return [
            Share(answers[0].partition, stage.positions, said(answers[0].results), answers[0].standby)
            for stage, answers in self._relay.answers()
        ]


def stage_operations(
    operations: Sequence[tuple[str, Operation]], copies: int, ownership: Ownership, strays: Strays
) -> list[Stage]:
    """Shares of (key, operation) pairs.

    Args:
        copies: how many keepers must have a write; 0 for one operation that only looks.
    """
    shares: dict[tuple[int, ...], tuple[list[int], list[Operation]]] = {}
    for position, (key, operation) in enumerate(operations):
        order = ownership.order(key) if scope_of(key) < Scope.INSTANCE else ownership.keepers(key)
        positions, share = shares.setdefault(order, ([], []))
        positions.append(position)
        share.append(operation)
    writes = copies > 0
    stages = []
    for order, (positions, share) in shares.items():
        key = operations[positions[0]][0]
        avoided = order[:1] if not writes and key in strays else ()
        counted = _copies(order, copies, key)
        since = ownership.topology.since
        firm = copies > 1 and scope_of(key) < Scope.INSTANCE
        stages.append(Stage(order, positions, tuple(share), counted, writes, avoided, since, firm))
    return stages


def _copies(order: tuple[int, ...], copies: int, key: str) -> int:
    """Every partition keeps the defaults; a look needs one answer."""
    return len(order) if copies and scope_of(key) >= Scope.INSTANCE else max(1, copies)


def stage_resolve(
    wishes: Resolve, ownership: Ownership, strays: Strays, turns: Iterator[int] | None = None
) -> list[Stage]:
    """Shares of a resolve's keys.

    Args:
        turns: counts shares, of which every second one goes to the standby; None: all go to the owner.
    """
    shares: dict[tuple[tuple[int, ...], bool], list[int]] = {}
    for position, key in enumerate(wishes.keys):
        shares.setdefault((ownership.order(key), key in strays), []).append(position)
    return [
        Stage(
            order,
            positions,
            (for_some(wishes, positions),),
            copies=1,
            writes=False,
            avoided=order[:1] if stray or (turns is not None and next(turns) % 2) else (),
            since=ownership.topology.since,
        )
        for (order, stray), positions in shares.items()
    ]
