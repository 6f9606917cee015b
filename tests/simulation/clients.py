"""``Client``: what a handle does about one key, over partitions that fail; and what it was promised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from math import inf
from typing import NamedTuple

from ray_router.core import candidates
from ray_router.core.candidates import SessionState, merge
from ray_router.core.operations import Delete, Get, Group, Moved, Report, Result, Set
from ray_router.core.slots import Topology
from ray_router.core.standing import newest_fact
from ray_router.handle.course import Course, Leg
from ray_router.model import Delivery

from .nodes import TTL_S, Answer, Node, slot_of
from .world import World

HEDGE_S = 0.1
SUSPECT_S = 0.5  # a keeper that is to have a write is given up when it is found not to live
PATIENT_S = 0.2
DEADLINE_S = 10.0
MOVED_S = 0.02


class Promise(NamedTuple):
    """A write that was acknowledged, and by whom."""

    key: str
    fact: SessionState
    at: float
    by: tuple[int, ...]


class Ledger:
    """What was acknowledged, and what was not answered at all."""

    def __init__(self) -> None:
        self.promises: list[Promise] = []
        self.unanswered = 0
        self.answered = 0
        self.under_way = 0
        self.deleted_at: dict[str, float] = defaultdict(lambda: -inf)

    def promised(self, key: str) -> list[Promise]:
        """What was acknowledged of a session, and not deleted since, by anybody who may have been heard."""
        floor = self.deleted_at[key]
        return [each for each in self.promises if each.key == key and newest_fact(each.fact) > floor]

    def missing_in(self, state: SessionState, key: str) -> list[Promise]:
        """Acknowledged writes of a session that a state does not know, nor anything that replaced them."""
        return [each for each in self.promised(key) if merge(state, each.fact, 4) != state]

    def floor(self, key: str) -> float:
        """Until when all that was observed of a session was deleted, as acknowledged."""
        return max([-inf, *(each.fact.deleted_at for each in self.promises if each.key == key)])

    def undone_in(self, state: SessionState, key: str) -> bool:
        """Whether a state holds what an acknowledged deletion had ended."""
        return any(seen.observed_at <= self.floor(key) for seen in state.observations)


def fact_of(operation: Set | Report | Delete) -> SessionState:
    """What a write says, without a partition's part in it."""
    match operation:
        case Set(_, route, at, origin, ttl_s):
            return candidates.observed(route, at, TTL_S if ttl_s is None else ttl_s, origin)
        case Delete(_, at):
            return candidates.deleted(at)
        case Report(_, route, Delivery.DELIVERED, at):
            return candidates.confirmed(route, at)
        case Report(_, route, _, at):
            return candidates.failed(route, at)


class Client:
    """Writes and reads, each by a course of its own."""

    def __init__(self, world: World, nodes: dict[int, Node], topology: Topology, copies: int) -> None:
        self.world = world
        self.nodes = nodes
        self.topology = topology
        self.copies = copies
        self.ledger = Ledger()

    def write(self, operation: Set | Report | Delete) -> None:
        """Write, and enter into the ledger what is acknowledged."""
        key, fact, ledger = operation.key, fact_of(operation), self.ledger
        ledger.deleted_at[key] = max(ledger.deleted_at[key], fact.deleted_at)

        def done(answer: Answer, by: tuple[int, ...]) -> None:
            ledger.promises.append(Promise(key, fact, self.world.now, by))

        _Undertaking(self, partial(Course, copies=self.copies, writes=True), operation, done).begin()

    def read(self, key: str, judge: Callable[[Result], None]) -> None:
        """Read, and have the answer judged."""
        _Undertaking(self, Course, Get(key), lambda answer, by: judge(answer.result)).begin()

    def answers_pings(self, partition: int) -> bool:
        """Whether a partition lives, and does not stand still."""
        node = self.nodes.get(partition)
        return node is not None and node.alive and not node.frozen

    def learn(self, partition: int) -> None:
        """Go by a partition's topology, if it is a later one."""
        if partition in self.nodes:
            told = self.nodes[partition].life.exchange.topology
            self.topology = max(self.topology, told, key=lambda each: (each.since, each.epoch))


class _Undertaking:
    def __init__(
        self,
        client: Client,
        course: Callable[[tuple[int, ...]], Course],
        operation: Set | Report | Delete | Get,
        done: Callable[[Answer, tuple[int, ...]], None],
    ) -> None:
        self._client = client
        self._new_course = course
        self._firm = client.copies > 1 and not isinstance(operation, Get)
        self._slot = slot_of(operation.key)
        self._topology = client.topology
        self._course = course(self._topology.orders[self._slot])
        self._attempt = 0
        self._operation = operation
        self._done = done
        self._answer: Answer | None = None
        self._finished = False

    def begin(self) -> None:
        self._client.ledger.under_way += 1
        self._client.world.after(DEADLINE_S, self._finish)
        self._go(self._course.begin())

    def _go(self, legs: list[Leg]) -> None:
        for leg in legs:
            self._send(leg)
        if self._course.over:
            self._finish()

    def _send(self, leg: Leg) -> None:
        heard = [False]

        attempt = self._attempt

        def hear(answer: Answer | None) -> None:
            if heard[0] or attempt != self._attempt or self._finished:
                return
            if answer is not None and isinstance(answer.result, Moved):
                self._attempt += 1
                self._client.learn(leg.partition)
                self._client.world.after(MOVED_S, self._begin_anew)
                return
            if answer is None:
                if leg.patient:
                    return  # it is called again anyway
                heard[0] = True
                self._go(self._course.failed(leg.partition))
                return
            heard[0] = True
            self._answer = answer
            self._go(self._course.answered(leg.partition, answer.incarnation, answer.lives))

        def again() -> None:
            if not heard[0] and attempt == self._attempt and not self._finished:
                self._call(leg, hear)
                self._client.world.after(PATIENT_S, again)

        def late() -> None:
            if heard[0] or attempt != self._attempt:
                return
            if self._firm and self._client.answers_pings(leg.partition):
                self._call(leg, hear)  # what the network has lost
                self._client.world.after(SUSPECT_S, late)
                return
            heard[0] = True
            self._go(self._course.failed(leg.partition))

        self._call(leg, hear)
        if leg.patient:
            self._client.world.after(PATIENT_S, again)
        else:
            self._client.world.after(SUSPECT_S if self._firm else HEDGE_S, late)

    def _call(self, leg: Leg, hear: Callable[[Answer | None], None]) -> None:
        group = Group((self._operation,), None, leg.copy, leg.astray)
        node = self._client.nodes.get(leg.partition)
        if node is None:
            self._client.learn(0)
            self._client.world.after(MOVED_S, self._begin_anew if leg.partition else partial(hear, None))
            return
        node.call(partial(node.carry_out, group, self._topology.since), hear)

    def _begin_anew(self) -> None:
        if not self._finished:
            self._attempt += 1
            self._topology = self._client.topology
            self._course = self._new_course(self._topology.orders[self._slot])
            self._go(self._course.begin())

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        ledger = self._client.ledger
        ledger.under_way -= 1
        if self._course.over and self._course.acknowledged:
            assert self._answer is not None
            ledger.answered += 1
            self._done(self._answer, self._course.acknowledged)
        else:
            ledger.unanswered += 1
