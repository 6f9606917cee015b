"""A schedule: a seed played out, with what it must show in the end."""

from __future__ import annotations

from functools import cache, partial
from random import Random
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState, deleted, merge
from ray_router.core.exchange import CopySettings
from ray_router.core.operations import Delete, Look, Report, Result, Set
from ray_router.core.settings import PartitionSettings
from ray_router.core.slots import Topology
from ray_router.model import Delivery, Origin, Route

from .clients import Client, Promise
from .nodes import RETENTION, TTL_S, Node, slot_of
from .world import Weather, World

KEYS = tuple(f"tg:bot:room_{number}" for number in range(12))


class Size(NamedTuple):
    """How much there is in a schedule: partitions to choose from; least and most of the rest.

    Args:
        span_s: virtual time in which something befalls them.
        asks: calls in it.
        reads: looks for what was acknowledged, in it.
        misfortunes: at most so many.
        interval_s: between two rounds of letters.
    """

    partitions: tuple[int, ...]
    span_s: tuple[float, float]
    asks: tuple[int, int]
    reads: int
    misfortunes: int
    interval_s: float


LONG = Size((2, 3, 4, 5), (2.0, 8.0), (10, 40), 60, 3, 0.05)
SHORT = Size((2, 3), (0.5, 2.0), (5, 15), 5, 2, 0.1)


@cache
def _topology(partitions: int) -> Topology:
    return Topology.balanced(partitions).with_standbys()


_NEXT_LIFE_S = 2.0  # after a death that came at once


class Broken(AssertionError):
    """A schedule that showed what it must not."""


class Schedule:
    """Partitions, a client, a network and what befalls them.

    Args:
        seed: of all that is left to chance.
        synchronous: how copies are kept.
        one_at_a_time: a partition is killed only when all have recovered from the last kill.
        size: how much there is in it.
    """

    _roles_change = False  # an owner may come to be a standby, and the other way round

    def __init__(self, seed: int, *, synchronous: bool, one_at_a_time: bool, size: Size = LONG) -> None:
        self._random = random = Random(seed)
        self.seed = seed
        self._size = size
        self._one_at_a_time = one_at_a_time
        self._synchronous = synchronous
        calm = random.random() < 0.3
        weather = Weather(slow=0.0, lost=0.0, repeated=0.0) if calm else Weather()
        self.world = World(random.getrandbits(64), weather)
        self.topology = _topology(random.choice(size.partitions))
        self._small = random.random() < 0.25
        self._flapping = random.random() < 0.3
        settings = CopySettings(
            synchronous,
            most_owed=1_000 if self._small else random.choice((2, 1_000)),
            parcel=random.choice((1, 3, 100)),
            give_up_after_s=2.0,
            max_restarts=random.choice((1, 2)) if self._flapping else 1_000,
        )
        partition = PartitionSettings(
            ttl_s=TTL_S,
            stale_retention_s=RETENTION.stale_s,
            tombstone_retention_s=RETENTION.tombstone_s,
            capacity=3 if self._small else 1_000,
            eviction="lru",
        )
        self._settings, self._partition = settings, partition
        self.nodes: dict[int, Node] = {}
        for index in self.topology.partitions:
            self.start(index)
        self.client = Client(self.world, self.nodes, self.topology, 2 if synchronous else 1)
        self.reads = 0
        self.kills = 0
        self.revived = 0
        self._froze = False

    def start(self, index: int, first: int = 1, *, joins: bool = False) -> None:
        """There is one more partition, the first life of which has this number."""
        self.nodes[index] = Node(
            self.world,
            index,
            self.topology,
            self._partition,
            self._settings,
            interval_s=self._size.interval_s,
            first=first,
            joins=joins,
        )
        self.nodes[index].peers = self.nodes

    def run(self) -> None:
        """Play it out.

        Raises:
            Broken: with the seed, and what was wrong.
        """
        span_s = self._random.uniform(*self._size.span_s)
        for _ in range(self._random.randint(*self._size.asks)):
            self.world.after(self._random.uniform(0, span_s), self._ask_something)
        for _ in range(self._size.reads):
            self.world.after(self._random.uniform(0, span_s), self._read)
        misfortunes = self._random.randint(0, self._size.misfortunes)
        if self._one_at_a_time:
            self.world.after(self._random.uniform(0, 1.0), partial(self._kill_when_settled, misfortunes))
        else:
            for _ in range(misfortunes):
                self.world.after(self._random.uniform(0, span_s), self._befall)
        self.world.run(lambda: False, at_most_s=span_s)
        self.world.weather = Weather(slow=0.0, lost=0.0, repeated=0.0)
        if not self.world.run(self._at_rest, at_most_s=120.0):
            self._fail("does not come to rest")
        self._check()

    def _ask_something(self) -> None:
        key, now = self._random.choice(KEYS), self.world.now
        route = Route(self._random.choice("ABC")).text
        match self._random.randrange(8):
            case 0:
                self.client.write(Report(key, route, Delivery.PERMANENT, now))
            case 1:
                self.client.write(Report(key, route, Delivery.DELIVERED, now))
            case 2:
                self.client.write(Delete(key, now - self._random.uniform(0, 1)))
            case _:
                at = now - self._random.choice((0.0, 0.0, 0.3))
                self.client.write(Set(key, route, at, Origin.INBOUND))

    def _read(self) -> None:
        key = self._random.choice(KEYS)
        self.client.read(key, partial(self._judge, key, self.world.now, self.client.ledger.promised(key)))

    def _judge(self, key: str, began_at: float, promised: list[Promise], answer: Result) -> None:
        """Whatever was acknowledged when a read began, and was not deleted since, it finds, by whomever."""
        self.reads += 1
        found = answer.routes if isinstance(answer, Look) else ()
        floor = self.client.ledger.deleted_at[key]
        for fact in (each.fact for each in promised):
            missing = any(seen.observed_at > floor and seen.route not in found for seen in fact.observations)
            if missing and self._reads_what_was_written:
                self._fail(f"{key}: a read begun at {began_at:.3f} finds {found}, and not {fact}")

    @property
    def _reads_what_was_written(self) -> bool:
        """Nobody stands still, who could answer when others have taken writes in its place."""
        return self._one_at_a_time and self._synchronous and not self._small and not self._flapping

    def _kill_when_settled(self, left: int) -> None:
        if left and self._settled():
            self._random.choice(list(self.nodes.values())).kill()
            self.kills += 1
            left -= 1
        if left:
            self.world.after(self._random.uniform(0.01, 0.3), partial(self._kill_when_settled, left))

    def _befall(self) -> None:
        node = self._random.choice(list(self.nodes.values()))
        if self._random.random() < 0.7:
            node.kill()
            self.kills += 1
        else:
            node.freeze(self._random.uniform(0.1, 4.0))
            self._froze = True

    def _settled(self) -> bool:
        return all(
            node.alive
            and node._frozen is None
            and node.life.exchange.recovered
            and node.life.exchange.settled
            and not node.life.exchange.spent
            and not node.life.exchange.untidy
            for node in self.nodes.values()
        )

    def _at_rest(self) -> bool:
        for index in self.nodes:
            for node in self.nodes.values():
                self.revived += node.alive and node.life.exchange.revive(index, self.world.now)
        return not self.client.ledger.under_way and self._settled()

    def _check(self) -> None:
        for key in KEYS:
            order = self.topology.orders[slot_of(key)]
            owner, standby = order[0], order[1] if len(order) > 1 else None
            held = self.nodes[owner].life.own_state(key)
            copy = held
            if standby is not None:
                copy = self.nodes[standby].life.standby.state(key) or NOTHING
            if not self._agree(held, copy, self.client.ledger.floor(key)):
                self._fail(f"{key} is {held} on its owner {owner}, and {copy} on its standby {standby}")
            for index, node in self.nodes.items():
                if index not in (owner, standby) and node.life.standby.state(key) is not None:
                    self._fail(f"{key} is still on {index}, which is no keeper of it")
            if self._reads_what_was_written and self.client.ledger.undone_in(held, key):
                self._fail(f"{key}: its deletion is undone: {held}")
            missing = [] if self._small else self.client.ledger.missing_in(held, key)
            for promise in missing:
                if not self._is_owned_up_to(owner, promise):
                    ago = self.world.now - promise.at
                    self._fail(f"{key}: {promise.fact}, acknowledged {ago:.3f} s ago, is lost")
        if self._one_at_a_time and self.client.ledger.unanswered:
            self._fail(f"{self.client.ledger.unanswered} calls were not answered")

    def _agree(self, held: SessionState, copy: SessionState, floor: float) -> bool:
        """Whether an owner and its standby know the same of a session, as far as they must.

        Args:
            floor: what was observed until then was deleted; a reborn partition may be told of it late.
        """
        owned, kept = (merge(each, deleted(floor), 4)[:-1] for each in (held, copy))
        if owned == kept:
            return True
        anyhow = not self._one_at_a_time
        # What left a full table and came again may stand with more on the standby; and with less, where a
        # letter that still told of it was late.
        if self._small:
            fuller = (copy[:-1], held[:-1]) if self._roles_change else (copy[:-1],)
            return anyhow or merge(copy, held, 4)[:-1] in fuller
        # What an owner was asked while it stood still it does when it goes on; its standby was told by others
        # then, and may have died since.
        return anyhow and self._froze and merge(copy, held, 4)[:-1] == held[:-1]

    def _is_owned_up_to(self, owner: int, promise: Promise) -> bool:
        """Whether the owner says of one of its lives that what was acknowledged then may be lost.

        Nobody knows of a write that one took while the others stood still, or a message was lost, and took
        with it before it had passed it on.
        """
        at, alone = promise.at, promise.by if len(promise.by) == 1 else ()
        if self._one_at_a_time and self._synchronous and not self._flapping:
            return False
        if self._froze:
            return True
        if any(
            0 < life.began_at - at < _NEXT_LIFE_S for each in alone for life in self.nodes[each].lives[1:]
        ):
            return self._synchronous or owner not in alone or self._owns_up(owner, at)
        return self._owns_up(owner, at)

    def _owns_up(self, owner: int, at: float) -> bool:
        lives = self.nodes[owner].lives[1:]
        return any(at >= life.began_at - life.exchange.lost_window_s for life in lives)

    def _fail(self, what: str) -> None:
        size = "long" if self._size is LONG else "short"
        raise Broken(
            f"seed {self.seed}, {size}, synchronous={self._synchronous}, "
            f"one_at_a_time={self._one_at_a_time}, {len(self.nodes)} partitions: {what}"
        )
