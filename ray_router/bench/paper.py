"""A router too large for one machine, worked out from what its parts cost on this one."""

from __future__ import annotations

import pickle  # nosec B403 # to know how large a topology is on the wire; nothing is read
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

from ray_router.bench.measure import Figure, Report, figure
from ray_router.bench.sessions import load
from ray_router.bench.stage import Stage
from ray_router.config import RouterConfig
from ray_router.core.reshaping import balanced_among, moved
from ray_router.core.slots import SLOTS, Topology
from ray_router.handle import RouterHandle
from ray_router.handle.link import Link
from ray_router.model import PartitionStats
from ray_router.transport import Directory, LocalTransport, PartitionLost, Request, Ticket
from ray_router.transport.local import Settled
from ray_router.wire import Batch, Response
from ray_router.wire_parcels import unpack_parcel

PARTITIONS = (100, 1_000, 10_000)
ON_A_NODE = 10
SESSIONS = 1_000_000_000
_STANDBYS_UP_TO = 1_000  # choosing them takes the square of the partitions: minutes for 10,000

T = TypeVar("T")


class Paper:
    """The way to partitions that are nowhere: it tells who they are, and carries nothing."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.calls = 0

    def open(self) -> Settled[Directory]:
        """As one partition would answer."""
        self.calls += 1
        return Settled(self._directory)

    def submit(self, partition: int, batch: Batch) -> Ticket[Response]:
        """Nobody is there."""
        raise PartitionLost("on paper")

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Nobody is there."""
        raise PartitionLost("on paper")

    def relocate(self, partition: int) -> bool:
        """Nobody is there."""
        return False


class Weighed(LocalTransport):
    """Partitions in this process whose letters are weighed."""

    letters = 0
    sessions = 0

    def weigh(self, letter: bytes) -> bytes:
        """Count what is in a letter."""
        contents = unpack_parcel(letter).contents
        if contents is not None and contents.states:
            self.letters += len(letter)
            self.sessions += len(contents.states)
        return letter

    def _let_talk(self) -> None:
        talking = self._talks
        while talking:
            talking = False
            for index, each in self._partitions.items():
                each.put_in_order()
                for peer in each.peers_in_question():
                    other = self._partitions[peer]
                    other.read_letter(self.weigh(each.letter_to(peer)))
                    each.read_letter(self.weigh(other.letter_to(index)))
                talking = talking or bool(each.peers_in_question())


def paper(stage: Stage) -> Report:
    """10 partitions a node, up to 10,000 of them, and 1,000,000,000 sessions in all.

    Topologies are real, and as large; handles are real, with a lane to every partition; sessions, their
    letters and the stats of one partition are measured on 50,000 times ``scale``. Whatever is for all of them
    is multiplied from these. With standbys, topologies of up to 1,000 partitions; ``large``: of all.
    """
    entries = stage.count(50_000, least=1_000)
    sizes = sorted({stage.count(size, least=4) for size in PARTITIONS})
    stats, bytes_in_letter, s_to_hand_over = _handed_over(entries)
    table_bytes = stats.table_bytes / max(1, stats.holdings.entries)
    figures: list[Figure] = [
        figure("a session in its table", "B", [table_bytes]),
        figure("a session in a letter", "B", [bytes_in_letter]),
        figure("a session handed over, both sides", "us", [1e6 * s_to_hand_over]),
        figure("the stats of one partition", "B", [float(len(pickle.dumps(stats)))]),
    ]
    for number, partitions in enumerate(sizes):
        topology = Topology.balanced(partitions)
        heirs = balanced_among(topology.owners, range(min(SLOTS, partitions + ON_A_NODE)))
        resizing = topology.heading_for(heirs)
        slots = moved(topology.owners, heirs)
        per_slot = SESSIONS / SLOTS
        directory = Directory(RouterConfig(partitions=min(partitions, 4_096)), topology)
        transport = Paper(directory)
        handle_bytes, _ = _weighed(lambda to=transport, n=partitions: _lanes(to, n))  # type: ignore[misc]
        largest = max(topology.shares.values())
        found = {
            ("a topology on the wire", "B"): len(pickle.dumps(topology)),
            ("a topology with heirs on the wire", "B"): len(pickle.dumps(resizing)),
            ("calls to connect", "calls"): transport.calls,
            ("a handle with a lane to everybody", "B"): handle_bytes,
            ("the largest share over the mean", "ratio"): largest * partitions / SLOTS,
            ("sessions of the largest share", "sessions"): largest * per_slot,
            ("tables of the largest share", "B"): largest * per_slot * table_bytes,
            ("slots that one node more takes", "slots"): slots,
            ("letters that one node more takes", "B"): slots * per_slot * bytes_in_letter,
            ("time that each of its partitions takes to receive", "s"): slots
            / ON_A_NODE
            * per_slot
            * s_to_hand_over,
            ("decrees of one resize on the wire", "B"): 2 * partitions * len(pickle.dumps(resizing)),
            ("the controller's look at everybody", "B"): partitions * len(pickle.dumps(stats)),
        }
        if partitions <= _STANDBYS_UP_TO or stage.large:
            nodes = {each: str(each // ON_A_NODE) for each in range(partitions)}
            s_to_choose, kept = _timed(lambda of=topology, at=nodes: of.with_standbys(at))  # type: ignore[misc]
            s_to_order, _ = _timed(lambda of=kept: of.orders)  # type: ignore[misc]
            s_to_know, _ = _timed(lambda of=kept: of.neighbours)  # type: ignore[misc]
            found["a topology with standbys, worked out", "s"] = s_to_choose + s_to_order + s_to_know
        figures += [figure(name, unit, [float(value)], partitions) for (name, unit), value in found.items()]
        stage.progress((number + 1) / len(sizes))
    return Report(
        "paper", f"{SESSIONS:,} sessions: what is the first to give way?", tuple(figures), "partitions"
    )


def _lanes(transport: Paper, partitions: int) -> Link:
    """What a handle has for a router that it has called everywhere."""
    link = Link(transport, None)
    link.open()
    for partition in range(partitions):
        link.lane(partition)
    return link


def _handed_over(entries: int) -> tuple[PartitionStats, float, float]:
    """A full partition's stats, the bytes of a session in a letter, and seconds to hand one over."""
    config = RouterConfig(partitions=1, max_entries_per_partition=2 * entries)
    transport = Weighed(config)
    router = RouterHandle(transport)
    load(router, entries)
    stats = router.stats().result().partitions[0]
    took_s, _ = _timed(lambda: router.resize(2).result())
    return stats, transport.letters / max(1, transport.sessions), took_s / max(1, transport.sessions)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def _weighed(work: Callable[[], T]) -> tuple[int, T]:
    """The bytes that are left of some work, and what it came to."""
    tracemalloc.start()
    found = work()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return left, found
