"""``LedgerLoad``: a caller that writes and reads, and enters into a ledger what it was promised.

In the end everything in the ledger is read again: what was acknowledged and is not there is lost. Each
caller has sessions of its own, and writes a session again and again, a later route each time; so it knows
at every moment what an answer must be, and its ledger does not grow.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from random import Random
from typing import NamedTuple

from ray_router.handle import RouterHandle
from ray_router.model import FallbackReason, Resolution, Route, SetOutcome

_BATCH_EVERY = 16  # turns
_BATCH = 32
_READ_AT_ONCE = 1_000


class Promise(NamedTuple):
    """A write that was acknowledged, at ``at``: epoch seconds, when the caller had the answer."""

    key: str
    route: Route
    at: float


class LedgerLoad:
    """Writes and reads in a thread, one call at a time, now and then a batch, until told to stop.

    Args:
        number: which caller this is; its sessions are its own.
        sessions: how many it writes, over and over.
        clock: epoch seconds.

    ``promised``: what must be found in the end, by key. ``unanswered``: what was raised, and what a batch
    said of items that nobody carried out. ``wrong``: answers that were other than promised. ``took_s``: each
    resolve of one session. ``by_standby``: how many of those a copy answered.
    """

    def __init__(
        self,
        router: RouterHandle,
        number: int,
        *,
        sessions: int = 20_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._router = router
        self._number = number
        self._sessions = sessions
        self._clock = clock
        self._random = Random(number)
        self._turns = self._routes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ledger-{number}")
        self.promised: dict[str, Promise] = {}
        self.acknowledged = 0
        self.unanswered: list[str] = []
        self.wrong: list[tuple[Promise, Resolution]] = []
        self.took_s = array("d")
        self.by_standby = 0

    def __enter__(self) -> LedgerLoad:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End, when the call under way is over."""
        self._over.set()
        self._thread.join()

    def take_turn(self) -> None:
        """Write one session and read another; now and then, many."""
        self._turns += 1
        if self._turns % _BATCH_EVERY == 0:
            self._write_many([self._next() for _ in range(_BATCH)])
            self._read_many()
        else:
            self._write(*self._next())
            self._read()

    def _run(self) -> None:
        while not self._over.is_set():
            self.take_turn()

    def _next(self) -> tuple[str, Route]:
        key = f"ledger:load_{self._number}:room_{self._random.randrange(self._sessions)}"
        self._routes += 1
        return key, Route(f"{self._number}-{self._routes}")

    def _write(self, key: str, route: Route) -> None:
        try:
            self._router.set(key, route).result()
        except Exception as error:  # whatever it is, it must not have been
            self._in_doubt(key, repr(error))
        else:
            self._acknowledge(key, route)

    def _write_many(self, items: Sequence[tuple[str, Route]]) -> None:
        written = dict(items)
        try:
            results = self._router.set_many(written.items()).result()
        except Exception as error:
            for key in written:
                self._in_doubt(key, repr(error))
            return
        for (key, route), result in zip(written.items(), results, strict=True):
            if result.outcome is SetOutcome.UNAVAILABLE:
                self._in_doubt(key, "an item of set_many was not acknowledged")
            else:
                self._acknowledge(key, route)

    def _read(self) -> None:
        promise = self._some_promise()
        if promise is None:
            return
        began = time.perf_counter()
        try:
            answer = self._router.resolve(promise.key).result()
        except Exception as error:
            self.unanswered.append(repr(error))
        else:
            self.took_s.append(time.perf_counter() - began)
            self.by_standby += answer.served_by_standby
            self._judge(promise, answer)

    def _read_many(self) -> None:
        asked = [promise for _ in range(_BATCH) if (promise := self._some_promise()) is not None]
        try:
            answers = self._router.resolve_many([each.key for each in asked]).result()
        except Exception as error:
            self.unanswered.append(repr(error))
            return
        for promise, answer in zip(asked, answers, strict=True):
            self._judge(promise, answer)

    def _judge(self, promise: Promise, answer: Resolution) -> None:
        if answer.reason is FallbackReason.UNAVAILABLE:
            self.unanswered.append("a key of resolve_many was not answered")
        elif answer.route != promise.route:
            self.wrong.append((promise, answer))

    def _some_promise(self) -> Promise | None:
        """One at random, as far as numbers of sessions go: most were written after a while."""
        for _ in range(8):
            room = self._random.randrange(self._sessions)
            promise = self.promised.get(f"ledger:load_{self._number}:room_{room}")
            if promise is not None:
                return promise
        return next(reversed(self.promised.values()), None)

    def _acknowledge(self, key: str, route: Route) -> None:
        self.acknowledged += 1
        self.promised.pop(key, None)  # the newest stands last
        self.promised[key] = Promise(key, route, self._clock())

    def _in_doubt(self, key: str, why: str) -> None:
        """Nobody knows which route stands: the one before, or this one."""
        self.promised.pop(key, None)
        self.unanswered.append(why)


def lost(router: RouterHandle, loads: Iterable[LedgerLoad]) -> list[Promise]:
    """Those promises that are not kept: the session is not there, or not as it was acknowledged."""
    promises = iter([promise for load in loads for promise in load.promised.values()])
    missing: list[Promise] = []
    while some := list(islice(promises, _READ_AT_ONCE)):
        answers = router.resolve_many([each.key for each in some]).result()
        missing += [each for each, answer in zip(some, answers, strict=True) if answer.route != each.route]
    return missing
