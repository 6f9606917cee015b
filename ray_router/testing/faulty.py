"""A transport that fails on demand: partitions that die, come back, freeze, thaw, or are gone for good.

It wraps a ``LocalTransport``. A dead partition loses what it held, as a killed process does; its calls
fail, and it answers nothing until it is revived. A frozen one answers nothing, and carries out what it
was sent when it thaws. One that is gone for good comes back as another actor, which must be looked up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ray_router.transport import (
    Batch,
    Directory,
    Fault,
    LocalTransport,
    NotYet,
    PartitionGone,
    PartitionLost,
    Request,
    Response,
    Ticket,
)

T = TypeVar("T")


class HeldTicket(Generic[T]):
    """A call that settles when a test says so."""

    def __init__(self) -> None:
        self._settled = threading.Event()
        self._lock = threading.RLock()
        self._answer: T | Fault | None = None
        self._callbacks: list[Callable[[], None]] = []

    def settle(self, answer: T | Fault) -> None:
        """The call has ended."""
        with self._lock:
            self._answer = answer
            self._settled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def wait(self, timeout_s: float) -> T:
        """Block until it settles."""
        if not self._settled.wait(timeout_s):
            raise NotYet("held by a test")
        if isinstance(self._answer, Fault):
            raise self._answer
        return self._answer  # type: ignore[return-value]  # settled

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call back when it settles."""
        with self._lock:
            if not self._settled.is_set():
                self._callbacks.append(callback)
                return
        callback()


class FaultyTransport:
    """Partitions in this process that fail when told to.

    ``sent`` counts the batches that each partition was sent, ``asked`` the control calls, ``looked_up``
    the look-ups, whether or not it was there.
    """

    def __init__(self, inner: LocalTransport) -> None:
        self._inner = inner
        self._lock = threading.RLock()
        self._dead: set[int] = set()
        self._gone: set[int] = set()
        self._moved: set[int] = set()  # another actor has the name, and has not been looked up
        self._frozen: dict[int, list[tuple[HeldTicket[Any], Callable[[], Ticket[Any]]]]] = {}
        self.sent: dict[int, int] = {}
        self.asked: dict[int, int] = {}
        self.looked_up: dict[int, int] = {}

    def kill(self, partition: int) -> None:
        """The partition's process dies: it forgets all, and what it was doing is lost."""
        with self._lock:
            self._dead.add(partition)
            held = self._frozen.pop(partition, [])
        for ticket, _ in held:
            ticket.settle(PartitionLost("killed by a test"))

    def revive(self, partition: int) -> None:
        """The next life of a dead partition begins; in place of one that is gone, another actor's first."""
        with self._lock:
            self._inner.restart(partition, anew=partition in self._gone)
            if partition in self._gone:
                self._moved.add(partition)
            self._dead.discard(partition)
            self._gone.discard(partition)

    def remove(self, partition: int) -> None:
        """The partition's actor is gone for good, until it is revived under the same name."""
        with self._lock:
            self._gone.add(partition)
            held = self._frozen.pop(partition, [])
        for ticket, _ in held:
            ticket.settle(PartitionGone("removed by a test"))

    def freeze(self, partition: int) -> None:
        """The partition stops, with whatever it is sent."""
        with self._lock:
            self._frozen.setdefault(partition, [])

    def thaw(self, partition: int) -> None:
        """The partition goes on where it stopped."""
        with self._lock:
            held = self._frozen.pop(partition, [])
        for ticket, call in held:
            try:
                ticket.settle(call().wait(0))
            except Fault as fault:
                ticket.settle(fault)

    def open(self) -> Ticket[Directory]:
        """Always open."""
        return self._inner.open()

    def submit(self, partition: int, batch: Batch) -> Ticket[Response]:
        """Send a batch, to its fate."""
        with self._lock:
            self.sent[partition] = self.sent.get(partition, 0) + 1
        return self._call(partition, lambda: self._inner.submit(partition, batch))

    def ask(self, partition: int, request: Request) -> Ticket[object]:
        """Ask past the data lane; the dead and the frozen do not answer."""
        with self._lock:
            self.asked[partition] = self.asked.get(partition, 0) + 1
        return self._call(partition, lambda: self._inner.ask(partition, request))

    def relocate(self, partition: int) -> bool:
        """Whether anybody has the partition's name; calls go to that one from here on."""
        with self._lock:
            self.looked_up[partition] = self.looked_up.get(partition, 0) + 1
            self._moved.discard(partition)
            return partition not in self._gone

    def _call(self, partition: int, call: Callable[[], Ticket[T]]) -> Ticket[T]:
        with self._lock:
            if partition in self._gone or partition in self._moved:
                raise PartitionGone("removed by a test")
            if partition in self._dead:
                raise PartitionLost("killed by a test")
            if partition in self._frozen:
                ticket: HeldTicket[T] = HeldTicket()
                self._frozen[partition].append((ticket, call))
                return ticket
        return call()


def wait_until(condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for a state, not for a time.

    Raises:
        TimeoutError: it did not come about.
    """
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not so within {within_s:g} s")
        time.sleep(0.001)
