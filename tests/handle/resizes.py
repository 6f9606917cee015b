"""Routers in this process that are resized while partitions talk slowly, and agents that always write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from ray_router import LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.handle.resizing import Resizing
from ray_router.transport import Decree, Request
from ray_router.transport.local import Settled

ROOMS = [f"tg:bot:room_{number}" for number in range(240)]


class Died(BaseException):
    """Whoever resized is no more."""


class Slow(LocalTransport):
    """Partitions tell each other something only when ``step`` is called, one letter at a time."""

    quick = True

    def __init__(self, config: RouterConfig, seed: int = 0) -> None:
        self.random = Random(seed)
        super().__init__(config)
        self.quick = False

    def _let_talk(self) -> None:
        if self.quick:
            super()._let_talk()

    def step(self, letters: int = 1) -> None:
        """Some letters, from one partition to another."""
        for _ in range(letters):
            shells = dict(self._partitions)  # as they are now: another thread may dismiss some
            sender = self.random.choice(sorted(shells))
            shells[sender].put_in_order()
            for peer in shells[sender].peers_due():
                if peer in shells:
                    letter = shells[peer].answer_letter(shells[sender].letter_to(peer))
                    shells[sender].read_letter(letter)
                else:
                    shells[sender].gone(peer)

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer, when a letter has been sent."""
        if not self.quick:
            self.step()
        return super().ask(partition, request)


class Mortal(LocalTransport):
    """Whoever asks it to change anything dies before its ``dies_at``-th change."""

    def __init__(self, config: RouterConfig, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.dies_at: int | None = None
        self.changes = 0

    def ask(self, partition: int, request: Request) -> Settled[object]:
        """Answer, if there is somebody."""
        if isinstance(request, Decree):
            self._change()
        return super().ask(partition, request)

    def _hire(self, partition: int) -> None:
        self._change()
        super()._hire(partition)

    def dismiss(self, partitions: Sequence[int]) -> None:
        """End partitions, if there is somebody."""
        self._change()
        super().dismiss(partitions)

    def _change(self) -> None:
        if self.changes == self.dies_at:
            raise Died
        self.changes += 1


class Agents:
    """Threads that write and read rooms of their own, over a handle of their own, and keep the books."""

    def __init__(self, router: Callable[[], RouterHandle], threads: int = 2) -> None:
        self._over = threading.Event()
        self.wrong: list[Any] = []
        self.written: dict[str, Route] = {}
        self.rounds = [0] * threads
        self._threads = [
            threading.Thread(target=self._work, args=(number, router(), ROOMS[number::threads]))
            for number in range(threads)
        ]

    def __enter__(self) -> Agents:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int, router: RouterHandle, rooms: Sequence[str]) -> None:
        turn = 0
        while not self._over.is_set():
            try:
                self._once(router, turn, rooms)
            except Exception as error:  # nothing may be raised, whatever it is
                self.wrong.append(error)
            turn += 1
            self.rounds[number] = turn

    def _once(self, router: RouterHandle, turn: int, rooms: Sequence[str]) -> None:
        room = rooms[turn * 7 % len(rooms)]
        self._write(router, room, Route(f"{room} {turn}"))
        several = [rooms[(turn * 5 + each) % len(rooms)] for each in range(4)]
        expected = [self.written.get(each, Route(each)) for each in several]
        for each, answer, route in zip(several, router.resolve_many(several).result(), expected, strict=True):
            if answer.route != route or answer.reason:
                self.wrong.append((each, answer, route))

    def _write(self, router: RouterHandle, room: str, route: Route) -> None:
        outcome = router.set(room, route).result().outcome
        if outcome.value not in ("stored", "refreshed"):
            self.wrong.append((room, outcome))
        self.written[room] = route
        answer = router.resolve(f"{room}:thread").result()
        if answer.route != route:
            self.wrong.append((room, answer, route))


def resized(transport: LocalTransport, partitions: int, pause: Callable[[], None] = lambda: None) -> None:
    """Resize, by somebody who may die."""
    Resizing(transport, partitions, pause=lambda _: pause()).run()


def filled(transport: LocalTransport, **settings: Any) -> RouterHandle:
    """A handle of a router that knows every room."""
    router = RouterHandle(transport, **settings)
    router.set_many([(room, Route(room)) for room in ROOMS]).result()
    router.set("tg:bot:*", Route("lobby")).result()
    return router
