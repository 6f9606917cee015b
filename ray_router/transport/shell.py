"""``PartitionShell``: one partition with its clock, its life and its lock, for any runtime.

Data calls come one at a time anyway; the lock lets a cleaning thread and control calls in between.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ray_router.config import RouterConfig
from ray_router.core.admission import check_seconds
from ray_router.core.archive import Archive
from ray_router.core.defaults import Defaults
from ray_router.core.events import Event, Observer, ScalingDecided, Served, ServiceChanged, guarded
from ray_router.core.exchange import Exchange, OwnSessions
from ray_router.core.insight import Insight
from ray_router.core.lives import Life
from ray_router.core.operations import Answers, Elsewhere, Group, Moved, Refused, Result
from ray_router.core.partition import Partition
from ray_router.core.record import RecordFormat
from ray_router.core.slots import SlotOf, Topology, slot_function
from ray_router.core.standby import Standby
from ray_router.core.table import Retention
from ray_router.errors import InvalidCallError, InvalidConfigError
from ray_router.model import (
    AutoscalingStats,
    CopyStats,
    PartitionInsight,
    PartitionStats,
    ScalingDecision,
)
from ray_router.transport.archivist import Archivist
from ray_router.transport.pieces import Piece, joined, pieces_of
from ray_router.transport.protocol import (
    Control,
    Decree,
    HandOff,
    NoteScaling,
    PartitionBroken,
    PartitionLost,
    Pulse,
    ReadPage,
    Request,
    Revive,
    TakeIn,
)
from ray_router.transport.turns import Turns
from ray_router.wire import Batch, Question, Response, pack_response, unpack_call
from ray_router.wire_parcels import pack_parcel, unpack_parcel

if TYPE_CHECKING:
    from ray_router.telemetry.spans import Work

_COPIES_FOR_ONE = 2  # times a partition's capacity that it keeps for others at most: one, and as much again
_CLEAN_AT_ONCE = 100  # entries moved on under one hold of the lock: about a millisecond


class PartitionShell:
    """Serialises calls to one ``Partition`` and stamps its answers.

    Args:
        index: the partition's number.
        config: the router's config.
        topology: who owns which slot.
        incarnation: which life of the partition this is, from 1.
        fresh: the router has just been deployed: there is nothing to recover.
        node: where it lives.
        clock: epoch seconds.
        observer: told of every event; None costs nothing.
        work: records each batch in its callers' traces; None costs nothing.
        insight: learn from the traffic, for advice.
    """

    def __init__(
        self,
        index: int,
        config: RouterConfig,
        topology: Topology,
        *,
        incarnation: int = 1,
        fresh: bool = True,
        node: str = "",
        clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
        work: Work | None = None,
        insight: bool = True,
    ) -> None:
        self._work = work
        self._index = index
        self._config = config
        self._topology = topology
        self._clock = clock
        self._born_at = time.monotonic()
        self._tell = None if observer is None else guarded(observer)
        learns = Insight(index, _slot_function(config.hash_strategy)) if insight else None
        self._partition = Partition(index, config.partition_settings(), self._tell, learns)
        self._lock = Turns()
        self._event_time = 0.0
        self._incarnation = incarnation
        self._node = node
        scaled = index == 0 and config.autoscaling is not None
        self._scaling = AutoscalingStats() if scaled else None
        self._exchange: Exchange | None = None
        with suppress(InvalidConfigError):  # a strategy that cannot be had here: deployment says so
            slot_of = slot_function(config.hash_strategy)
            self._exchange = self._partition.exchanges(
                partial(self._new_exchange, slot_of=slot_of, fresh=fresh)
            )
        slot_of = _slot_function(config.hash_strategy)
        archive = Archive(index, self._partition, lambda: self.topology, slot_of, self._exchange)
        self._archivist = Archivist(
            archive, config.limits, self._lock, self._now, lambda: self.topology.epoch
        )

    @property
    def incarnation(self) -> int:
        """Which life of the partition this is."""
        return self._incarnation if self._exchange is None else self._exchange.incarnation

    @property
    def topology(self) -> Topology:
        """Who owns what, and keeps its copy."""
        return self._topology if self._exchange is None else self._exchange.topology

    def apply(self, data: bytes) -> bytes:
        """Carry out a batch, packed as it travels; the packed response.

        Raises:
            InvalidCallError: it is no batch.
            PartitionBroken: the sender knows a router of this name with another config.
            PartitionLost: a later life of this partition is known to the sender.
        """
        started = time.perf_counter()
        call = unpack_call(data)
        if isinstance(call, Question):
            response = self._answer(call, started)
            if response is not None:
                return response
            call = call.as_batch()
        if self._work is None:
            return self._apply(call, started)
        with self._work.batch(call.traceparents):
            return self._apply(call, started)

    def _answer(self, question: Question, started: float) -> bytes | None:
        """Answer what all is plain about, in few steps; None, and nothing done, where anything is not."""
        epoch, fingerprint, incarnation, waited_s, keys = question
        exchange = self._exchange
        if self._work is not None or exchange is None or fingerprint != self._config.fingerprint:
            return None
        if incarnation > exchange.incarnation:
            return None
        with self._lock:
            now = self._clock()
            records = self._partition.answer(keys, now) if self._goes_by(epoch) else None
            if records is None:
                return None
            if waited_s is not None:
                self._waited(waited_s, now)
            service_s = time.perf_counter() - started
            self._partition.worked(service_s)
        return self._response(service_s, ((Answers(now, records),),))

    def _apply(self, batch: Batch, started: float) -> bytes:
        if batch.fingerprint != self._config.fingerprint:
            raise PartitionBroken("the router was deployed anew with another config: connect again")
        if batch.incarnation > self.incarnation:
            raise PartitionLost(f"partition {self._index} has a later life than {self.incarnation}")
        with self._lock:
            now = self._clock()
            if batch.waited_s is not None:
                self._waited(batch.waited_s, now)
            results = [self._carry_out(group, now, batch.epoch) for group in batch.groups]
            if self._config.clock == "event":
                said = zip(batch.groups, results, strict=True)
                times = [group.now or 0.0 for group, each in said if each and type(each[0]) is not Refused]
                self._event_time = max([self._event_time, *times])
            service_s = time.perf_counter() - started
            self._partition.worked(service_s)
        return self._response(service_s, results)

    def _waited(self, waited_s: float, now: float) -> None:
        check_seconds("waited_s", waited_s, least=0.0)
        self._partition.waited(waited_s, now)

    def _response(self, service_s: float, results: Sequence[Sequence[Result]]) -> bytes:
        if self._tell is not None:
            self._tell(Served(self._index, service_s))
        lives = {} if self._exchange is None else self._exchange.lives.restarted()
        return pack_response(Response(self.topology.epoch, self.incarnation, service_s, results, lives))

    def _carry_out(self, group: Group, now: float, since: int) -> tuple[Result, ...]:
        """Carry a group out, giving way between its pieces, when another decree may come; holding the lock.

        Whoever is told of one piece that it is not here asks for the whole again, which changes nothing.
        """
        pieces = pieces_of(group, self._config.max_batch)
        if len(pieces) == 1:
            return self._partition.apply((group,), now, agreed=self._goes_by(since))[0]
        said: list[tuple[Piece, tuple[Result, ...]]] = []
        for piece in pieces:
            if said:
                self._lock.give_way()
            results = self._partition.apply((piece.group,), now, agreed=self._goes_by(since))[0]
            if results and type(results[0]) in (Elsewhere, Moved):
                return results
            said.append((piece, results))
        return joined(said)

    def _goes_by(self, since: int) -> bool:
        """Whether this partition goes by the decree of an epoch."""
        return self._exchange is None or since == self._exchange.decree.since

    def tell(self, event: Event) -> None:
        """Tell the observer what happened around this partition; it is told one event at a time."""
        with self._lock:
            self._partition.tell(event)

    def ping(self) -> Pulse:
        """A sign of life."""
        return Pulse(self.topology.epoch, self.incarnation)

    def prune(self) -> int:
        """Move on all whose time has come, a little at a time; returns how many entries that was."""
        moved, some = 0, _CLEAN_AT_ONCE
        while some == _CLEAN_AT_ONCE:
            some = self._clean()
            moved += some
        return moved

    def clean_some(self) -> bool:
        """Move on some of those whose time has come, under one hold of the lock; whether more may be due."""
        return self._clean() == _CLEAN_AT_ONCE

    def stats(self) -> PartitionStats:
        """What the partition holds and counted."""
        with self._lock:
            stats = self._partition.stats(self._now())
        return replace(
            stats,
            incarnation=self.incarnation,
            epoch=self.topology.epoch,
            uptime_s=time.monotonic() - self._born_at,
            pid=os.getpid(),
            slots=self.topology.shares.get(self._index, 0),
            node=self._node,
            copies=self._copy_stats(),
            autoscaling=self._scaling,
        )

    def insight(self) -> PartitionInsight:
        """What the partition learnt of its traffic."""
        with self._lock:
            return self._partition.insight(self._now())

    # What partitions tell each other

    @property
    def spent(self) -> bool:
        """Whether this life must end, because a later one has begun or what it knows is out of date."""
        return self._exchange is not None and self._exchange.spent

    def put_in_order(self) -> None:
        """Put sessions where they belong after a decree, a few at a time, as far as can be done now."""
        exchange = self._exchange
        more = exchange is not None and exchange.untidy
        while exchange is not None and more:
            with self._lock:
                more = exchange.tidy(self._now(), _CLEAN_AT_ONCE)

    def peers_due(self) -> list[int]:
        """The peers that should hear from this partition now."""
        if self._exchange is None:
            return []
        with self._lock:
            return self._exchange.due(self._clock())

    def peers_in_question(self) -> list[int]:
        """The peers that are owed something, or have yet to send something."""
        if self._exchange is None:
            return []
        with self._lock:
            return self._exchange.in_question(self._clock())

    def peers_in_haste(self) -> list[int]:
        """The peers to whom the next letter should not wait."""
        if self._exchange is None:
            return []
        with self._lock:
            return self._exchange.in_haste()

    def letter_to(self, peer: int) -> bytes:
        """What to tell a peer now."""
        assert self._exchange is not None, "only who keeps copies has peers to tell"
        with self._lock:
            return pack_parcel(self._exchange.parcel_for(peer, self._clock()))

    def read_letter(self, letter: bytes) -> int:
        """Hear what a peer tells; returns which one it was.

        Raises:
            InvalidCallError: it is no letter.
        """
        assert self._exchange is not None, "only who keeps copies has peers to hear from"
        parcel = unpack_parcel(letter)
        with self._lock:
            taken_out = self._exchange.take(parcel, self._clock(), self._now())
            for index in taken_out:
                self._partition.tell(ServiceChanged(index, in_service=False))
        return parcel.sender

    def answer_letter(self, letter: bytes) -> bytes:
        """Hear what a peer tells, and tell it what it is owed."""
        return self.letter_to(self.read_letter(letter))

    def meet(self, lives: Mapping[int, Life]) -> None:
        """Hear where the others live, before anything is kept."""
        if self._exchange is not None:
            with self._lock:
                self._exchange.meet(lives, self._clock())

    def gone(self, peer: int) -> None:
        """There is no actor of a peer's name any more."""
        if self._exchange is not None:
            with self._lock:
                self._exchange.gone(peer)

    def obey(self, decree: Topology, after: int | None = None) -> Topology:
        """Go by a decree, if it is a greater one; returns the topology that holds now.

        Args:
            after: only while the present decree is that of this epoch.
        """
        exchange = self._exchange
        if exchange is not None:
            with self._lock:
                if after is None or exchange.decree.since == after:
                    exchange.obey(decree, self._clock())
        return self.topology

    def hand_off(self) -> HandOff:
        """How far this partition is with what it has for others, and others have for it."""
        exchange = self._exchange
        if exchange is None:
            return HandOff(self._topology.since, True, True, 0, False)
        with self._lock:
            exchange.watch(self._clock())
            ready = exchange.ready and not exchange.custody.awaits
            return HandOff(
                exchange.decree.since, ready, exchange.handed_on, exchange.lag, exchange.holds_nothing
            )

    def life(self) -> Life:
        """Which life this is, and where."""
        return Life(self.incarnation, node=self._node)

    def revive(self, partition: int) -> bool:
        """Bring a partition back into service; whether it was out."""
        if self._exchange is None:
            return False
        with self._lock:
            revived = self._exchange.revive(partition, self._clock())
            if revived:
                self._partition.tell(ServiceChanged(partition, in_service=True))
        return revived

    def note_scaling(self, stats: AutoscalingStats, decision: ScalingDecision | None) -> None:
        """Keep what the router's controller says of itself, and tell of its decision."""
        self._scaling = stats
        if decision is not None:
            told = ScalingDecided(self._index, decision.before, decision.after, decision.reason)
            with self._lock:
                self._partition.tell(told)

    def answer(self, request: Request) -> object:
        """Answer what is asked past the data lane.

        Raises:
            InvalidCallError: it is no request.
        """
        match request:
            case Control.PING:
                return self.ping()
            case Control.PRUNE:
                return self.prune()
            case Control.STATS:
                return self.stats()
            case Control.INSIGHT:
                return self.insight()
            case Control.TOPOLOGY:
                return self.topology
            case Control.HAND_OFF:
                return self.hand_off()
            case Revive(partition):
                return self.revive(partition)
            case ReadPage():
                return self._archivist.read(request)
            case TakeIn(piece):
                return self._archivist.take_in(piece)
            case Decree(topology, after):
                return self.obey(topology, after)
            case NoteScaling(stats, decision):
                self.note_scaling(stats, decision)
                return None
        raise InvalidCallError("request", f"must be a Control or the like, not {type(request).__name__}")

    def _new_exchange(
        self, own: OwnSessions, defaults: Defaults, *, slot_of: SlotOf, fresh: bool
    ) -> Exchange:
        config, settings = self._config, self._config.partition_settings()
        retention = Retention(settings.stale_retention_s, settings.tombstone_retention_s)
        return Exchange(
            self._index,
            self._topology,
            slot_of,
            own,
            defaults,
            Standby(
                _COPIES_FOR_ONE * settings.capacity,
                settings.max_candidates,
                retention,
                RecordFormat(settings.ttl_s),
            ),
            config.copy_settings(),
            incarnation=self._incarnation,
            node=self._node,
            fresh=fresh,
            now=self._clock(),
        )

    def _copy_stats(self) -> CopyStats | None:
        exchange = self._exchange
        if exchange is None or not exchange.keeps_copies:
            return None
        with self._lock:
            return CopyStats(
                entries=len(exchange.standby),
                evicted=exchange.standby.evicted,
                owed=exchange.lag,
                ready=exchange.ready,
                recovered=exchange.recovered,
                settled=exchange.settled,
                lost_window_s=exchange.lost_window_s,
                out=tuple(sorted(exchange.lives.out)),
            )

    def _clean(self) -> int:
        with self._lock:
            return self._partition.tidy(self._now(), _CLEAN_AT_ONCE)

    def _now(self) -> float:
        """The present; on an event clock, the latest time that any call carried."""
        return self._clock() if self._config.clock == "wall" else self._event_time


def _slot_function(strategy: str) -> SlotOf:
    """A strategy's slot function; one that cannot be had is others' to complain of, and loads are by room."""
    try:
        return slot_function(strategy)
    except InvalidConfigError:
        return slot_function("room")
