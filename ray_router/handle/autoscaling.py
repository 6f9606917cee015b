"""``Controller``: a router's autoscaling, look by look. Nobody's call ever waits for it.

What it goes by is in the partitions: what they hold and have counted, who owns what, and, with partition 0,
what it said of itself last. So whoever takes its place goes on where it stopped, with a resize that it left
half done as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ray_router.config import RouterConfig
from ray_router.core.autoscaler import Autoscaler, Seen
from ray_router.core.slots import Topology
from ray_router.errors import RouterError
from ray_router.handle.resizing import Resizing
from ray_router.model import AutoscalingStats, PartitionStats, ResizeProgress, ScalingDecision
from ray_router.transport import Control, ElasticTransport, Fault, NoteScaling, Request, Ticket

_FIRST = 0
_ANSWERS_WITHIN_S = 5.0


class Controller:
    """Looks at one router, and has it resized.

    Args:
        transport: the way to its partitions, and to more or fewer of them.
        config: the router's, with ``autoscaling``.
        clock: epoch seconds.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        transport: ElasticTransport,
        config: RouterConfig,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        settings = config.scaling_settings()
        assert settings is not None, "who is autoscaled has settings for it"
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._pause = pause
        self._autoscaler: Autoscaler | None = None
        self._said = AutoscalingStats()
        self._failed = ""

    def look(self) -> None:
        """Look once; if another number of partitions is due, return when there are so many."""
        stats = self._stats()
        topology = self._answer(self._asked(_FIRST, Control.TOPOLOGY), _FIRST)
        if not isinstance(topology, Topology):
            return  # partition 0 is restarting: it could not be told anything either
        if self._autoscaler is None:
            self._take_over(stats.get(_FIRST))
        assert self._autoscaler is not None
        heirs = topology.heirs
        if heirs is not None:  # whoever began this may be no more; to go on with it together does no harm
            self._resize(len(set(heirs)))
            return
        partitions, now = len(topology.partitions), self._clock()
        problem = _problem(topology, stats)
        seen = {
            index: None if problem or each is None else _seen(each)
            for index in topology.partitions
            for each in (stats.get(index),)
        }
        look = self._autoscaler.look(partitions, seen, now)
        self._said = AutoscalingStats(
            looked_at=now,
            partitions=partitions,
            entries=look.entries,
            calls_per_s=look.calls_per_s,
            wish=look.wish,
            due_at=None if look.wish is None else self._autoscaler.due_at(look.wish, partitions),
            problem=problem or self._failed,
            last=self._said.last,
        )
        decision = None
        if look.reason is not None:
            decision = ScalingDecision(now, partitions, look.partitions, look.reason)
            self._said = replace(self._said, last=decision)
        self._note(decision)
        if decision is not None:
            self._failed = ""
            self._resize(decision.after)

    def _resize(self, partitions: int) -> None:
        """Have so many partitions, or as many as there is room for."""
        while True:
            try:
                Resizing(self._transport, partitions, self._tell, pause=self._pause).run()
            except RouterError as error:  # whatever it was, it is tried again when it has been due again
                self._failed = str(error)
                there = len(self._transport.deployed())
                if not self._said.partitions < there < partitions:
                    break
                partitions = there
            else:
                break
        self._said = replace(self._said, doing="", problem=self._failed)
        self._note()

    def _tell(self, progress: ResizeProgress) -> None:
        if progress.phase != self._said.doing:
            self._said = replace(self._said, looked_at=self._clock(), doing=progress.phase)
            self._note()

    def _note(self, decision: ScalingDecision | None = None) -> None:
        """Have partition 0 know what there is to say, for whoever asks it, and tell of a decision."""
        self._answer(self._asked(_FIRST, NoteScaling(self._said, decision)), _FIRST)

    def _take_over(self, first: PartitionStats | None) -> None:
        if first is not None and first.autoscaling is not None:
            self._said = first.autoscaling
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
            return ticket.wait(_ANSWERS_WITHIN_S)
        except Fault:
            self._transport.relocate(partition)
            return None


def _seen(stats: PartitionStats) -> Seen:
    return Seen(stats.incarnation, stats.holdings.entries, stats.work)


def _problem(topology: Topology, stats: dict[int, PartitionStats]) -> str:
    """Why nothing can be decided now, if so."""
    missing = [str(index) for index in topology.partitions if index not in stats]
    if missing:
        return f"partition {', '.join(missing)} does not answer"
    if any(stats[index].epoch != topology.epoch for index in topology.partitions):
        return "partitions have yet to agree on who owns what"
    return ""
