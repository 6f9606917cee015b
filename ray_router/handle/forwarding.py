"""``Forwarder``: sends on what a partition did not carry out, to whoever owns it by now.

Sessions move from partition to partition while they are asked for. A partition that does not own what it is
asked for says so, and by which decree; whoever knows an older one learns the newer, and asks again by that.
Whoever knows a newer one, or the same, asks again a moment later: what was asked for is on its way.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from ray_router.core.keytext import scope_of
from ray_router.core.operations import Answers, Operation, Resolve, Result
from ray_router.handle.lane import Lane, Pending
from ray_router.handle.ownership import Ownership
from ray_router.handle.promise import Failure, FailureKind
from ray_router.model import Scope

_LEG_WAITS_S = 0.1  # others can be asked
_GONE = Failure(FailureKind.UNAVAILABLE, "no actor has its name")
_DISMISSED = Failure(FailureKind.MOVED, "its sessions moved to another")
_ON_ITS_WAY = Failure(FailureKind.UNAVAILABLE, "its sessions are on their way to another partition")


class _Held(NamedTuple):
    again: Callable[[Ownership], None]
    give_up: Callable[[], None]
    deadline: float


class Forwarder:
    """What waits to be asked again.

    Args:
        lane: the way to a partition.
        clock: monotonic seconds.
    """

    def __init__(self, lane: Callable[[int], Lane], clock: Callable[[], float] = time.monotonic) -> None:
        self._lane = lane
        self._clock = clock
        self._held: deque[_Held] = deque()
        self._lock = threading.RLock()

    def hold(self, again: Callable[[Ownership], None], give_up: Callable[[], None], deadline: float) -> None:
        """Have something asked again, by whatever is known then; or given up, at its deadline."""
        with self._lock:
            self._held.append(_Held(again, give_up, deadline))

    def hold_call(self, pending: Pending) -> None:
        """Have a call sent to whoever owns its sessions."""
        self.hold(partial(self._forward, pending), partial(pending.settle, _ON_ITS_WAY), pending.deadline)

    def hold_unless_member(self, pending: Pending) -> None:
        """The partition is gone: send the call on if it no longer owns anything, or it is over."""

        def again(ownership: Ownership) -> None:
            if pending.lane.partition in ownership.topology.members:
                pending.settle(_GONE)
            else:
                self._forward(pending, ownership)

        self.hold(again, partial(pending.settle, _GONE), pending.deadline)

    def hold_leg(self, pending: Pending) -> None:
        """The partition is gone: tell whoever knows others to ask whether it is so by decree."""

        def again(ownership: Ownership) -> None:
            dismissed = pending.lane.partition not in ownership.topology.members
            pending.settle(_DISMISSED if dismissed else _GONE)

        deadline = min(pending.deadline, self._clock() + _LEG_WAITS_S)
        self.hold(again, partial(pending.settle, _GONE), deadline)

    def release(self, ownership: Ownership) -> None:
        """Ask again for all that is held, in the order in which it came."""
        with self._lock:
            held, self._held = self._held, deque()
        now = self._clock()
        for each in held:
            if each.deadline <= now:
                each.give_up()
            else:
                each.again(ownership)

    def __len__(self) -> int:
        return len(self._held)

    def _forward(self, pending: Pending, ownership: Ownership) -> None:
        shares = _shares(pending, ownership)
        if len(shares) == 1:
            (partition,) = shares
            pending.lane, pending.since = self._lane(partition), ownership.topology.since
            _send(pending)
        else:
            _Split(pending, shares, self._lane, ownership.topology.since)


Spot = tuple[int, int | None]
"""Which of a call's operations, and which of that operation's keys."""


def _shares(pending: Pending, ownership: Ownership) -> dict[int, list[tuple[list[Spot], Operation]]]:
    """What each partition is to be asked instead, with the spots in the call that its answers belong to."""
    shares: dict[int, list[tuple[list[Spot], Operation]]] = {}
    for number, operation in enumerate(pending.operations):
        if not isinstance(operation, Resolve):
            stays = scope_of(operation.key) >= Scope.INSTANCE and (
                pending.lane.partition in ownership.topology.members
            )
            partition = pending.lane.partition if stays else ownership.owner(operation.key)
            shares.setdefault(partition, []).append(([(number, None)], operation))
            continue
        by_owner: dict[int, list[int]] = {}
        for position, key in enumerate(operation.keys):
            by_owner.setdefault(ownership.owner(key), []).append(position)
        for partition, positions in by_owner.items():
            keys = tuple([operation.keys[position] for position in positions])
            spots: list[Spot] = [(number, position) for position in positions]
            shares.setdefault(partition, []).append((spots, operation._replace(keys=keys)))
    return shares


def _send(pending: Pending) -> None:
    lane = pending.lane
    lane.put(pending)
    lane.watch(None)  # whoever waits for it may wait in another lane


class _Split:
    """A call that several partitions answer by now, put together again for whoever waits for it."""

    def __init__(
        self,
        pending: Pending,
        shares: dict[int, list[tuple[list[Spot], Operation]]],
        lane: Callable[[int], Lane],
        since: int,
    ) -> None:
        self._pending = pending
        self._left = len(shares)
        self._lock = threading.Lock()
        self._found: dict[Spot, Result | object] = {}
        self._now: dict[int, float] = {}
        for partition, share in shares.items():
            operations = tuple([operation for _, operation in share])
            part = Pending(
                lane(partition),
                operations,
                pending.now,
                pending.deadline,
                pending.traceparent,
                since,
                pending.manner,
            )
            part.on_settled(partial(self._settled, part, [spots for spots, _ in share]))
            _send(part)

    def _settled(self, part: Pending, spots: Sequence[list[Spot]]) -> None:
        outcome = part.outcome
        if not isinstance(outcome, tuple) or isinstance(outcome, Failure):
            self._pending.settle(outcome)
            return
        with self._lock:
            for each, result in zip(spots, outcome, strict=True):
                if isinstance(result, Answers):
                    self._now[each[0][0]] = result.now
                    self._found.update(zip(each, result.items, strict=True))
                else:
                    self._found.update(dict.fromkeys(each, result))
            self._left -= 1
            last = not self._left
        if last:
            self._pending.settle(tuple(map(self._result, range(len(self._pending.operations)))))

    def _result(self, number: int) -> Result:
        operation = self._pending.operations[number]
        if not isinstance(operation, Resolve):
            return self._found[number, None]  # type: ignore[return-value]  # what is no answer is a result
        items = [self._found[number, position] for position in range(len(operation.keys))]
        return Answers(self._now.get(number, 0.0), items)  # type: ignore[arg-type]
