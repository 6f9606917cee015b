"""Simulation: the same rules in one process on a virtual clock. What would this TTL have given?

The partitions of a ``LocalTransport`` are given the events in batches, past the handle, whose care for
waiting, deadlines and dead partitions would be half the work and has no use here. The operations, their
order and their times are those of ``play``, and so are the totals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ray_router.config import RouterConfig
from ray_router.core.operations import Answers, Group, Refused, Resolve, Set, Written
from ray_router.core.slots import slot_function
from ray_router.errors import InvalidConfigError
from ray_router.handle import RouterHandle
from ray_router.handle.intake import key_text, route_text
from ray_router.handle.ownership import Ownership
from ray_router.handle.resolutions import refusal
from ray_router.model import Advice, ResolutionSource, RouterStats
from ray_router.transport import Batch, LocalTransport
from ray_router.workload.event import Event
from ray_router.workload.play import closing_stats
from ray_router.workload.tally import PartitionTally, Recorder, Score, Tally

_NO_LIMIT = 1_000_000_000  # the greatest bound that a config takes
_BATCH = 500
_PATIENCE_S = 60.0  # nobody waits for a replay, and a call given up would change its result


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a simulation gave. ``tally`` counts the events, ``stats`` is the router at the last one."""

    config: RouterConfig
    tally: Tally
    stats: RouterStats

    @property
    def events(self) -> int:
        """How many there were."""
        return self.tally.events

    @property
    def sessions(self) -> int:
        """How many different ones there were."""
        return self.tally.sessions

    @property
    def hit_ratio(self) -> float:
        """Share of events whose own session had a fresh route just before them, 0 to 1."""
        return self.tally.hit_ratio

    @property
    def stale(self) -> int:
        """Events whose session was past its TTL, and known to be."""
        return self.tally.total.stale

    @property
    def evicted(self) -> int:
        """Sessions with a route that left to make room."""
        return self.stats.traffic.evicted

    @property
    def expired(self) -> int:
        """Sessions that ran out of their time as stale ones too, so that only a tombstone was left."""
        return self.stats.traffic.expired

    @property
    def live(self) -> int:
        """Sessions with a fresh route at the last event."""
        return self.stats.holdings.live

    @property
    def by_partition(self) -> tuple[PartitionTally, ...]:
        """The partitions that had events."""
        return self.tally.partitions


def event_config(
    *,
    name: str = "simulation",
    partitions: int = 1,
    ttl_s: float | None = 1_800.0,
    capacity: int | None = None,
    eviction: str = "lru",
) -> RouterConfig:
    """The config of a router that events are played against, here or on Ray.

    Args:
        ttl_s: seconds; None for no expiry.
        capacity: sessions that the whole router may hold, shared out evenly, rounded down; None for
            no limit.

    Raises:
        InvalidConfigError: naming the field.
    """
    if capacity is not None and capacity < partitions:
        raise InvalidConfigError("capacity", f"of {capacity} sessions is less than one for each partition")
    return RouterConfig.build(
        name=name,
        partitions=partitions,
        ttl_s=ttl_s,
        max_entries_per_partition=_NO_LIMIT if capacity is None else capacity // max(1, partitions),
        eviction=eviction,
        clock="event",
        call_timeout_s=_PATIENCE_S,
    )


def simulate(
    events: Iterable[Event],
    ttl_s: float | None,
    capacity: int | None,
    partitions: int = 1,
    eviction: str = "lru",
    *,
    recorder: Recorder | None = None,
) -> SimulationResult:
    """Play events against a router in this process.

    Args:
        ttl_s, capacity, partitions, eviction: as for ``event_config``.
        recorder: told of each resolution; in the order of the events of a partition, and of no other.

    Raises:
        InvalidConfigError: the settings make no router.
        InvalidInputError: an event that no router would accept.
        Exception: whatever iterating over the events raises.
    """
    config = event_config(partitions=partitions, ttl_s=ttl_s, capacity=capacity, eviction=eviction)
    return simulate_router(config, events, recorder=recorder)


def simulate_router(
    config: RouterConfig, events: Iterable[Event], *, recorder: Recorder | None = None
) -> SimulationResult:
    """Play events against a router of this config (``event_config`` makes one) in this process.

    Raises:
        InvalidInputError: an event that no such router would accept, or its clock is not that of events.
    """
    simulation = Simulation(config, recorder=recorder)
    for at, key, route in events:
        simulation.add(at, key_text(key), route_text(route))
    return simulation.result()


class Simulation:
    """A router in this process that is given events one by one.

    Args:
        config: of a router on the clock of events.
        insight: let its partitions learn from the traffic, for ``advise``.
    """

    def __init__(
        self, config: RouterConfig, *, recorder: Recorder | None = None, insight: bool = False
    ) -> None:
        transport = LocalTransport(config, insight=insight)
        topology = transport.open().wait(0).topology
        self._config = config
        self._ownership = Ownership(topology, slot_function(config.hash_strategy))
        self._score = Score(recorder)
        self._queues = [_Queue(index, transport, config, self._score) for index in range(config.partitions)]
        self._handle = RouterHandle(transport)

    def add(self, at: float, key: str, route: str) -> None:
        """An event, in the texts of its key and route.

        Raises:
            InvalidInputError: an event that no such router would accept; it may be an earlier one.
        """
        index = self._score.came(at, key)
        self._queues[self._ownership.owner(key)].add(_Queued(index, key, route, at))

    def result(self) -> SimulationResult:
        """What the events so far gave."""
        self._send()
        tally = self._score.tally()
        return SimulationResult(self._config, tally, closing_stats(self._handle, tally))

    def advise(self, within: float = 0.01) -> Advice:
        """What the events so far speak for; needs ``insight``."""
        self._send()
        return self._handle.advise(within=within).result()

    def _send(self) -> None:
        for queue in self._queues:
            queue.send()


class _Queued(NamedTuple):
    number: int
    key: str
    route: str
    at: float


class _Queue:
    """Events on their way to one partition."""

    def __init__(self, partition: int, transport: LocalTransport, config: RouterConfig, score: Score) -> None:
        self._partition = partition
        self._transport = transport
        self._fingerprint = config.fingerprint
        self._score = score
        self._waiting: list[_Queued] = []

    def add(self, event: _Queued) -> None:
        """Have it played soon, in order."""
        self._waiting.append(event)
        if len(self._waiting) == _BATCH:
            self.send()

    def send(self) -> None:
        """Play all that wait."""
        sent, self._waiting = self._waiting, []
        groups = [Group((Resolve((key,)), Set(key, route, at)), at) for _, key, route, at in sent]
        batch = Batch(1, self._fingerprint, 0, tuple(groups))
        response = self._transport.submit(self._partition, batch).wait(0)
        for event, results in zip(sent, response.results, strict=True):
            for result in results:
                if isinstance(result, Refused):
                    raise refusal(result)
            answers, written = results
            assert isinstance(answers, Answers) and isinstance(written, Written)
            (answer,) = answers.items
            if isinstance(answer, Refused):
                raise refusal(answer)
            source = ResolutionSource.EXACT if isinstance(answer, str) else answer.source
            stale = not isinstance(answer, str) and answer.stale
            self._score.resolved(event.number, event.key, self._partition, source, stale)
            self._score.wrote(self._partition, written.outcome, written.evicted)
