"""``Node``: a partition that lives, dies, freezes and is born again, with all its peers on a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.exchange import CopySettings, Exchange
from ray_router.core.operations import Elsewhere, Group, Result
from ray_router.core.parcels import Parcel
from ray_router.core.partition import Partition
from ray_router.core.record import RecordFormat
from ray_router.core.settings import PartitionSettings
from ray_router.core.slots import Topology, slot_function
from ray_router.core.standby import Standby
from ray_router.core.table import Retention

from .world import World

TTL_S = 1_000_000.0
RETENTION = Retention(100_000.0, 100_000.0)
slot_of = slot_function("room")


class Answer(NamedTuple):
    """What a partition answers to a group; ``result`` is None when it may not."""

    partition: int
    incarnation: int
    lives: Mapping[int, int]
    result: Result


class Life:
    """One life of a partition."""

    def __init__(
        self,
        index: int,
        topology: Topology,
        settings: PartitionSettings,
        copies: CopySettings,
        incarnation: int,
        now: float,
        *,
        fresh: bool,
    ) -> None:
        self.partition = Partition(index, settings)
        self.standby = Standby(10_000, settings.max_candidates, RETENTION, RecordFormat(settings.ttl_s))
        self.began_at = now
        self.exchange = self.partition.exchanges(
            lambda own, defaults: Exchange(
                index,
                topology,
                slot_of,
                own,
                defaults,
                self.standby,
                copies,
                incarnation=incarnation,
                node="",
                fresh=fresh,
                now=now,
            )
        )

    def own_state(self, key: str) -> SessionState:
        """What it knows of a session that it owns."""
        return self.partition._table.state(key) or NOTHING


class Node:
    """A partition through all its lives."""

    def __init__(
        self,
        world: World,
        index: int,
        topology: Topology,
        settings: PartitionSettings,
        copies: CopySettings,
        *,
        interval_s: float,
        first: int = 1,
        joins: bool = False,
    ) -> None:
        self._world = world
        self._interval_s = interval_s
        self._first = first
        self._topology = topology
        self._settings = settings
        self._copies = copies
        self.index = index
        self.peers: dict[int, Node] = {}
        self.lives = [Life(index, topology, settings, copies, first, world.now, fresh=not joins)]
        self.alive = True
        self._frozen: list[Callable[[], None]] | None = None
        self._asked: dict[int, float] = {}
        world.after(world.random.uniform(0, interval_s), self._turn)

    @property
    def life(self) -> Life:
        """The present life, or the last."""
        return self.lives[-1]

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    def kill(self) -> None:
        """It dies, and is born again some time later, knowing nothing."""
        if self.alive:
            self.end()
            self._world.after(self._world.random.uniform(0.1, 1.0), self._be_born)

    def end(self) -> None:
        """It dies, for good unless it is born again."""
        self.alive, self._frozen = False, None

    def freeze(self, for_s: float) -> None:
        """It does nothing for a while, and then all that it was asked meanwhile."""
        if self.alive and self._frozen is None:
            held: list[Callable[[], None]] = []
            self._frozen = held
            self._world.after(for_s, partial(self._thaw, held))

    def call(self, question: Callable[[Life], Answer | None], hear: Callable[[Answer | None], None]) -> None:
        """Send a question over the network; None comes back when it is known that there is nobody."""

        def arrive() -> None:
            if not self.alive:
                self._world.send(partial(hear, None))
            else:
                self._when_awake(lambda: self._world.send(partial(hear, question(self.life))))

        self._world.send(arrive)

    def carry_out(self, group: Group, since: int, life: Life) -> Answer | None:
        """What a call to it comes to; None when it may not answer."""
        exchange = life.exchange
        agreed = since == exchange.decree.since
        ((result, *_),) = life.partition.apply((group,), self._world.now, agreed=agreed)
        if isinstance(result, Elsewhere):
            return None
        return Answer(self.index, exchange.incarnation, exchange.lives.restarted(), result)

    def _be_born(self) -> None:
        self.lives.append(
            Life(
                self.index,
                self._topology,
                self._settings,
                self._copies,
                self._first + len(self.lives),
                self._world.now,
                fresh=False,
            )
        )
        self.alive = True
        self._asked.clear()
        self._turn_of(self.life)

    def _thaw(self, held: list[Callable[[], None]]) -> None:
        if self._frozen is held:
            self._frozen = None
            for what in held:
                what()

    def _when_awake(self, what: Callable[[], None]) -> None:
        life = self.life

        def act() -> None:
            if self.alive and self.life is life:
                what()

        if self._frozen is None:
            act()
        else:
            self._frozen.append(act)

    def _turn(self) -> None:
        self._turn_of(self.life)

    def _turn_of(self, life: Life) -> None:
        """Talk to whoever is due, and come back later, as long as this life lasts."""
        if not self.alive or self.life is not life:
            return
        self._when_awake(partial(self._talk, life))
        self._world.after(self._interval_s, partial(self._turn_of, life))

    def _talk(self, life: Life) -> None:
        now = self._world.now
        life.exchange.tidy(now, 5)
        if life.exchange.spent:
            self.kill()
            return
        for index in life.exchange.due(now):
            if index not in self.peers:
                life.exchange.gone(index)
            elif now - self._asked.get(index, 0.0) > 0.3:  # one call at a time, until it is given up
                self._asked[index] = now
                self._say(life, index)

    def _say(self, life: Life, index: int) -> None:
        parcel = life.exchange.parcel_for(index, self._world.now)
        peer = self.peers[index]

        def arrive() -> None:
            if peer.alive:
                peer._when_awake(lambda: peer._answer(parcel, self, life))

        self._world.send(arrive)

    def _answer(self, parcel: Parcel, caller: Node, life: Life) -> None:
        mine = self.life.exchange
        mine.take(parcel, self._world.now)
        answer = mine.parcel_for(parcel.sender, self._world.now)

        def arrive() -> None:
            if caller.alive and caller.life is life:
                caller._when_awake(partial(caller._hear, answer, life))

        self._world.send(arrive)

    def _hear(self, answer: Parcel, life: Life) -> None:
        life.exchange.take(answer, self._world.now)
        self._asked.pop(answer.sender, None)
        if not life.exchange.recovered or life.exchange.lag:
            self._talk(life)
