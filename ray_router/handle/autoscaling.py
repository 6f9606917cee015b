"""``Controller``: a router's autoscaling, look by look. Nobody's call ever waits for it.

What it goes by is in the partitions: what they hold and have counted, where they live, who owns what, and,
with partition 0, what it said of itself last. So whoever takes its place goes on where it stopped, with a
resize that it left half done as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ray_router.config import RouterConfig
from ray_router.core.autoscaler import Autoscaler, Seen
from ray_router.core.departure import Placement, placement
from ray_router.core.slots import Topology
from ray_router.errors import RouterError
from ray_router.handle.handing_over import ANSWERS_WITHIN_S, FIRST
from ray_router.handle.resizing import Resizing
from ray_router.model import AutoscalingStats, PartitionStats, ResizeProgress, ScalingDecision, ScalingReason
from ray_router.transport import Control, ElasticTransport, Fault, NoteScaling, Request, Ticket


class Controller:
    """Looks at one router, and has it resized.

    Args:
        transport: the way to its partitions, and to more or fewer of them.
        config: the router's, with ``autoscaling``.
        leaving: the nodes that are about to leave; raises a ``RouterError`` if that cannot be known.
        clock: epoch seconds.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        transport: ElasticTransport,
        config: RouterConfig,
        leaving: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        settings = config.scaling_settings()
        assert settings is not None, "who is autoscaled has settings for it"
        self._settings = settings
        self._transport = transport
        self._leaving = leaving
        self._clock = clock
        self._pause = pause
        self._interval_s = 0.0 if config.autoscaling is None else config.autoscaling.interval_s
        self._autoscaler: Autoscaler | None = None
        self._topology: Topology | None = None
        self._said = AutoscalingStats()
        self._failed = ""

    def look(self) -> None:
        """Look once; if another number of partitions is due, return when there are so many."""
        stats = self._stats()
        topology = self._answer(self._asked(FIRST, Control.TOPOLOGY), FIRST)
        if not isinstance(topology, Topology):
            return  # partition 0 is restarting: it could not be told anything either
        if self._autoscaler is None:
            self._take_over(stats.get(FIRST))
        self._topology = topology
        self._said = replace(self._said, looked_at=self._clock())
        if topology.heirs is not None:  # whoever began this may be no more; to go on together does no harm
            heirs = {*topology.heirs}
            partitions = 1 + max({*heirs, *self._said.away})
            self._resize(partitions, frozenset(range(partitions)) - heirs)
            return
        problem = _problem(topology, stats)
        placed = self._placement(topology, stats)
        if not problem and placed.owners != topology.partitions:
            self._move(topology, placed)
            return
        for index in placed.away.intersection(self._said.away, stats).difference(topology.partitions):
            self._transport.restart(index)  # it has nothing left, and can live anywhere
        if placed.stranded:
            problem = problem or "all partitions live on nodes that are about to leave"
        self._scale(topology, placed, stats, problem)

    def _move(self, topology: Topology, placed: Placement) -> None:
        """Have the slots of who is away go to others, and of who is back come back."""
        before, after = len(topology.partitions), len(placed.owners)
        leaving = placed.away.intersection(topology.partitions)
        reason = ScalingReason.LEAVING if leaving else ScalingReason.BACK
        self._said = replace(self._said, away=tuple(sorted(placed.away)))
        self._decide(ScalingDecision(self._clock(), before, after, reason))
        self._resize(placed.partitions, placed.away)

    def _scale(
        self, topology: Topology, placed: Placement, stats: Mapping[int, PartitionStats], problem: str
    ) -> None:
        """Have as many partitions as the load asks for."""
        assert self._autoscaler is not None
        partitions, now = placed.partitions, self._clock()
        answering = {index: stats[index] for index in topology.partitions if index in stats}
        seen = {index: _seen(each) for index, each in answering.items()}
        missing = dict.fromkeys(topology.partitions) if problem else {}
        look = self._autoscaler.look(partitions, missing or seen, now)
        self._said = replace(
            self._said,
            partitions=partitions,
            entries=sum(each.entries for each in seen.values()),
            calls_per_s=look.calls_per_s,
            wish=look.wish,
            due_at=None if look.wish is None else self._autoscaler.due_at(look.wish, partitions),
            away=tuple(sorted(placed.away)),
            problem=problem or self._failed,
        )
        if look.reason is None or (placed.away and look.partitions < partitions):
            self._note()  # nobody is taken away while others are away
            return
        self._decide(ScalingDecision(now, partitions, look.partitions, look.reason))
        self._resize(look.partitions, placed.away)

    def _placement(self, topology: Topology, stats: Mapping[int, PartitionStats]) -> Placement:
        try:
            leaving, blind = self._leaving(), ""
        except RouterError as error:
            leaving, blind = (), str(error)
        self._said = replace(self._said, blind=blind)
        homes = {index: each.node for index, each in stats.items()}
        return placement(topology.members, self._said.away, homes, leaving)

    def _decide(self, decision: ScalingDecision) -> None:
        self._failed = ""
        self._said = replace(self._said, last=decision, problem="")
        self._note(decision)

    def _resize(self, partitions: int, away: frozenset[int]) -> None:
        """Have so many partitions, or as many as there is room for."""
        before = len(self._transport.deployed())
        try:
            Resizing(self._transport, partitions, self._tell, pause=self._pause, away=away).run()
        except RouterError as error:  # whatever it was, it is tried again when it has been due again
            self._failed = str(error)
            there = len(self._transport.deployed())
            if before < there < partitions:
                self._resize(there, away)
        self._said = replace(self._said, doing="", problem=self._failed)
        self._note()

    def _tell(self, progress: ResizeProgress) -> None:
        """Say what is done; but for a node that leaves nobody waits until another is started."""
        now = self._clock()
        if progress.phase == self._said.doing and now < (self._said.looked_at or 0.0) + self._interval_s:
            return
        self._said = replace(self._said, looked_at=now, doing=progress.phase)
        self._note()
        if progress.done == progress.left == 0 and self._topology is not None:  # somebody is being started
            placed = self._placement(self._topology, self._stats())
            if placed.away.intersection(self._topology.partitions):
                raise RouterError("a node is about to leave, which goes before")

    def _note(self, decision: ScalingDecision | None = None) -> None:
        """Have partition 0 know what there is to say, for whoever asks it, and tell of a decision."""
        self._answer(self._asked(FIRST, NoteScaling(self._said, decision)), FIRST)

    def _take_over(self, first: PartitionStats | None) -> None:
        if first is not None and first.autoscaling is not None:
            self._said = replace(first.autoscaling, doing="")
        self._autoscaler = Autoscaler(self._settings, self._said.wish)

    def _stats(self) -> dict[int, PartitionStats]:
        """Of all partitions that answer, whether they own anything or not."""
        calls = {index: self._asked(index, Control.STATS) for index in self._transport.deployed()}
        answers = {index: self._answer(call, index) for index, call in calls.items()}
        return {index: each for index, each in answers.items() if isinstance(each, PartitionStats)}

    def _asked(self, partition: int, request: Request) -> Ticket[object] | None:
        try:
            return self._transport.ask(partition, request)
        except Fault:
            self._transport.relocate(partition)
            return None

    def _answer(self, ticket: Ticket[object] | None, partition: int) -> object:
        if ticket is None:
            return None
        try:
            return ticket.wait(ANSWERS_WITHIN_S)
        except Fault:
            self._transport.relocate(partition)
            return None


def _seen(stats: PartitionStats) -> Seen:
    return Seen(stats.incarnation, stats.holdings.entries, stats.work)


def _problem(topology: Topology, stats: Mapping[int, PartitionStats]) -> str:
    """Why nothing can be decided now, if so.

    Partition 0 may have begun a new life, and know only how the router was deployed until others tell it.
    """
    missing = [str(index) for index in topology.partitions if index not in stats]
    if missing:
        return f"partition {', '.join(missing)} does not answer"
    owners = [stats[index] for index in topology.partitions]
    if any((each.epoch, each.slots) != (topology.epoch, topology.shares[each.partition]) for each in owners):
        return "partitions have yet to agree on who owns what"
    return ""
