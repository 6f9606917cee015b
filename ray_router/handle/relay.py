"""``Relay``: one submission's way through partitions that may fail, where each session has two keepers.

Its operations are shared out by who keeps their keys; each share follows a ``Course``. Legs that go to the
same partition leave together. It is one part of a submission: whoever waits for it pumps, or watches,
whichever of its legs is under way.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from ray_router.core.operations import Operation, Resolve
from ray_router.handle.courier import TICK_S
from ray_router.handle.course import Course, Leg
from ray_router.handle.lane import Lane, Pending, Results
from ray_router.handle.manner import Manner
from ray_router.handle.promise import Failure, FailureKind, Promise
from ray_router.handle.strays import Strays
from ray_router.handle.watched import WatchedCall

_ON_THE_WAY = Failure(FailureKind.UNAVAILABLE, "its sessions are on their way to another partition")
_UNASKED = Failure(FailureKind.UNAVAILABLE, "nobody who keeps it could be asked")


class Stage(NamedTuple):
    """A share that is to be relayed.

    Args:
        order: whom to turn to for it.
        positions: where its operations stood in the submission.
        copies: how many must have it.
        writes: whether it changes anything.
        avoided: who is not to be asked first.
        since: the epoch of the decree by which these are to be asked.
        firm: its keepers have to have it while they live, since any of them may be read by anybody.
    """

    order: tuple[int, ...]
    positions: Sequence[int]
    operations: tuple[Operation, ...]
    copies: int
    writes: bool
    avoided: tuple[int, ...] = ()
    since: int | None = None
    firm: bool = False

    @property
    def keys(self) -> Iterator[str]:
        """The sessions that are written."""
        for operation in self.operations:
            if not isinstance(operation, Resolve):
                yield operation.key


Restage = Callable[[Stage, Callable[["list[Stage]"], None], Callable[[], None]], None]
"""Calls back with the stages that take a stage's place, or, when its time is over, to say so."""


class Said(NamedTuple):
    """What a partition said to a share. ``partition`` is the owner's number when nobody answered."""

    partition: int
    results: Results | Failure
    standby: bool = False


class _Share:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.course = Course(stage.order, copies=stage.copies, writes=stage.writes)
        self.said: dict[int, Results] = {}
        self.failures: dict[int, Failure] = {}

    def answers(self) -> list[Said]:
        """Everybody's answer, the owner's first; or why the owner gave none."""
        owner = self.stage.order[0]
        counted = [index for index in self.stage.order if index in self.said]
        if not self.course.over:  # one copy is not two, and the owner may be another by now
            return [Said(owner, _ON_THE_WAY)]
        if not counted or not self.course.acknowledged:
            return [Said(owner, self.failures.get(owner, _UNASKED))]
        if self.stage.firm:
            for index in self.stage.order[: self.stage.copies]:
                failure = self.failures.get(index)
                if failure is not None and failure.kind is FailureKind.DEADLINE and index not in self.said:
                    return [Said(owner, failure)]  # it lives, and would answer others without this
        return [Said(index, self.said[index], index != owner) for index in counted]


class Relay(Promise[None]):
    """Legs under way until each share has what it takes, or the caller's time is over.

    Args:
        lane: a link's, which is kept: whoever waits keeps the link, and with it the courier's care.
        strays: told of what was written without its owner.
        now: on a router with an event clock.
        deadline: monotonic seconds.
        restage: shares a stage out anew, when others keep what it is about, in a while.
        call: watches it; None when nobody does.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        lane: Callable[[int], Lane],
        strays: Strays,
        now: float | None,
        deadline: float,
        restage: Restage,
        call: WatchedCall | None = None,
    ) -> None:
        super().__init__()
        self._restage = restage
        self._lane = lane
        self._strays = strays
        self._now = now
        self._deadline = deadline
        self._acting = threading.RLock()  # a leg may settle while others are being sent
        self._shares = [_Share(stage) for stage in stages]
        self._open = set(self._shares)
        self._moving: set[_Share] = set()
        self._under_way: dict[Pending, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched = False
        self._traceparent = None if call is None else call.traceparent
        self._begin(self._shares)
        if call is not None:  # by the first owner; who else was asked is told by each answer
            call.follow(
                [(stages[0].order[0] if stages else 0, sum([len(each.positions) for each in stages]), self)]
            )

    def answers(self) -> list[tuple[Stage, list[Said]]]:
        """For each share what was said to it.

        Raises:
            Exception: whatever a leg was settled with.
        """
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return [(share.stage, share.answers()) for share in self._shares]

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""
        until, turn = time.monotonic() + timeout_s, 0
        while not self.settled:
            with self._acting:
                under_way = list(self._under_way)
            remaining_s = until - time.monotonic()
            if remaining_s <= 0:
                break
            if not under_way:
                self.wait(min(remaining_s, 0.01))  # another thread is between two legs
                continue
            pending = under_way[turn % len(under_way)]
            alone = len(under_way) == 1
            if not pending.pump(remaining_s if alone else min(remaining_s, TICK_S)):
                turn += 1  # another leg may do
        return self.settled

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that this settles without a waiting thread."""
        with self._acting:
            self._loop, self._watched = loop, True
            under_way = list(self._under_way)
        for pending in under_way:
            pending.watch(loop)

    def _begin(self, shares: Sequence[_Share]) -> None:
        lanes: dict[int, Lane] = {}
        with self._acting:
            for share in shares:
                down = [index for index in share.stage.order if self._lane(index).down]
                for leg in share.course.begin([*down, *share.stage.avoided]):
                    lanes[leg.partition] = self._lane(leg.partition)
                    self._send(share, leg, now=False)
                self._close_if_over(share)
        for lane in lanes.values():
            lane.push()
        if not self._shares:
            self.settle(None)

    def _send(self, share: _Share, leg: Leg, *, now: bool = True) -> None:
        manner = Manner(
            leg.copy, leg.astray, hedged=not leg.patient, firm=share.stage.firm, patient=leg.patient
        )
        lane = self._lane(leg.partition)
        pending = lane.submit(
            share.stage.operations,
            self._now,
            self._deadline,
            self._traceparent,
            manner,
            since=share.stage.since,
            push=now,
        )
        self._under_way[pending] = None
        pending.on_settled(partial(self._landed, share, leg, pending))
        if self._watched and not pending.settled:
            pending.watch(self._loop)

    def _landed(self, share: _Share, leg: Leg, pending: Pending) -> None:
        outcome = pending.outcome
        with self._acting:
            self._under_way.pop(pending, None)
            if isinstance(outcome, Exception):
                self._open.clear()
            elif isinstance(outcome, Failure) and outcome.kind is FailureKind.MOVED:
                if share in self._open and share not in self._moving:
                    self._moving.add(share)
                    self._restage(share.stage, partial(self._move, share), partial(self._lose, share))
            elif isinstance(outcome, Failure):
                share.failures[leg.partition] = outcome
                for further in share.course.failed(leg.partition):
                    self._send(share, further)
            else:
                share.said.setdefault(leg.partition, outcome)  # asked again, it would say that it knew
                for further in share.course.answered(leg.partition, pending.incarnation, pending.lives):
                    self._send(share, further)
            if not isinstance(outcome, Exception):
                self._close_if_over(share)
                return
        self.settle(outcome)

    def _move(self, share: _Share, stages: list[Stage]) -> None:
        """Begin anew for a share, with those who keep it by now."""
        with self._acting:
            if share not in self._open:
                return
            self._open.discard(share)
            self._moving.discard(share)
            shares = [_Share(stage) for stage in stages]
            at = self._shares.index(share)
            self._shares[at : at + 1] = shares
            self._open.update(shares)
        self._begin(shares)
        with self._acting:
            under_way = list(self._under_way)
        for pending in under_way:  # whoever waits for this may wait in another lane
            pending.watch(self._loop)

    def _lose(self, share: _Share) -> None:
        """Nobody was found in time who keeps a share."""
        with self._acting:
            self._open.discard(share)
            last = not self._open
        if last:
            self.settle(None)

    def _close_if_over(self, share: _Share) -> None:
        """Settle when this was the last share; holding the lock, which who is called back may take again."""
        if share.course.over and share in self._open:
            self._open.discard(share)
            if share.stage.writes and share.stage.order[0] not in share.course.acknowledged:
                self._strays.note(share.stage.keys)
            if not self._open:
                self.settle(None)
