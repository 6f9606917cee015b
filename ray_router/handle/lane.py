"""``Lane``: a handle's way to one partition. One batch is under way at a time; the rest queues.

What arrives while a batch is under way leaves together in the next one: no timer, nothing added when
idle, and one submitter's calls stay in order. A batch is finished by whoever first learns that it has
settled: a thread that waits for one of its calls, the event loop of one that awaits, or the courier.

A batch whose partition died is sent again once a new life of it answers a ping, which goes past the
data queue; what was asked is idempotent. Until then the partition counts as down: new calls fail at
once instead of queueing behind the runtime's own stall, and those under way wait for their own deadline.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import NamedTuple, TypeVar

from ray_router.core.events import Carried, Observer
from ray_router.core.operations import Elsewhere, Moved, Operation, Resolve, Result
from ray_router.handle.boarding import Boarding
from ray_router.handle.courier import TICK_S, Courier
from ray_router.handle.manner import USUAL, Manner
from ray_router.handle.promise import Failure, FailureKind, Outcome, Promise
from ray_router.transport import (
    Batch,
    Control,
    Fault,
    NotYet,
    PartitionBroken,
    PartitionGone,
    PartitionLost,
    Pulse,
    Response,
    Ticket,
    Transport,
)

_SUSPECT_AFTER_S = 0.25  # a batch that takes longer is asked after, by ping
_DOWN_AFTER_S = 0.5  # a partition that answers no ping for so long counts as down
_PING_EVERY_S = 0.1
_PING_AT_LEAST_EVERY_S = 1.0
_LATER_FOR_EACH_S = 30e-6  # an operation's share of a large batch's time, generously
_TIMELY_S = 0.005  # who began to wait so soon after sending saw the whole round trip, and no more

Results = tuple[Result, ...]

_LATE = Failure(FailureKind.LATE, "it is late, and somebody else is asked")


P = TypeVar("P", bound="Pending")


class Terms(NamedTuple):
    """What holds for every lane of a handle. ``epoch``, ``since``: of the topology that it goes by."""

    epoch: int
    fingerprint: int
    max_pending: int
    max_batch: int
    hedge_after_s: float = inf
    since: int = 1


class Pending(Promise[Results]):
    """One submission's group, on its way to one partition and back.

    Args:
        since: the epoch of the decree by which this partition was chosen for it.
    """

    __slots__ = (
        "_operations",
        "deadline",
        "incarnation",
        "key",
        "lane",
        "lives",
        "manner",
        "now",
        "since",
        "size",
        "traceparent",
    )

    def __init__(
        self,
        lane: Lane,
        operations: tuple[Operation, ...],
        now: float | None,
        deadline: float,
        traceparent: str | None,
        since: int,
        manner: Manner = USUAL,
    ) -> None:
        super().__init__()
        self.since = since
        self.traceparent = traceparent
        self.manner = manner
        self.incarnation = 0  # of the life that answered, and the others' that it knew of
        self.lives: Mapping[int, int] = {}
        self.lane = lane
        self.key: str | None = None
        self._operations = operations
        self.now = now
        self.deadline = deadline
        self.size = sum([len(each.keys) if type(each) is Resolve else 1 for each in operations])

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What it asks, in order."""
        return self._operations

    @property
    def terms(self) -> tuple[float | None, bool, bool]:
        """At what time, on a router with an event clock; whether of a copy; whether astray."""
        return self.now, self.manner.copy, self.manner.astray

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""
        return self.lane.pump(self, timeout_s)

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that this settles without a waiting thread."""
        self.lane.watch(loop)


class Flight:
    """A batch under way."""

    __slots__ = (
        "actor",
        "boarding",
        "incarnation",
        "late_at",
        "passengers",
        "pumped",
        "sent_at",
        "ticket",
        "timely",
        "watched",
    )

    def __init__(
        self,
        ticket: Ticket[Response],
        passengers: list[Pending],
        boarding: Boarding,
        actor: int,
        incarnation: int,
        sent_at: float,
        late_at: float,
    ) -> None:
        self.ticket = ticket
        self.boarding = boarding
        self.passengers = passengers
        self.actor = actor
        self.incarnation = incarnation
        self.sent_at = sent_at
        self.late_at = late_at
        self.pumped = False
        self.watched = False
        self.timely = False

    def landed(self, timeout_s: float) -> Response | Fault | None:
        """How the flight ended; None when it has not, within the time."""
        try:
            return self.ticket.wait(timeout_s)
        except NotYet:
            return None
        except Fault as fault:
            return fault


class Lane:
    """The way to one partition.

    Args:
        partition: the partition's index.
        transport: carries the batches.
        courier: carries out what nobody waits for.
        terms: the bounds that hold for every lane.
        clock: monotonic seconds.
        tell: told what each round trip was like; None for nobody.
        traced: whether calls may have a ``traceparent``.
        moved: given a call that the partition did not carry out, since not all it concerns is there, and
            the epoch of the decree that the partition goes by; None when there is no such partition.
        outdated: told that the partition goes by a later topology.
    """

    def __init__(
        self,
        partition: int,
        transport: Transport,
        courier: Courier,
        terms: Terms,
        clock: Callable[[], float] = time.monotonic,
        *,
        tell: Observer | None = None,
        traced: bool = False,
        moved: Callable[[Pending, int | None], None] | None = None,
        outdated: Callable[[int], None] | None = None,
    ) -> None:
        self._tell = tell
        self._traced = traced
        self._moved = moved
        self._outdated = outdated
        self._turned_away: list[tuple[Pending, int | None]] = []
        self.partition = partition
        self._transport = transport
        self._courier = courier
        self._terms = terms
        self._clock = clock
        self._lock = threading.RLock()  # a forgotten reply may be collected while this is held
        self._queue: deque[Pending] = deque()
        self._queued = 0
        self._flight: Flight | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._actor = 0  # how often another actor has taken the partition's name: each counts its own lives
        self._incarnation = 0
        self._down_since: float | None = None
        self._pinged_at = 0.0
        self._unheard_since: float | None = None
        self._waited_s: float | None = None

    def retune(self, terms: Terms) -> None:
        """Go by these terms from the next batch on."""
        self._terms = terms

    @property
    def down(self) -> bool:
        """Whether the partition is known not to answer."""
        return self._down_since is not None

    def submit(
        self,
        operations: tuple[Operation, ...],
        now: float | None,
        deadline: float,
        traceparent: str | None = None,
        manner: Manner = USUAL,
        *,
        since: int | None = None,
        push: bool = True,
    ) -> Pending:
        """Send, or queue behind what is under way.

        Args:
            deadline: monotonic seconds.
            traceparent: of the span that records the call, if one does.
            since: the epoch of the decree that the caller goes by; what the lane goes by when left out.
            push: send now if nothing is under way; otherwise the caller has more, and pushes in the end.
        """
        since = self._terms.since if since is None else since
        return self.put(Pending(self, operations, now, deadline, traceparent, since, manner), push=push)

    def put(self, pending: P, *, push: bool = True) -> P:
        """Send this, or queue it behind what is under way."""
        settlements: list[tuple[Pending, Outcome[Results]]] = []
        flight = self._flight
        if flight is not None and pending.manner.hedged and self._clock() >= flight.late_at:
            self._collect(flight)  # it may have landed long ago, and nobody has waited for it
        with self._lock:
            refusal = self._refusal(pending)
            if refusal is None:
                self._queue.append(pending)
                self._queued += pending.size
                if self._flight is not None:
                    settlements = self._watch()
                elif push:
                    settlements = self._send()
        if refusal is not None:
            pending.settle(refusal)
        else:
            self._conclude(settlements)
        return pending

    def push(self) -> None:
        """Send what is queued, unless something is under way."""
        with self._lock:
            settlements = self._send()
        self._conclude(settlements)

    def pump(self, pending: Pending, timeout_s: float) -> bool:
        """Wait for a submission in this thread, finishing batches as they settle; whether it settled."""
        until = self._clock() + timeout_s
        flight = self._flight
        if flight is not None and not flight.watched:
            flight.timely = self._clock() - flight.sent_at < _TIMELY_S
        while not pending.settled:
            slice_s = max(0.0, min(TICK_S, until - self._clock()))
            flight = self._flight
            if flight is not None and flight.late_at > self._clock():
                slice_s = min(slice_s, flight.late_at - self._clock())
            if flight is None or flight.pumped:
                pending.wait(slice_s)
            else:
                flight.pumped = True
                try:
                    landing = flight.landed(slice_s)
                finally:  # an interrupted wait is over as well
                    flight.pumped = False
                if landing is not None:
                    self._finish(flight, landing)
                    continue
            if not pending.settled:
                self.tick()
                if self._clock() >= until:
                    break
        return pending.settled

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that what is under way is finished without a waiting thread, in ``loop`` if given."""
        flight = self._flight
        if flight is not None and flight.watched and loop is self._loop:
            self._courier.attend()
            return
        with self._lock:
            if loop is not None:
                self._loop = loop
                if self._flight is not None and not self._flight.watched:
                    self._flight.timely = self._clock() - self._flight.sent_at < _TIMELY_S
            self._watch()
        self._courier.attend()

    def tick(self) -> bool:
        """Settle what is past its deadline, ask after what is late; whether the lane is busy."""
        flight = self._flight
        if flight is not None and not flight.pumped:
            self._collect(flight)  # nobody waits in a thread, and its event loop may be busy, or over
        now = self._clock()
        with self._lock:
            settlements = self._expire(now) + self._pass_on_late(now)
            flight = self._flight
            late = flight is not None and now - flight.sent_at > _SUSPECT_AFTER_S
            if late and self._silent(now):
                self._down_since = self._down_since or now
                self._courier.attend()  # whoever waits here may give up before it is back
            ping = late or self._down_since is not None
            ping = ping and now - self._pinged_at >= self._ping_every(now)
            if ping:
                self._pinged_at = now
                self._unheard_since = self._unheard_since or now
            busy = flight is not None or bool(self._queue) or self._down_since is not None
        self._conclude(settlements)
        if ping:
            self._ping()
        return busy

    def _silent(self, now: float) -> bool:
        """Whether pings have gone unanswered for too long. What this process sleeps does not count."""
        return self._unheard_since is not None and now - self._unheard_since > _DOWN_AFTER_S

    def _pass_on_late(self, now: float) -> list[tuple[Pending, Outcome[Results]]]:
        """Fail what others can be asked about, once the flight is later than flights of its size are."""
        flight = self._flight
        if flight is None or now < flight.late_at:
            return []
        aboard = [each for each in flight.passengers if self._gives_up(each) and not each.settled]
        queued = [each for each in self._queue if self._gives_up(each)]
        if queued:
            self._queue = deque(each for each in self._queue if not self._gives_up(each))
            self._queued -= sum(each.size for each in queued)
        return [(each, _LATE) for each in (*aboard, *queued)]

    def _gives_up(self, late: Pending) -> bool:
        """Whether a call does not wait for a partition that is late."""
        return late.manner.hedged and (self._down_since is not None or not late.manner.firm)

    def _refusal(self, pending: Pending) -> Failure | None:
        if self._gives_up(pending) and self._flight is not None and self._clock() >= self._flight.late_at:
            return _LATE
        if self._down_since is not None and not pending.manner.patient:
            return Failure(
                FailureKind.UNAVAILABLE,
                f"it has not answered for {self._clock() - self._down_since:.1f} s",
            )
        if self._queue and self._queued + pending.size > self._terms.max_pending:
            return Failure(
                FailureKind.OVERLOADED,
                f"{self._queued} operations wait for it in this handle; "
                f"the limit is {self._terms.max_pending}",
            )
        return None

    def _send(self) -> list[tuple[Pending, Outcome[Results]]]:
        """Send the next batch; holding the lock."""
        settlements: list[tuple[Pending, Outcome[Results]]] = []
        while self._queue and self._down_since is None and self._flight is None:
            passengers: list[Pending] = []
            size = 0
            while self._queue and (not passengers or size + self._queue[0].size <= self._terms.max_batch):
                pending = self._queue.popleft()
                self._queued -= pending.size
                if not pending.settled:
                    passengers.append(pending)
                    size += pending.size
            if not passengers:
                continue
            boarding = Boarding(passengers)
            batch = Batch(
                min([each.since for each in passengers]),
                self._terms.fingerprint,
                self._incarnation,
                boarding.groups,
                self._waited_s,
                _traceparents(passengers) if self._traced else (),
            )
            self._waited_s = None
            sent_at = self._clock()
            try:
                ticket = self._transport.submit(self.partition, batch)
            except Fault as fault:
                settlements += self._cope(passengers, fault)
            else:
                late_at = sent_at + self._terms.hedge_after_s + size * _LATER_FOR_EACH_S
                self._flight = Flight(
                    ticket, passengers, boarding, self._actor, self._incarnation, sent_at, late_at
                )
        return settlements

    def _watch(self) -> list[tuple[Pending, Outcome[Results]]]:
        """Have the flight's end announced; holding the lock."""
        flight = self._flight
        if flight is not None and not flight.watched:
            flight.watched = True
            flight.ticket.on_done(partial(self._announce, flight))
        return []

    def _announce(self, flight: Flight) -> None:
        """The flight has ended; the runtime's own thread says so, and must not do the work."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._collect, flight)
                return
            except RuntimeError:  # closed in the meantime
                self._loop = None
        self._courier.post(partial(self._collect, flight))

    def _collect(self, flight: Flight) -> None:
        landing = flight.landed(0)
        if landing is not None:
            self._finish(flight, landing)

    def _finish(self, flight: Flight, landing: Response | Fault) -> None:
        """The flight has ended thus: tell its passengers, and send who waited. First come, only served."""
        with self._lock:
            if flight is not self._flight:
                return
            self._flight = None
            settlements = self._disembark(flight, landing)
            carried = None if self._tell is None else self._carriage(flight, landing)
            settlements += self._send()
            if self._flight is not None:
                self._watch()
        self._conclude(settlements)
        if self._outdated is not None and isinstance(landing, Response) and landing.epoch > self._terms.epoch:
            self._outdated(self.partition)
        if carried is not None:
            assert self._tell is not None
            self._tell(carried)

    def _conclude(self, settlements: list[tuple[Pending, Outcome[Results]]]) -> None:
        """Tell passengers what became of them; whoever knows more sees to those who were turned away."""
        for pending, outcome in settlements:
            pending.settle(outcome)
        if self._turned_away and self._moved is not None:
            with self._lock:
                turned_away, self._turned_away = self._turned_away, []
            for pending, since in turned_away:
                self._moved(pending, since)

    def _carriage(self, flight: Flight, landing: Response | Fault) -> Carried | None:
        """What the flight was like; None when that is not known."""
        if isinstance(landing, Fault) or not flight.timely:
            return None
        round_trip_s = self._clock() - flight.sent_at
        waited_s = max(0.0, round_trip_s - landing.service_s)
        return Carried(self.partition, round_trip_s, waited_s, self._queued)

    def _disembark(self, flight: Flight, landing: Response | Fault) -> list[tuple[Pending, Outcome[Results]]]:
        if isinstance(landing, Fault):
            return self._cope(flight.passengers, landing)
        results = flight.boarding.results(landing.results)
        if results is None:
            return self._cope(flight.passengers, PartitionBroken("it did not answer what it was asked"))
        now = self._clock()
        if flight.actor == self._actor:
            self._incarnation = max(self._incarnation, landing.incarnation)
        self._down_since = self._unheard_since = None
        if flight.timely:
            self._waited_s = max(0.0, now - flight.sent_at - landing.service_s)
        settlements: list[tuple[Pending, Outcome[Results]]] = []
        for pending, said in zip(flight.passengers, results, strict=True):
            pending.incarnation, pending.lives = landing.incarnation, landing.lives
            first = said[0] if said else None
            if type(first) is Moved and self._moved is not None:
                self._turned_away.append((pending, first.since))
                continue
            elsewhere = first if type(first) is Elsewhere else None
            if elsewhere is None:
                settlements.append((pending, said))
            elif pending.manner.patient:
                self._down_since = self._down_since or now  # it lives, but must be asked again later
                self._requeue([pending])
            else:
                settlements.append((pending, Failure(FailureKind.UNAVAILABLE, elsewhere.problem)))
        return settlements

    def _cope(self, passengers: list[Pending], fault: Fault) -> list[tuple[Pending, Outcome[Results]]]:
        """What to do about a batch that was not answered; holding the lock."""
        if isinstance(fault, PartitionGone) and self._relocate():
            fault = PartitionLost(str(fault))  # another actor has its name: as good as restarted
        if isinstance(fault, PartitionLost):
            self._down_since = self._down_since or self._clock()
            self._requeue([pending for pending in passengers if not pending.manner.hedged])
            self._courier.attend()
            failure = Failure(FailureKind.UNAVAILABLE, str(fault))
            return [(pending, failure) for pending in passengers if pending.manner.hedged]
        if isinstance(fault, PartitionGone):
            self._down_since = self._down_since or self._clock()
            self._courier.attend()
            if self._moved is not None:  # there may be no such partition any more
                self._turned_away += [(pending, None) for pending in passengers]
                return []
        failure = Failure(FailureKind.UNAVAILABLE, str(fault))
        return [(pending, failure) for pending in passengers]

    def _requeue(self, passengers: list[Pending]) -> None:
        unsettled = [pending for pending in passengers if not pending.settled]
        self._queue.extendleft(reversed(unsettled))
        self._queued += sum(pending.size for pending in unsettled)

    def _expire(self, now: float) -> list[tuple[Pending, Outcome[Results]]]:
        expired = [pending for pending in self._queue if pending.deadline <= now]
        if expired:
            self._queue = deque(pending for pending in self._queue if pending.deadline > now)
            self._queued -= sum(pending.size for pending in expired)
        if self._flight is not None:
            expired += [each for each in self._flight.passengers if each.deadline <= now and not each.settled]
        if not expired:
            return []
        if self._down_since is not None:
            failure = Failure(FailureKind.UNAVAILABLE, "it stopped answering, and did not come back in time")
        else:
            failure = Failure(FailureKind.DEADLINE, "it is busy, and did not answer in time")
        return [(pending, failure) for pending in expired]

    def _relocate(self) -> bool:
        with self._lock:
            found = self._transport.relocate(self.partition)
            if found:
                self._actor += 1
                self._incarnation = 0
        return found

    def _ping_every(self, now: float) -> float:
        down_for = 0.0 if self._down_since is None else now - self._down_since
        return min(_PING_AT_LEAST_EVERY_S, max(_PING_EVERY_S, down_for / 10))

    def _ping(self) -> None:
        actor = self._actor
        try:
            ticket = self._transport.ask(self.partition, Control.PING)
        except PartitionGone:
            self._relocate()
        except Fault:
            pass  # asked again at the next tick
        else:
            ticket.on_done(lambda: self._courier.post(partial(self._hear, ticket, actor)))

    def _hear(self, ticket: Ticket[object], actor: int) -> None:
        try:
            pulse = ticket.wait(0)
        except PartitionGone:
            self._relocate()
            return
        except Fault:
            return
        assert isinstance(pulse, Pulse)
        with self._lock:
            if actor != self._actor:
                return  # said by one that has lost the name since
            self._down_since = self._unheard_since = None
            self._incarnation = max(self._incarnation, pulse.incarnation)
            flight = self._flight
            if flight is not None and (flight.actor < actor or 0 < flight.incarnation < pulse.incarnation):
                self._flight = None  # the life that it was sent to is over
                self._requeue(flight.passengers)
            settlements = self._send()
            if self._flight is not None:
                self._watch()
        self._conclude(settlements)


def _traceparents(passengers: list[Pending]) -> tuple[str, ...]:
    """Of the calls that somebody records, each once: a call may have several passengers."""
    return tuple(dict.fromkeys([each.traceparent for each in passengers if each.traceparent is not None]))
