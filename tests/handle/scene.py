"""A handle over partitions in this process that fail on demand, and keys that name their partition."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from ray_router import Route, RouterConfig, RouterHandle, SessionKey
from ray_router.core.slots import Topology, slot_function
from ray_router.testing import FaultyTransport, HeldTicket, ManualClock
from ray_router.transport import Directory, Fault, LocalTransport, Request, Ticket

HOME, AWAY, ELSEWHERE = Route("home"), Route("away"), Route("elsewhere")
PATIENT_S = 60.0
"""A timeout that no test comes near."""

Tr = TypeVar("Tr", bound=FaultyTransport)


class Stage(Generic[Tr]):
    """A router over a transport of any kind; the handle's clock is the partitions' as well."""

    def __init__(self, kind: Callable[[LocalTransport], Tr], *, partitions: int = 1, **settings: Any) -> None:
        self.clock = ManualClock()
        self.config = RouterConfig(partitions=partitions, **{"call_timeout_s": PATIENT_S, **settings})
        self.transport = kind(LocalTransport(self.config, clock=self.clock))
        self.router = self.another()

    def another(self) -> RouterHandle:
        """A further handle of the same router, not yet connected."""
        return RouterHandle(self.transport, clock=self.clock)


class Scene(Stage[FaultyTransport]):
    """A router whose partitions fail on demand, and one handle, which is connected."""

    def __init__(self, partitions: int = 1, **settings: Any) -> None:
        super().__init__(FaultyTransport, partitions=partitions, **settings)
        self.router.connect()


class HeldDoor(FaultyTransport):
    """Its directory comes when a test lets it; ``opened`` counts who asked."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.opened = 0
        self._door: HeldTicket[Directory] = HeldTicket()

    def open(self) -> Ticket[Directory]:
        """Wait at the door."""
        self.opened += 1
        return self._door

    def let_in(self) -> None:
        """The directory comes, for whoever asked and whoever will."""
        self._door.settle(super().open().wait(0))

    def turn_away(self, fault: Fault) -> None:
        """Whoever asked is told this; whoever asks next waits anew."""
        door, self._door = self._door, HeldTicket()
        door.settle(fault)


class LosingTransport(FaultyTransport):
    """While ``losing``, batches vanish: nobody carries them out, and nobody ever says so."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.losing = False

    def submit(self, partition: int, batch: Any) -> Ticket[Any]:
        """Send it, or let it vanish."""
        return HeldTicket() if self.losing else super().submit(partition, batch)


class HeldPings(FaultyTransport):
    """While ``holding``, what the partitions say to pings arrives only when a test lets it."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        self.holding = False
        self.held: list[tuple[HeldTicket[object], object]] = []

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """The partition answers at once; its answer may be under way for long."""
        answered = super().ask(partition, request)
        if not self.holding:
            return answered
        ticket: HeldTicket[object] = HeldTicket()
        self.held.append((ticket, answered.wait(0)))
        return ticket

    def let_arrive(self) -> None:
        """All answers arrive."""
        self.holding = False
        for ticket, answer in self.held:
            ticket.settle(answer)


def keys_on(partition: int, partitions: int, count: int) -> list[SessionKey]:
    """Rooms that a partition owns."""
    owners, slot_of = Topology.balanced(partitions).owners, slot_function("room")
    keys: list[SessionKey] = []
    number = 0
    while len(keys) < count:
        key = SessionKey("tg", "bot", f"room_{number}")
        number += 1
        if owners[slot_of(str(key))] == partition:
            keys.append(key)
    return keys


def key_on(partition: int, partitions: int) -> SessionKey:
    """A room that a partition owns."""
    return keys_on(partition, partitions, 1)[0]


def in_threads(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at once, each in a thread of its own; their results, in order.

    Raises:
        Exception: whatever the first of them that failed raised.
    """
    together = threading.Barrier(len(jobs))
    outcomes: list[Any] = [None] * len(jobs)

    def run(index: int) -> None:
        together.wait()
        try:
            outcomes[index] = jobs[index]()
        except Exception as error:
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


async def until(condition: Callable[[], object]) -> None:
    """Wait for a state without holding up the event loop."""
    while not condition():
        await asyncio.sleep(0.001)
