"""``LocalTransport``: the partitions of a router in this process, without Ray.

For tests, simulations and experiments: the rules are the same, the calls are carried out at once, and
nothing happens between calls unless somebody asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from ray_router.config import RouterConfig
from ray_router.core.events import Observer, guarded
from ray_router.core.slots import Topology
from ray_router.telemetry import work_of
from ray_router.transport.protocol import Decree, Directory, Fault, PartitionGone, Request, Revive, TakeIn
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
        self._partitions = {index: self._start(index, 1) for index in range(config.partitions)}
        self._lived: dict[int, int] = {}  # lives of those who were dismissed
        self._talks = bool(config.replicas)
        self._let_talk()

    def __reduce__(self) -> NoReturn:
        raise TypeError("an in-process router does not pickle: its partitions live in this process")

    def open(self) -> Settled[Directory]:
        """Always open."""
        return Settled(Directory(self._config, self._partitions[0].topology))

    def submit(self, partition: int, batch: Batch) -> Settled[Response]:
        """Carry a batch out at once."""
        shell = self._partitions.get(partition)  # in one step: another thread may dismiss it
        if shell is None:
            return Settled(PartitionGone("it was dismissed"))
        try:
            response = unpack_response(shell.apply(pack_batch(batch)))
        except Fault as fault:
            return Settled(fault)
        self._let_talk()
        return Settled(response)

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer at once."""
        shell = self._partitions.get(partition)
        if shell is None:
            return Settled(PartitionGone("it was dismissed"))
        answer = shell.answer(request)
        if isinstance(request, Revive) and partition == max(self._partitions):
            for index, each in list(self._partitions.items()):
                if each.spent:
                    self.restart(index)  # all of them have been told: it begins a new life
        if isinstance(request, Decree):
            self._talks = True
        if isinstance(request, Decree | TakeIn):
            self._let_talk()
        return Settled(answer)

    def hire(self, partitions: Sequence[int], meanwhile: Callable[[int], None]) -> None:
        """Start partitions, unless they are there."""
        for partition in partitions:
            meanwhile(partition)
            self._hire(partition)

    def _hire(self, partition: int) -> None:
        if partition not in self._partitions:
            self._talks = True
            self._partitions[partition] = self._start(
                partition, 1 + self._lived.get(partition, 0), fresh=False
            )
            self._let_talk()

    def deployed(self) -> list[int]:
        """The partitions that there are."""
        return sorted(self._partitions)

    def dismiss(self, partitions: Sequence[int]) -> None:
        """End partitions."""
        for partition in partitions:
            self._lived[partition] = self._partitions.pop(partition).incarnation
            for each in list(self._partitions.values()):
                each.gone(partition)

    def relocate(self, partition: int) -> bool:
        """Partitions are never gone for good here, but by being dismissed."""
        return partition in self._partitions

    def restart(self, partition: int, *, anew: bool = False) -> None:
        """End a partition's life and begin the next, empty but for the defaults, which a peer has.

        Args:
            anew: in its place, begin the life of another actor of its name.
        """
        lives = self._partitions[partition].incarnation
        talks, self._talks = self._talks, True
        next_life = 1 if len(self._partitions) == 1 else lives + 1_000  # its own first, or late enough
        self._partitions[partition] = self._start(partition, next_life if anew else lives + 1, fresh=False)
        self._let_talk()
        self._talks = talks

    def _let_talk(self) -> None:
        """Have partitions tell each other what they owe, until nobody owes anything."""
        talking = self._talks
        while talking:
            talking = False
            for each in list(self._partitions.values()):
                each.put_in_order()
                for peer in each.peers_in_question():
                    addressee = self._partitions.get(peer)
                    if addressee is None:
                        each.gone(peer)
                    else:
                        each.read_letter(addressee.answer_letter(each.letter_to(peer)))
                talking = talking or any(peer in self._partitions for peer in each.peers_in_question())

    def _start(self, index: int, incarnation: int, *, fresh: bool = True) -> PartitionShell:
        return PartitionShell(
            index,
            self._config,
            self._topology,
            incarnation=incarnation,
            fresh=fresh,
            clock=self._clock,
            observer=self._observer,
            work=None if self._tracer is None else work_of(self._tracer, self._config.name, index),
            insight=self._insight,
        )
