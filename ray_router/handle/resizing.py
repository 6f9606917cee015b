"""``Resizing``: partitions added and taken away while the router is used, step by step.

Where a resize stands is written in the partitions' own topology, and in nothing else: a decree says who is
to own what next, a second one that they do. Whoever asks for a number of partitions looks how far things
are and does what is missing, so that one that was interrupted is completed by asking for the same number
again, and rolled back by asking for the former. The first partition, which stays, takes one decree after
the other; two who resize at once do not contradict each other, the later one has its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

from ray_router.core.reshaping import balanced_among, moved
from ray_router.core.slots import SLOTS, Topology
from ray_router.errors import InvalidCallError, PartitionUnavailableError, RouterError
from ray_router.model import ResizeProgress, ResizeResult
from ray_router.transport import Control, Decree, Elastic, Fault, HandOff, Request, Transport

_FIRST = 0
_ASK_AGAIN_S = 0.02
_ANSWERS_WITHIN_S = 5.0
_STANDS_STILL_S = 60.0


class Resizing:
    """One router's way to another number of partitions.

    Args:
        transport: carries calls to the partitions, and can have more of them.
        partitions: how many there are to be, each with an equal share of the slots.
        away: those of them that are to own none for now.
        progress: told now and then how far it is.
        clock: monotonic seconds.
        pause: waits so many seconds.

    Raises:
        InvalidCallError: that is no number of partitions.
        RouterError: the transport can have no other partitions.
    """

    def __init__(
        self,
        transport: Transport,
        partitions: int,
        progress: Callable[[ResizeProgress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        away: Collection[int] = (),
    ) -> None:
        if type(partitions) is not int or not 1 <= partitions <= SLOTS:
            raise InvalidCallError("partitions", f"must be an int from 1 to {SLOTS}, not {partitions!r}")
        if not isinstance(transport, Elastic):
            raise RouterError(f"{type(transport).__name__} cannot add or take away partitions")
        self._wanted = range(partitions)
        self._owners = [each for each in self._wanted if each not in away]
        self._sleepers: frozenset[int] = frozenset()  # nothing is asked of them, for they have nothing
        self._transport = transport
        self._elastic: Elastic = transport
        self._progress = progress
        self._clock = clock
        self._pause = pause

    def run(self) -> tuple[ResizeResult, Topology]:
        """Go on until it is so.

        Raises:
            PartitionUnavailableError: a partition that is needed for it did not answer for a minute. What
                was done holds, and asking again goes on from there.
        """
        before = self._topology()
        there = {*before.members} & {*self._elastic.deployed()}
        self._sleepers = frozenset(self._wanted).difference(self._owners, before.members, (_FIRST,))
        self._hire([index for index in self._owners if index not in there])
        topology = self._decreed(before, self._heading)
        self._settle("copying", topology)
        if topology.heirs is not None:
            topology = self._decreed(topology, Topology.inherited)
            self._settle("handing over", topology)
        self._dismiss(topology)
        result = ResizeResult(moved(before.owners, topology.owners), len(topology.partitions), topology.epoch)
        return result, topology

    def _heading(self, topology: Topology) -> Topology:
        return topology.heading_for(balanced_among(topology.owners, self._owners))

    def _decreed(self, topology: Topology, next_of: Callable[[Topology], Topology]) -> Topology:
        """Have the first partition decree what follows from what holds, and tell everybody."""
        while True:
            decree = next_of(topology)
            if decree.rank[1:] == topology.rank[1:]:
                decree = topology  # it has been decreed already
            held = self._ask(_FIRST, Decree(decree, topology.since))
            assert isinstance(held, Topology)
            if held.mark == decree.mark:
                break
            topology = held  # somebody else was faster
        for partition in self._awake():
            self._ask(partition, Decree(held))
        return held

    def _settle(self, phase: str, topology: Topology) -> None:
        """Wait until everybody goes by a decree, and has what it says."""
        partitions = self._awake()
        since, before, most = self._clock(), -1, 1
        while True:
            states = {partition: self._hand_off(partition) for partition in partitions}
            left = sum(state.left for state in states.values())
            if left != before:
                since, before, most = self._clock(), left, max(most, left)
            waited_for = [
                partition
                for partition, state in states.items()
                if state.since < topology.since
                or not state.handed_on
                or not (state.ready if partition in topology.members else state.empty)
            ]
            self._tell(ResizeProgress(phase, 1 - left / most if waited_for else 1.0, left))
            if not waited_for:
                return
            if self._clock() - since > _STANDS_STILL_S:
                self._give_up(waited_for[0], f"{left} sessions have yet to be handed on, and nothing moves")
            self._pause(_ASK_AGAIN_S)

    def _hire(self, partitions: Sequence[int]) -> None:
        self._elastic.hire(partitions, self._starting)
        for partition in partitions:
            since = self._clock()
            while not self._hand_off(partition).ready:
                if self._clock() - since > _STANDS_STILL_S:
                    self._give_up(partition, "it does not hear from the others")
                self._pause(_ASK_AGAIN_S)

    def _starting(self, partition: int) -> None:
        self._tell(ResizeProgress(f"starting partition {partition}", 0.0, 0))

    def _dismiss(self, topology: Topology) -> None:
        staying = {*self._wanted, *topology.members}
        others = [each for each in self._elastic.deployed() if each not in staying]
        if others:
            self._elastic.dismiss(others)

    def _awake(self) -> list[int]:
        return [each for each in self._elastic.deployed() if each not in self._sleepers]

    def _topology(self) -> Topology:
        topology = self._ask(_FIRST, Control.TOPOLOGY)
        assert isinstance(topology, Topology)
        return topology

    def _hand_off(self, partition: int) -> HandOff:
        state = self._ask(partition, Control.HAND_OFF)
        assert isinstance(state, HandOff)
        return state

    def _ask(self, partition: int, request: Request) -> object:
        """Ask until it answers: it may be restarting."""
        until = self._clock() + _STANDS_STILL_S
        while True:
            try:
                return self._transport.ask(partition, request).wait(_ANSWERS_WITHIN_S)
            except Fault as fault:
                if self._clock() > until:
                    self._give_up(partition, str(fault))
                self._transport.relocate(partition)
                self._pause(_ASK_AGAIN_S)

    def _give_up(self, partition: int, problem: str) -> NoReturn:
        raise PartitionUnavailableError(partition, f"{problem}; resize again to go on")

    def _tell(self, progress: ResizeProgress) -> None:
        if self._progress is not None:
            self._progress(progress)
