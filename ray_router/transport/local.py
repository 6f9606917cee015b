"""``LocalTransport``: the partitions of a router in this process, without Ray.

For tests, simulations and experiments: the rules are the same, the calls are carried out at once, and
nothing happens between calls unless somebody asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from ray_router.config import RouterConfig
from ray_router.core.events import Observer, guarded
from ray_router.core.slots import Topology
from ray_router.telemetry import work_of
from ray_router.transport.protocol import Directory, Fault, Request, Revive, TakeIn
from ray_router.transport.shell import PartitionShell
from ray_router.wire import Batch, Response, pack_batch, unpack_response

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

T = TypeVar("T")


class Settled(Generic[T]):
    """A ticket that has settled already, with an answer or a fault."""

    def __init__(self, answer: T | Fault) -> None:
        self._answer = answer

    def wait(self, timeout_s: float) -> T:
        """The answer; the time does not matter."""
        if isinstance(self._answer, Fault):
            raise self._answer
        return self._answer

    def on_done(self, callback: Callable[[], None]) -> None:
        """Calls back at once."""
        callback()


class LocalTransport:
    """A whole router in this process.

    Args:
        config: the router's config.
        clock: epoch seconds; partitions with a wall clock read it.
        observer: told of every event of every partition.
        tracer: records the partitions' work in their callers' traces.
        insight: learn from the traffic, for advice.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        insight: bool = True,
    ) -> None:
        self._tracer = tracer
        self._config = config
        self._clock = clock
        self._observer = None if observer is None else guarded(observer)
        self._insight = insight
        self._topology = Topology.balanced(config.partitions)
        self._partitions = [self._start(index, 1) for index in range(config.partitions)]
        if config.replicas:
            self._let_talk()

    def __reduce__(self) -> NoReturn:
        raise TypeError("an in-process router does not pickle: its partitions live in this process")

    def open(self) -> Settled[Directory]:
        """Always open."""
        return Settled(Directory(self._config, self._partitions[0].topology))

    def submit(self, partition: int, batch: Batch) -> Settled[Response]:
        """Carry a batch out at once."""
        try:
            response = unpack_response(self._partitions[partition].apply(pack_batch(batch)))
        except Fault as fault:
            return Settled(fault)
        if self._config.replicas:
            self._let_talk()
        return Settled(response)

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer at once."""
        answer = self._partitions[partition].answer(request)
        if isinstance(request, Revive) and partition == len(self._partitions) - 1:
            for index, each in enumerate(self._partitions):
                if each.spent:
                    self.restart(index)  # all of them have been told: it begins a new life
        if isinstance(request, TakeIn) and self._config.replicas:
            self._let_talk()
        return Settled(answer)

    def relocate(self, partition: int) -> bool:
        """Partitions are never gone for good here."""
        return True

    def restart(self, partition: int, *, anew: bool = False) -> None:
        """End a partition's life and begin the next, empty but for the defaults, which a peer has.

        Args:
            anew: in its place, begin the first life of another actor of its name.
        """
        anew = anew and not self._config.replicas  # or its peers would take it for the first life they knew
        born = self._start(partition, 1 if anew else self._partitions[partition].incarnation + 1)
        peers = [peer for index, peer in enumerate(self._partitions) if index != partition]
        if peers:
            born.merge_defaults(peers[0].defaults())
        self._partitions[partition] = born
        if self._config.replicas:
            self._let_talk()

    def _let_talk(self) -> None:
        """Have partitions tell each other what they owe, until nobody owes anything."""
        talking = True
        while talking:
            talking = False
            for each in self._partitions:
                for peer in each.peers_in_question():
                    each.read_letter(self._partitions[peer].answer_letter(each.letter_to(peer)))
                talking = talking or bool(each.peers_in_question())

    def _start(self, index: int, incarnation: int) -> PartitionShell:
        return PartitionShell(
            index,
            self._config,
            self._topology,
            incarnation=incarnation,
            fresh=incarnation == 1,
            clock=self._clock,
            observer=self._observer,
            work=None if self._tracer is None else work_of(self._tracer, self._config.name, index),
            insight=self._insight,
        )
