"""``Rebalancing``: slots of hot partitions handed to cool ones while the router is used.

It hands them over as a resize does, and what was interrupted is completed before anything else is planned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ray_router.core.rebalancing import moved_along, plan_rebalance
from ray_router.core.slots import SLOTS, Topology
from ray_router.errors import InvalidCallError, RouterError
from ray_router.handle.handing_over import HandingOver
from ray_router.model import PartitionInsight, RebalancePlan, ResizeProgress
from ray_router.transport import Control, Transport


class Rebalancing(HandingOver):
    """One router's way to partitions that are equally busy.

    Args:
        transport: carries calls to the partitions.
        most_moves: how many slots may change hands.
        progress: told now and then how far it is.
        clock: monotonic seconds.
        pause: waits so many seconds.

    Raises:
        InvalidCallError: that is no number of moves.
        RouterError: the partitions of the transport are what they are.
    """

    _go_on = "rebalance again"

    def __init__(
        self,
        transport: Transport,
        most_moves: int,
        progress: Callable[[ResizeProgress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if type(most_moves) is not int or not 1 <= most_moves <= SLOTS:
            raise InvalidCallError("max_moves", f"must be an int from 1 to {SLOTS}, not {most_moves!r}")
        super().__init__(transport, progress, clock, pause)
        self._most_moves = most_moves

    def plan(self) -> tuple[RebalancePlan, Topology]:
        """What there is to do, and who owns what until it is done.

        Raises:
            RouterError: a resize was begun, and is not over.
            PartitionUnavailableError: a partition did not answer for a minute.
        """
        topology = self._topology()
        if topology.heirs is not None and {*topology.heirs} != {*topology.owners}:
            raise RouterError("partitions are being added or taken away: resize again to complete that first")
        insights = [self._insight(partition) for partition in topology.partitions]
        return plan_rebalance(topology, insights, self._most_moves), topology

    def run(self) -> tuple[RebalancePlan, Topology]:
        """Plan, and carry it out.

        Raises:
            RouterError: a resize was begun, and is not over.
            PartitionUnavailableError: a partition that is needed for it did not answer for a minute. What
                was done holds, and asking again goes on from there.
        """
        plan, topology = self.plan()
        if not plan.moves:
            return plan, topology
        heirs = moved_along(topology.owners, plan.moves)
        self._sleepers = frozenset(self._elastic.deployed()).difference(topology.members)

        def heading(held: Topology) -> Topology:
            if held.owners != topology.owners or held.heirs not in (None, heirs):
                raise RouterError("somebody else has had slots moved meanwhile: rebalance again")
            return held.heading_for(heirs)

        decreed = self._decreed(topology, heading)
        self._settle("copying", decreed)
        decreed = self._decreed(decreed, Topology.inherited)
        self._settle("handing over", decreed)
        return replace(plan, done=True, epoch=decreed.epoch), decreed

    def _insight(self, partition: int) -> PartitionInsight:
        insight = self._ask(partition, Control.INSIGHT)
        assert isinstance(insight, PartitionInsight)
        return insight
