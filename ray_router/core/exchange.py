"""``Exchange``: what one partition keeps for others, owes to others, and waits for from others.

Every slot has two keepers: the first two in service of its order (its owner, its standby, and who may take
their place). Whatever a partition takes in that another keeper may not have, it owes to that one, by one
rule for everything:

* an owner whose router is ``async`` owes each change to the standby;
* a write that missed a keeper is *astray*: whoever takes it owes it to the keepers;
* when a peer begins a new term (it was restarted, or brought back), it is owed all that it is a keeper of.

Whoever is no keeper of a session lets go of it once the keepers have acknowledged it. Everything sent is a
state to be merged, so it may be late, twice or out of order; only evictions are not facts, and are heeded
in order alone. A restarted partition is *ready* when every peer that answers has sent it what it owns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import NamedTuple, Protocol

from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.defaults import Defaults
from ray_router.core.lives import Life, Lives, Restarts
from ray_router.core.outbox import Draft, Drop, Outbox
from ray_router.core.parcels import Contents, Parcel, Stage, Term, packed, unpacked
from ray_router.core.slots import SlotOf, Topology, key_hash
from ray_router.core.standby import Standby
from ray_router.core.table import Change

COPIES = 2
_ASKED_AFTER_S = 3.0  # a partition is back, and others may go on taking its writes until they have noticed


class OwnSessions(Protocol):
    """The sessions that a partition owns."""

    def state(self, key: str) -> SessionState | None:
        """What is known of a session that is here."""

    def known(self, key: str) -> SessionState:
        """What is known of a session, be it that it was deleted."""

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what a fact knows."""

    def __iter__(self) -> Iterator[str]:
        """The keys of all sessions."""


class CopySettings(NamedTuple):
    """How copies are kept; times in seconds.

    Args:
        synchronous: a write is sent to both keepers by whoever makes it.
        most_owed: keys noted for one peer before a round over everything takes their place.
        parcel: sessions in one parcel.
        give_up_after_s: a restarted partition waits so long for a peer that does not answer.
        pulse_s: a peer hears from this one at least so often.
    """

    synchronous: bool
    most_owed: int = 100_000
    parcel: int = 500
    give_up_after_s: float = 2.0
    pulse_s: float = 1.0
    max_restarts: int = 15
    restart_window_s: float = 60.0


class _Peer:
    """What is known of the talk with one peer."""

    def __init__(self, most_owed: int, *, fresh: bool, now: float) -> None:
        self.outbox = Outbox(most_owed)
        self.taken: tuple[int, int] = (0, 0)  # its incarnation, and the number of the last contents
        self.stage = Stage.ALL if fresh else Stage.BEGUN
        self.heard_at = -inf
        self.told_at = -inf
        self.as_of: float | None = now if fresh else None
        self.vouch: float | None = None  # what its former life may rely on
        self.vouches: float | None = inf if fresh else None  # what this partition's may


class Exchange:
    """One partition's part in keeping every session twice.

    Args:
        index: the partition.
        topology: who owns what, with standbys.
        slot_of: the slot of a key.
        own: the sessions that it owns.
        defaults: those of instances and channels, which every partition keeps.
        standby: the sessions that it keeps for others.
        incarnation: which life of the partition this is.
        node: where it lives.
        fresh: the router has just been deployed: there is nothing to recover.
        now: epoch seconds, by a clock that all partitions share more or less.
    """

    def __init__(
        self,
        index: int,
        topology: Topology,
        slot_of: SlotOf,
        own: OwnSessions,
        defaults: Defaults,
        standby: Standby,
        settings: CopySettings,
        *,
        incarnation: int,
        node: str,
        fresh: bool,
        now: float,
    ) -> None:
        self.index = index
        self.topology = topology
        self.standby = standby
        self._deployed = topology
        self._slot_of = slot_of
        self._own = own
        self._defaults = defaults
        self._settings = settings
        self.lives = Lives(topology.partitions, Restarts(settings.max_restarts, settings.restart_window_s))
        self.lives.set(index, Life(incarnation, node=node))
        others = [each for each in topology.partitions if each != index]
        self._peers = {each: _Peer(settings.most_owed, fresh=fresh, now=now) for each in others}
        self._keepers: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._arrange()
        self._whole: set[tuple[int, ...]] = (
            set()
        )  # orders that were whole here before the arrangement changed
        self._left_until = -inf  # the newest fact of any session that left
        self._accepted = False  # a peer has heard of this life
        self._window_s = 0.0 if fresh else None  # once who keeps what is another, it cannot be told any more
        self._waiting = not fresh
        self._ready_at = -inf
        self._was_out = False
        self._began_at = now
        self.spent = False

    # What the data lane says and asks

    @property
    def incarnation(self) -> int:
        """Which life of the partition this is."""
        return self.lives[self.index].incarnation

    @property
    def ready(self) -> bool:
        """Whether this partition may answer for what it owns."""
        return not self._waiting and not self.spent and not self.lives[self.index].out

    # ``spent``: it was replaced by a later life, or is back in service but knows only what once was: nothing
    # that it holds is to be relied on, and it should make way for a new life.

    def answers_for(self, key: str) -> bool:
        """Whether this partition holds all that is known of a session that another owns."""
        order = self.topology.orders[self._slot_of(key)]
        return self.index in self._keepers[order] and (self._is_whole(order) or not self._others_of(order))

    def wrote(self, key: str, at: float, *, astray: bool) -> None:
        """A session that this partition owns was changed by a fact of ``at``.

        Args:
            astray: its standby may not know. Nor may it if it was told to let go of facts as old as this.
        """
        if astray or not self._settings.synchronous or at <= self._left_until:
            self._owe(key)

    def deleted(self, key: str, at: float, *, astray: bool) -> None:
        """A session that this partition owns was deleted."""
        if astray or not self._settings.synchronous:
            self._owe(key, Drop(key_hash(key), key, at) if self._own.state(key) is None else None)

    def left(self, what: str | int, newest: float) -> None:
        """A session that this partition owns was evicted, or not let in.

        Args:
            what: its key, or the hash of it where no more was left.
            newest: the time of the newest thing known of it, epoch seconds.
        """
        self._left_until = max(self._left_until, newest)
        if isinstance(what, str):
            drop, concerned = Drop(key_hash(what), what, newest), self.keepers(what)
        else:
            drop, concerned = Drop(what, None, newest), self.topology.neighbours[self.index]
        for peer in concerned:
            if peer != self.index:
                self._peers[peer].outbox.drop(drop)

    def keep(self, key: str, fact: SessionState, now: float, *, astray: bool) -> Change:
        """Take a write of a session that another partition owns."""
        change = self.standby.merge(key, fact, now)
        if astray or self.index not in self.keepers(key):
            self._owe(key)
        return change

    def defaults_changed(self) -> None:
        """A default was written that some peers may not have."""
        for peer in self._peers.values():
            peer.outbox.note_defaults()

    def keepers(self, key: str) -> tuple[int, ...]:
        """The partitions that should hold a session."""
        return self._keepers[self.topology.orders[self._slot_of(key)]]

    # What peers are told, and tell

    def due(self, now: float) -> list[int]:
        """The peers that should hear from this partition now: those in question, and some now and then."""
        in_question = self.in_question(now)
        neighbours = self.topology.neighbours[self.index]
        just_ready = now - self._ready_at < _ASKED_AFTER_S
        return [
            index
            for index, peer in self._peers.items()
            if index in in_question
            or just_ready
            or (index in neighbours and now - peer.told_at >= self._settings.pulse_s)
        ]

    def in_question(self, now: float) -> list[int]:
        """The peers that are owed something, or have yet to send something, if only a first word."""
        self._watch(now)
        return [
            index
            for index, peer in self._peers.items()
            if not peer.outbox.settled
            or (peer.stage is not Stage.ALL and not self.lives[index].out)
            or peer.outbox.term != self._term_of(index)
            or not self.lives[index].incarnation
        ]

    def parcel_for(self, index: int, now: float) -> Parcel:
        """What to tell a peer now."""
        peer, term = self._peers[index], self._term_of(index)
        peer.told_at = now
        if peer.outbox.round_wanted or term != peer.outbox.term:
            peer.outbox.begin_round(term, self.standby.keys(), self._own)
        draft = peer.outbox.draft(self._settings.parcel, lambda key: index in self.keepers(key))
        incarnation, number = peer.taken
        return Parcel(
            self.index,
            self.incarnation,
            term,
            self.lives.told() | {self.index: self.lives[self.index]},
            acknowledged=number if incarnation == term[0] else 0,
            contents=None if draft is None else self._contents(peer.outbox.number, draft),
            as_of=None if peer.outbox.more else now,
            vouches=peer.vouch,
        )

    def take(self, parcel: Parcel, now: float, at: float | None = None) -> list[int]:
        """Hear what a peer tells.

        Args:
            at: the time by which sessions expire, where that is another, epoch seconds.

        Returns:
            The partitions that are taken out of service because of it.
        """
        peer = self._peers[parcel.sender]
        taken_out = self._hear(parcel.lives, now)
        current = parcel.incarnation == self.lives[parcel.sender].incarnation
        if parcel.contents is not None:
            self._unpack(peer, parcel, parcel.contents, now if at is None else at, current=current)
        if current:  # a former life knows what is true, but what it says of itself is not
            peer.heard_at = now
            if parcel.as_of is not None:
                peer.as_of = max(parcel.as_of, peer.as_of or -inf)
            if parcel.to[0] == self.incarnation:
                self._accepted = True
                draft = peer.outbox.acknowledged(parcel.acknowledged)
                if draft is not None:
                    self._settle(draft)
        self._watch(now)
        return taken_out

    def meet(self, lives: Mapping[int, Life], now: float) -> None:
        """Hear where the others live."""
        self._hear(lives, now)

    def revive(self, partition: int) -> bool:
        """Bring a partition back into service; whether it was out."""
        before = self._arrangement()
        revived = self.lives.revive(partition)
        self._rearrange(before)
        return revived

    # What people ask

    @property
    def lag(self) -> int:
        """Sessions and evictions that peers in service are owed."""
        return sum(len(peer.outbox) for peer in self._in_service())

    @property
    def settled(self) -> bool:
        """Whether nothing is owed to a peer in service."""
        return all(peer.outbox.settled for peer in self._in_service())

    @property
    def recovered(self) -> bool:
        """Whether all that this partition should hold has come, from every peer in service."""
        return not self._waiting and all(peer.stage is Stage.ALL for peer in self._in_service())

    @property
    def lost_window_s(self) -> float:
        """How long before this life began what was acknowledged may be lost, seconds; inf: anything."""
        if self._window_s is not None:
            return self._window_s
        mine = [keepers for order, keepers in self._keepers.items() if order[0] == self.index]
        return max((min(map(self._lost_with, keepers)) for keepers in mine), default=0.0)

    def _lost_with(self, keeper: int) -> float:
        """The window that is lost, seconds, when only this keeper's copy was left."""
        vouches = None if keeper == self.index else self._peers[keeper].vouches
        return inf if vouches is None else max(0.0, self._began_at - vouches)

    def _in_service(self) -> list[_Peer]:
        return [peer for index, peer in self._peers.items() if not self.lives[index].out]

    # Who keeps what

    def _is_whole(self, order: tuple[int, ...]) -> bool:
        """Whether this partition, a keeper, holds all of an order's slots: the other one has sent it all."""
        others = self._others_of(order)
        told = bool(others) and all(self._peers[each].stage is Stage.ALL for each in others)
        return told or order in self._whole

    def _others_of(self, order: tuple[int, ...]) -> list[int]:
        return [each for each in self._keepers[order] if each != self.index]

    def _owe(self, key: str, gone: Drop | None = None) -> None:
        for peer in self.keepers(key):
            if peer != self.index:
                self._peers[peer].outbox.note(key, gone)

    def _settle(self, draft: Draft) -> None:
        """A peer has taken this: let go of what others keep, and see whether what had left is back."""
        for key in draft.keys:
            keepers = self.keepers(key)
            if self.index not in keepers and not any(self._peers[each].outbox.owes(key) for each in keepers):
                self.standby.discard(key)
        for drop in draft.drops:
            if drop.key is not None and self._own.state(drop.key) is not None:
                self._owe(drop.key)

    def _contents(self, number: int, draft: Draft) -> Contents:
        drops = [each for each in draft.drops if each.key is None or self._own.state(each.key) is None]
        states = []
        for key in draft.keys:
            state = self._known(key)
            if state != NOTHING:
                states.append((key, packed(state)))
        defaults = self._defaults.items() if draft.defaults else ()
        return Contents(
            number,
            tuple(states),
            tuple([(each.hashed, each.stamp) for each in drops]),
            tuple([(key, packed(state)) for key, state in defaults]),
            Stage.BEGUN if self.spent or self.lives[self.index].out else draft.stage,
        )

    def _owns(self, key: str) -> bool:
        return self.topology.owners[self._slot_of(key)] == self.index

    def _known(self, key: str) -> SessionState:
        return self._own.known(key) if self._owns(key) else self.standby.state(key) or NOTHING

    def _unpack(self, peer: _Peer, parcel: Parcel, contents: Contents, now: float, *, current: bool) -> None:
        for key, state in contents.states:
            if self._owns(key):
                self._own.merge(key, unpacked(state), now)
            else:
                self.standby.merge(key, unpacked(state), now)
            if not current or self.index not in self.keepers(key):
                self._owe(
                    key
                )  # the sender's next life, or who keeps it by now, may have been told without it
        for key, state in contents.defaults:
            self._defaults.merge(key, unpacked(state), now)
        if current and (parcel.incarnation, contents.number) > peer.taken:
            for hashed, stamp in contents.drops:
                self.standby.drop(hashed, stamp)
            peer.taken = (parcel.incarnation, contents.number)
        if current and parcel.to == self._term_of(self.index):
            peer.stage = max(peer.stage, contents.stage)
            if contents.stage >= Stage.ITS_OWN and peer.vouches is None:
                peer.vouches = parcel.vouches

    # Who lives

    def _term_of(self, index: int) -> Term:
        return (self.lives[index].incarnation, self._arrangement())

    def _arrangement(self) -> int:
        """Greater whenever somebody went out of service, came back, or was born on another node."""
        return self.lives.changes

    def _hear(self, told: Mapping[int, Life], now: float) -> list[int]:
        if self.index in told:
            self._heard_of_myself(told[self.index])
        vouched = {index: self._vouch(index) for index in told if index in self._peers}
        incarnations = {index: self.lives[index].incarnation for index in vouched}
        before = self._arrangement()
        taken_out = self.lives.hear(told, now)
        for index, vouch in vouched.items():
            if self.lives[index].incarnation > incarnations[index]:
                peer = self._peers[index]
                peer.vouch, peer.as_of = vouch, None
        self._rearrange(before)
        return taken_out

    def _heard_of_myself(self, me: Life) -> None:
        """Peers may know former lives of this partition, of this actor or of one that had its name."""
        mine = self.lives[self.index]
        if me.incarnation > mine.incarnation:
            if self._accepted:
                self.spent = True
                return
            self.lives.set(self.index, mine._replace(incarnation=me.incarnation + 1))

    def _vouch(self, owner: int) -> float | None:
        """Until when this partition holds its share of what an owner acknowledged; None when it does not."""
        orders = [
            order for order, keepers in self._keepers.items() if order[0] == owner and self.index in keepers
        ]
        if not orders or not all(self._is_whole(order) for order in orders):
            return None
        return inf if self._settings.synchronous else self._peers[owner].as_of

    def _rearrange(self, before: int) -> None:
        """Somebody went out of service, came back, or lives elsewhere: who keeps what may be another now."""
        if self._arrangement() == before:
            return
        topology = self._deployed.with_standbys(
            self.lives.nodes if self.lives.apart else None, epoch=self._deployed.epoch + self.lives.moves
        )
        if not self._waiting:
            self._window_s = self.lost_window_s
        stays = topology.standbys == self.topology.standbys
        self._whole = {
            order for order, keepers in self._keepers.items() if stays and self._stays_whole(order)
        }
        self.topology = topology
        self._arrange()
        for peer in self._peers.values():
            peer.stage = Stage.BEGUN
        if self.lives[self.index].out:
            self._was_out = True
        self.spent = self.spent or (self._was_out and not self.lives[self.index].out)

    def _stays_whole(self, order: tuple[int, ...]) -> bool:
        return self.index in self._keepers[order] and self._is_whole(order)

    def _arrange(self) -> None:
        out = self.lives.out
        self._keepers = {
            order: tuple([each for each in order if each not in out][:COPIES]) for order in self.topology.ways
        }

    def _watch(self, now: float) -> None:
        """Wait no longer when all who answer have sent what this partition owns."""
        if self._waiting:
            self._waiting = any(
                peer.stage < Stage.ITS_OWN
                and now - max(peer.heard_at, self._began_at) <= self._settings.give_up_after_s
                for peer in self._in_service()
            )
            if not self._waiting:
                self._ready_at = now
