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

from ray_router.core.reshaping import balanced_among, moved
from ray_router.core.slots import SLOTS, Topology
from ray_router.errors import InvalidCallError
from ray_router.handle.handing_over import ASK_AGAIN_S, FIRST, STANDS_STILL_S, HandingOver
from ray_router.model import ResizeProgress, ResizeResult
from ray_router.transport import Transport


class Resizing(HandingOver):
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

    _go_on = "resize again"

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
        super().__init__(transport, progress, clock, pause)
        self._wanted = range(partitions)
        self._owners = [each for each in self._wanted if each not in away]

    def run(self) -> tuple[ResizeResult, Topology]:
        """Go on until it is so.

        Raises:
            PartitionUnavailableError: a partition that is needed for it did not answer for a minute. What
                was done holds, and asking again goes on from there.
        """
        before = self._topology()
        there = {*before.members} & {*self._elastic.deployed()}
        self._sleepers = frozenset(self._wanted).difference(self._owners, before.members, (FIRST,))
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

    def _hire(self, partitions: Sequence[int]) -> None:
        self._elastic.hire(partitions, self._starting)
        for partition in partitions:
            since = self._clock()
            while not self._hand_off(partition).ready:
                if self._clock() - since > STANDS_STILL_S:
                    self._give_up(partition, "it does not hear from the others")
                self._pause(ASK_AGAIN_S)

    def _starting(self, partition: int) -> None:
        self._tell(ResizeProgress(f"starting partition {partition}", 0.0, 0))

    def _dismiss(self, topology: Topology) -> None:
        staying = {*self._wanted, *topology.members}
        others = [each for each in self._elastic.deployed() if each not in staying]
        if others:
            self._elastic.dismiss(others)
