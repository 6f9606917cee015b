"""``Link``: what all handles of one router in one process share: the directory, the lanes, the courier."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import count
from math import inf

from ray_router.config import RouterConfig
from ray_router.core.operations import Resolve
from ray_router.core.record import RecordFormat
from ray_router.core.slots import Topology, slot_function
from ray_router.errors import RouterError, RouterNotFoundError
from ray_router.handle.courier import Attended, Courier
from ray_router.handle.forwarding import Forwarder
from ray_router.handle.lane import Lane, Pending, Terms
from ray_router.handle.manner import USUAL
from ray_router.handle.ownership import Ownership
from ray_router.handle.promise import Failure, FailureKind, Promise
from ray_router.handle.question import Questions
from ray_router.handle.resolutions import AnswerTerms
from ray_router.handle.strays import Strays
from ray_router.telemetry import HandleTelemetry, for_handle
from ray_router.transport import (
    Control,
    Directory,
    Fault,
    NotYet,
    PartitionBroken,
    Request,
    Ticket,
    Transport,
)

_OPEN_WITHIN_S = 10.0  # until the router's own timeout is known
_ASK_ANOTHER_AFTER_S = 2.0  # whoever was asked may be frozen
_LOOK_AGAIN_S = 0.02


class ControlCall(Promise[object]):
    """A question to one partition, past its data lane."""

    __slots__ = ("_courier", "_deadline", "_ticket")

    def __init__(self, ticket: Ticket[object] | Fault, deadline: float, courier: Courier) -> None:
        super().__init__()
        self._deadline = deadline
        self._courier = courier
        if isinstance(ticket, Fault):
            self.settle(Failure(FailureKind.UNAVAILABLE, str(ticket)))
        else:
            self._ticket = ticket

    def pump(self, timeout_s: float) -> bool:
        """Wait in this thread; whether it settled."""
        remaining_s = self._deadline - time.monotonic()
        self._collect(max(0.0, min(timeout_s, remaining_s)))
        if not self.settled and remaining_s <= timeout_s:
            self._give_up()
        return self.settled

    def watch(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """See to it that this settles without a waiting thread."""
        self._ticket.on_done(lambda: self._courier.post(partial(self._collect, 0.0)))
        if loop is not None:
            loop.call_later(max(0.0, self._deadline - time.monotonic()), self._give_up)

    def _collect(self, timeout_s: float) -> None:
        try:
            self.settle(self._ticket.wait(timeout_s))
        except NotYet:
            pass
        except Fault as fault:
            self.settle(Failure(FailureKind.UNAVAILABLE, str(fault)))

    def _give_up(self) -> None:
        self.settle(Failure(FailureKind.DEADLINE, "it did not answer in time"))


class Link:
    """One process's connection to one router.

    The directory is asked for once. Until it has come, an event loop's submissions wait in the order in
    which they were made; other threads wait for it themselves.

    Args:
        watching: what watches the calls to a router of this config; as the application has set up its
            OpenTelemetry when left out.
    """

    def __init__(
        self,
        transport: Transport,
        watching: Callable[[RouterConfig], HandleTelemetry | None] | None = None,
    ) -> None:
        self.transport = transport
        self._watching = watching or _as_the_application_wants
        self.strays = Strays()
        self.turns = count()
        """Of those who answer for the same sessions."""
        self._courier = Courier(self)
        self._lanes: dict[int, Lane] = {}
        self._forwarder = Forwarder(self.lane)
        self._renewing = False
        self._lock = threading.Lock()
        self._publishing = threading.RLock()  # what is launched may learn more
        self._learned: Directory | None = None
        self._ownership: Ownership | None = None
        self._questions: Questions | None = None
        self._directory: Directory | None = None
        self._opening: Ticket[Directory] | None = None
        self._launches: list[Callable[[Directory | Exception], None]] = []

    @property
    def directory(self) -> Directory | None:
        """What there is to know of the router; None until it has come, and all who waited were served."""
        return self._directory

    @property
    def ownership(self) -> Ownership:
        """Which partitions a key concerns; only once the directory has come."""
        learned, ownership = self._learned, self._ownership
        assert learned is not None
        if ownership is None or ownership.topology is not learned.topology:  # learnt a moment ago, maybe
            slot_of = slot_function(learned.config.hash_strategy)
            ownership = self._ownership = Ownership(learned.topology, slot_of)
        return ownership

    @cached_property
    def records(self) -> RecordFormat:
        """How this router's records are read; only once the directory has come."""
        assert self._learned is not None
        return RecordFormat(self._learned.config.partition_settings().ttl_s)

    @property
    def questions(self) -> Questions | None:
        """Asks for single keys, where there is nothing more to it: neither standbys nor traces, yet."""
        questions, directory = self._questions, self._directory
        if directory is None or (questions is not None and questions.topology is directory.topology):
            return questions
        if directory.topology.standbys is not None or self.traced:
            return None
        questions = self._questions = self._new_questions(directory)
        return questions

    @cached_property
    def telemetry(self) -> HandleTelemetry | None:
        """What watches the calls, decided when the first is made; None for nothing."""
        assert self._learned is not None
        return self._watching(self._learned.config)

    @property
    def traced(self) -> bool:
        """Whether anybody records traces of the calls; only once the directory has come."""
        telemetry = self.telemetry
        return telemetry is not None and telemetry.tracer is not None

    def attended(self) -> Iterable[Attended]:
        """The lanes, which the courier looks after, and what is on its way to other partitions."""
        return (*self._lanes.values(), self)

    def tick(self) -> bool:
        """Ask again for what was on its way to another partition a moment ago; whether any of it still is."""
        if len(self._forwarder):
            self._forwarder.release(self.ownership)
        return bool(len(self._forwarder))

    def lane(self, partition: int) -> Lane:
        """The lane to a partition."""
        lane = self._lanes.get(partition)
        if lane is None:
            with self._lock:
                lane = self._lanes.get(partition) or self._new_lane(partition)
        return lane

    def ask(self, partition: int, request: Request, deadline: float) -> ControlCall:
        """Ask a partition something past its data lane."""
        try:
            ticket: Ticket[object] | Fault = self.transport.ask(partition, request)
        except Fault as fault:
            ticket = fault
        return ControlCall(ticket, deadline, self._courier)

    def open(self, timeout_s: float = _OPEN_WITHIN_S) -> Directory:
        """The directory, waited for in this thread.

        Raises:
            RouterNotFoundError: there is no such router, or it does not answer.
        """
        until = time.monotonic() + timeout_s
        while self._directory is None:
            opening = self._opening or self.transport.open()
            try:
                remaining_s = max(0.0, until - time.monotonic())
                self._opened(opening.wait(min(remaining_s, _ASK_ANOTHER_AFTER_S)))
            except Fault as fault:
                self._opening = None
                if isinstance(fault, PartitionBroken) or time.monotonic() >= until:
                    raise RouterNotFoundError(f"the router does not answer: {fault}") from None
                time.sleep(_LOOK_AGAIN_S)
        return self._directory

    def begin_to_open(self) -> None:
        """Ask for the directory, and do not wait for it.

        Raises:
            RouterNotFoundError: there is no such router.
        """
        with self._lock:
            if self._directory is None:
                self._begin()

    def when_open(self, launch: Callable[[Directory | Exception], None]) -> None:
        """Call with the directory, or with why there is none; in order, and at once when it is there."""
        with self._lock:
            if self._directory is None:
                self._begin()
                self._launches.append(launch)
                return
        launch(self._directory)

    def _begin(self) -> None:
        """Ask, unless somebody has; holding the lock."""
        if self._opening is None:
            self._opening = self.transport.open()
            self._courier.post(self._collect_directory)

    def _collect_directory(self) -> None:
        try:
            self._opened(self.open())
        except Exception as error:  # whatever it is, those who wait must hear it
            self._opened(error)

    def _opened(self, outcome: Directory | Exception) -> None:
        with self._publishing:  # one thread launches, or what is submitted next could overtake
            if isinstance(outcome, Directory) and self._learned is None:
                self._learn(outcome)
            while True:
                with self._lock:
                    launches, self._launches = self._launches, []
                    self._opening = None
                    if not launches:
                        self._directory = self._learned
                        return
                for launch in launches:
                    launch(self._learned or outcome)

    def _learn(self, directory: Directory) -> None:
        """Go by this directory from now on."""
        self._learned = directory
        for lane in tuple(self._lanes.values()):
            lane.retune(self._terms(directory))

    def _renew(self, partition: int | None) -> None:
        """Learn by which topology this partition goes, or anybody; in the courier's time."""
        with self._lock:
            if self._renewing:
                return
            self._renewing = True
        if asyncio._get_running_loop() is None:
            self._ask_for_topology(partition)
        else:  # a look-up may block for a moment
            self._courier.post(partial(self._ask_for_topology, partition))

    def _ask_for_topology(self, partition: int | None) -> None:
        ticket: Ticket[Directory] | Ticket[object]
        try:
            if partition is None:
                ticket = self.transport.open()
            else:
                ticket = self.transport.ask(partition, Control.TOPOLOGY)
        except RouterError:
            self._renewed(None)
            return
        try:
            ticket.wait(0)
        except NotYet:
            ticket.on_done(lambda: self._courier.post(partial(self._renewed, ticket)))
        except Fault:
            self._renewed(None)
        else:
            self._renewed(ticket)

    def _renewed(self, ticket: Ticket[Directory] | Ticket[object] | None) -> None:
        try:
            said = None if ticket is None else ticket.wait(0)
        except Fault:
            said = None
        topology = said.topology if isinstance(said, Directory) else said
        if isinstance(topology, Topology):
            self.learn(topology)
        self._renewing = False
        self._forwarder.release(self.ownership)

    def learn(self, topology: Topology) -> None:
        """Go by this topology from now on, if it is a later one; in a process that knows the router."""
        with self._publishing:
            learned = self._learned
            if learned is not None and _order(topology) > _order(learned.topology):
                self._learn(Directory(learned.config, topology))
                if self._directory is not None:
                    self._directory = self._learned

    def _turned_away(self, pending: Pending, since: int | None) -> None:
        """A partition did not carry this out: not all that it concerns is there, if there is a partition."""
        assert self._learned is not None
        partition = pending.lane.partition
        if pending.manner != USUAL:  # a relay knows whom else to ask
            if since is None:
                self._forwarder.hold_leg(pending)
            else:
                pending.settle(Failure(FailureKind.MOVED, "its sessions moved to another"))
        elif since is None:
            self._forwarder.hold_unless_member(pending)
        else:
            self._forwarder.hold_call(pending)
        self._look_up(partition, since)

    def _look_up(self, partition: int, since: int | None) -> None:
        """Learn a later topology, where there is one; otherwise what is held is asked for again soon."""
        assert self._learned is not None
        if since is None:
            self._renew(None)
        elif since > self._learned.topology.since:
            self._renew(partition)
        self._courier.attend()

    def hold(self, again: Callable[[Ownership], None], give_up: Callable[[], None], deadline: float) -> None:
        """Have something asked again in a moment, by whatever is known then of who owns what."""
        self._forwarder.hold(again, give_up, deadline)
        self._courier.attend()

    def heard_of(self, epoch: int, partition: int) -> None:
        """A partition goes by a topology of this epoch."""
        assert self._learned is not None
        if epoch > self._learned.topology.epoch:
            self._renew(partition)

    def _terms(self, directory: Directory) -> Terms:
        config, topology = directory
        return Terms(
            topology.epoch,
            config.fingerprint,
            config.max_pending_calls,
            config.max_batch,
            inf if topology.standbys is None else config.hedge_after_s,
            topology.since,
        )

    def _new_questions(self, directory: Directory) -> Questions:
        terms = AnswerTerms(Resolve(()), directory.topology.epoch, self.records)
        tell = None if self.telemetry is None else self.telemetry.tell
        return Questions(directory, self.ownership, self.lane, terms, tell)

    def _new_lane(self, partition: int) -> Lane:
        assert self._learned is not None
        watched = self.telemetry
        lane = self._lanes[partition] = Lane(
            partition,
            self.transport,
            self._courier,
            self._terms(self._learned),
            tell=None if watched is None else watched.tell,
            traced=self.traced,
            moved=self._turned_away,
            outdated=self._renew,
        )
        return lane


def _order(topology: Topology) -> tuple[int, int]:
    return topology.since, topology.epoch


def _as_the_application_wants(config: RouterConfig) -> HandleTelemetry | None:
    return for_handle(config.name, config.ray_metrics)
