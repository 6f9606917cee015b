"""``HandingOver``: how slots change hands by decree, step by step, whoever decides which and why.

Where a change stands is written in the partitions' own topology, and in nothing else: a decree says who is
to own what next, a second one that they do. The first partition, which stays, takes one decree after the
other; two who decree at once do not contradict each other, the later one has its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from ray_router.core.slots import Topology
from ray_router.errors import PartitionUnavailableError, RouterError
from ray_router.model import ResizeProgress
from ray_router.transport import Control, Decree, Elastic, Fault, HandOff, Request, Transport

ASK_AGAIN_S = 0.02
STANDS_STILL_S = 60.0

FIRST = 0
ANSWERS_WITHIN_S = 5.0


class HandingOver:
    """What has slots change hands; whoever dies in the middle of it leaves nothing but what was decreed.

    Args:
        transport: carries calls to the partitions.
        progress: told now and then how far it is.
        clock: monotonic seconds.
        pause: waits so many seconds.

    Raises:
        RouterError: the partitions of the transport are what they are.
    """

    _go_on = "do it again"

    def __init__(
        self,
        transport: Transport,
        progress: Callable[[ResizeProgress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not isinstance(transport, Elastic):
            raise RouterError(f"{type(transport).__name__} cannot add or take away partitions")
        self._transport = transport
        self._elastic: Elastic = transport
        self._sleepers: frozenset[int] = frozenset()  # nothing is asked of them, for they have nothing
        self._progress = progress
        self._clock = clock
        self._pause = pause

    def _decreed(self, topology: Topology, next_of: Callable[[Topology], Topology]) -> Topology:
        """Have the first partition decree what follows from what holds, and tell everybody."""
        while True:
            decree = next_of(topology)
            if decree.rank[1:] == topology.rank[1:]:
                decree = topology  # it has been decreed already
            held = self._ask(FIRST, Decree(decree, topology.since))
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
            if self._clock() - since > STANDS_STILL_S:
                self._give_up(waited_for[0], f"{left} sessions have yet to be handed on, and nothing moves")
            self._pause(ASK_AGAIN_S)

    def _awake(self) -> list[int]:
        return [each for each in self._elastic.deployed() if each not in self._sleepers]

    def _topology(self) -> Topology:
        """What the first partition goes by, once it knows all decrees: it may have been restarted."""
        began_at = self._clock()
        while True:
            topology = self._ask(FIRST, Control.TOPOLOGY)
            assert isinstance(topology, Topology)
            if topology.since >= self._latest_decree():
                return topology
            if self._clock() - began_at > STANDS_STILL_S:
                self._give_up(FIRST, "it does not hear what was decreed")
            self._pause(ASK_AGAIN_S)

    def _latest_decree(self) -> int:
        """The number of the latest decree that any partition knows which answers at once."""
        latest = 0
        for partition in self._elastic.deployed():
            with suppress(Fault):
                state = self._transport.ask(partition, Control.HAND_OFF).wait(ANSWERS_WITHIN_S)
                assert isinstance(state, HandOff)
                latest = max(latest, state.since)
        return latest

    def _hand_off(self, partition: int) -> HandOff:
        state = self._ask(partition, Control.HAND_OFF)
        assert isinstance(state, HandOff)
        return state

    def _ask(self, partition: int, request: Request) -> object:
        """Ask until it answers: it may be restarting."""
        until = self._clock() + STANDS_STILL_S
        while True:
            try:
                return self._transport.ask(partition, request).wait(ANSWERS_WITHIN_S)
            except Fault as fault:
                if self._clock() > until:
                    self._give_up(partition, str(fault))
                self._transport.relocate(partition)
                self._pause(ASK_AGAIN_S)

    def _give_up(self, partition: int, problem: str) -> NoReturn:
        raise PartitionUnavailableError(partition, f"{problem}; {self._go_on} to go on")

    def _tell(self, progress: ResizeProgress) -> None:
        if self._progress is not None:
            self._progress(progress)
