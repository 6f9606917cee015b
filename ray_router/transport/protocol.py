"""What a handle needs of a runtime: partitions that take batches, and tickets that settle.

Faults are the transport's whole vocabulary of failure; whatever a runtime raises is mapped to one of
them at its boundary, so that a handle decides by kind and never by foreign exception.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar, Union, runtime_checkable

from ray_router.config import RouterConfig
from ray_router.core.reading import Place
from ray_router.core.slots import Topology
from ray_router.errors import RouterError
from ray_router.model import AutoscalingStats, ScalingDecision
from ray_router.wire import Batch, Response

T_co = TypeVar("T_co", covariant=True)


class Pulse(NamedTuple):
    """A partition's answer to a ping."""

    epoch: int
    incarnation: int


class Control(str, Enum):
    """What a partition answers past its data lane."""

    PING = "ping"
    PRUNE = "prune"
    STATS = "stats"
    INSIGHT = "insight"
    TOPOLOGY = "topology"
    HAND_OFF = "hand-off"


class Revive(NamedTuple):
    """Bring a partition back into service; asked of all partitions, answered by whether it was out."""

    partition: int


class ReadPage(NamedTuple):
    """Give the next of what you hold, for a snapshot; answered by a ``Page``.

    Args:
        reading: names one going through everything; a partition that does not know it begins one, in the slot
            of ``place``.
    """

    reading: str
    place: Place = Place()


class TakeIn(NamedTuple):
    """Take in a piece of a snapshot (see ``wire_snapshot``); answered by ``TakenIn``."""

    piece: bytes


class Page(NamedTuple):
    """Some of what a partition holds, as a chunk (see ``wire_snapshot``).

    Args:
        sessions: how many are in it, defaults included.
        defaults: how many of these are defaults.
        after: from where the next page goes on; None after the last.
        epoch: of who owned what when it was read.
    """

    chunk: bytes
    sessions: int
    defaults: int
    after: Place | None
    epoch: int


class TakenIn(NamedTuple):
    """What became of a piece.

    Args:
        refused: sessions that this router does not take, such as routes longer than its limits.
        refused_defaults: defaults that it does not take.
        evicted: sessions with a route that left to make room.
        epoch: of who owned what when it was taken in.
    """

    refused: int
    refused_defaults: int
    evicted: int
    epoch: int


class Decree(NamedTuple):
    """Who is to own what from now on; answered by the topology that the partition then goes by.

    Args:
        after: obey only while the present decree is that of this epoch; None: if the new one is greater.
    """

    topology: Topology
    after: int | None = None


class HandOff(NamedTuple):
    """How far a partition is with what it has for others, and others have for it.

    Args:
        since: the epoch of the decree that it goes by.
        ready: it holds all that it owns.
        handed_on: its heirs have had all of it, but for what changes meanwhile.
        left: sessions that it has yet to look at, or to send.
        empty: it holds no sessions, and owes nobody anything.
    """

    since: int
    ready: bool
    handed_on: bool
    left: int
    empty: bool


class NoteScaling(NamedTuple):
    """Keep what the router's controller says of itself, and tell of its decision, if it has made one."""

    stats: AutoscalingStats
    decision: ScalingDecision | None


Request = Union[Control, Revive, ReadPage, TakeIn, Decree, NoteScaling]


class Directory(NamedTuple):
    """What a handle learns when it connects."""

    config: RouterConfig
    topology: Topology


class Fault(RouterError):
    """A call to a partition failed in a way that says nothing about its input."""


class PartitionLost(Fault):
    """The partition's process is dead or restarting: the call may or may not have been carried out."""


class PartitionGone(Fault):
    """The partition's actor is dead for good; a new one may have taken its name."""


class PartitionBroken(Fault):
    """The partition answered with something that it never should; trying again would not help."""


class NotYet(Fault):
    """The ticket has not settled within the time given."""


class Ticket(Protocol[T_co]):
    """A call under way."""

    def wait(self, timeout_s: float) -> T_co:
        """Block until the call settles, and return its answer; may be called again.

        Raises:
            NotYet: it has not settled within the time.
            Fault: it failed.
        """

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call back once when the call settles, at once if it has; from any thread."""


class Transport(Protocol):
    """The partitions of one router, as seen from one process. Pickles where its runtime allows it."""

    def open(self) -> Ticket[Directory]:
        """Ask what there is to know; the same ticket each time, until it has failed.

        Raises:
            RouterNotFoundError: there is no such router.
        """

    def submit(self, partition: int, batch: Batch) -> Ticket[Response]:
        """Send a batch to a partition's data lane; does not wait.

        Raises:
            Fault: it could not be sent.
        """

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Ask a partition something past its data lane: what comes back is its answer's.

        Raises:
            Fault: it could not be sent.
        """

    def relocate(self, partition: int) -> bool:
        """Look up a partition that is gone for good; False when nobody has its name."""


@runtime_checkable
class Elastic(Protocol):
    """What it takes besides to add partitions and take them away."""

    def hire(self, partitions: Sequence[int], meanwhile: Callable[[int], None]) -> None:
        """See to it that there are such partitions, with nothing in them yet; blocks until they answer.

        Args:
            meanwhile: called now and then with the one that is waited for; what it raises is passed on.

        Raises:
            RouterError: one could not be had; those before it stay.
        """

    def deployed(self) -> list[int]:
        """The partitions that there are, in service or not, in order."""

    def restart(self, partition: int) -> None:
        """End a partition's life, and have it begin the next wherever there is room."""

    def dismiss(self, partitions: Sequence[int]) -> None:
        """End partitions that own nothing; blocks until they are gone."""


class ElasticTransport(Transport, Elastic, Protocol):
    """The partitions of one router, and more or fewer of them."""
