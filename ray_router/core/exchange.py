"""``Exchange``: what one partition keeps for others, owes to others, and waits for from others.

Every slot has keepers (see ``custody``): its owner, its standby where there are copies, and its heir while
it is on its way to another. Whatever a partition takes in that another keeper may not have, it owes to that
one, by one rule for everything:

* an owner whose router is ``async`` owes each change to the standby, and to an heir in any case;
* a write that missed a keeper is *astray*: whoever takes it owes it to the keepers;
* when a peer begins a new life it is owed all that it keeps; when who keeps what changes, what is new to it.

Whoever is no keeper of a session lets go of it once the keepers have acknowledged it. Everything sent is a
state to be merged, so it may be late, twice or out of order; only evictions are not facts, and are heeded
in order alone. A restarted partition is *ready* when every peer that answers has sent it what it owns.

Who owns what is *decreed*, and the greatest decree that anybody has heard of holds: peers tell it to each
other. A session that a decree made another's, or one's own, is put where it belongs when it is next touched,
or a few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple, Protocol

from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.custody import Custody, Gains
from ray_router.core.defaults import Defaults
from ray_router.core.lives import Life, Lives, Restarts
from ray_router.core.outbox import Draft, Drop, Outbox, Pass
from ray_router.core.parcels import Contents, Parcel, SentState, Stage, Term, packed, unpacked
from ray_router.core.slots import SlotOf, Topology, key_hash
from ray_router.core.standby import Standby
from ray_router.core.table import Change

_ASKED_AFTER_S = 3.0  # a partition is back, and others may go on taking its writes until they have noticed


class OwnSessions(Protocol):
    """The sessions that a partition owns."""

    def state(self, key: str) -> SessionState | None:
        """What is known of a session that is here."""

    def known(self, key: str) -> SessionState:
        """What is known of a session, be it that it was deleted."""

    def as_stored(self, key: str) -> str | SessionState | None:
        """What is known of a session that is here: its record, where that says it all."""

    def load(self, key: str, record: str, now: float) -> bool:
        """Take in a plain session; whether it was, and needs no ``merge``."""

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what a fact knows."""

    def take(self, key: str) -> SessionState | None:
        """Let go of a session, and leave nothing of it."""

    def __iter__(self) -> Iterator[str]:
        """The keys of all sessions."""


class CopySettings(NamedTuple):
    """How copies are kept; times in seconds.

    Args:
        synchronous: a write is sent to both keepers by whoever makes it.
        copies: how many keepers a session has.
        most_owed: keys noted for one peer before a round over everything takes their place.
        parcel: sessions in one parcel.
        give_up_after_s: a restarted partition waits so long for a peer that does not answer.
        pulse_s: a peer hears from this one at least so often.
    """

    synchronous: bool
    copies: int = 2
    most_owed: int = 100_000
    parcel: int = 1_000
    give_up_after_s: float = 2.0
    pulse_s: float = 1.0
    max_restarts: int = 15
    restart_window_s: float = 60.0


class _Peer:
    """What is known of the talk with one peer.

    Args:
        mark: of the decree that it goes by; None while that is not known.

    ``met``: its life that has been told of everybody; whoever was deployed together was.
    """

    def __init__(self, most_owed: int, *, fresh: bool, now: float, mark: int | None) -> None:
        self.outbox = Outbox(most_owed)
        self.taken: tuple[int, int] = (0, 0)  # its incarnation, and the number of the last contents
        self.stage = Stage.ALL if fresh else Stage.BEGUN
        self.met = 1 if fresh else 0
        self.heard_at = -inf
        self.told_at = -inf
        self.as_of: float | None = now if fresh else None
        self.vouch: float | None = None  # what its former life may rely on
        self.vouches: float | None = inf if fresh else None  # what this partition's may
        self.since, self.mark = 0, mark
        self.gone = False  # it should be there, and nobody has its name


class Exchange:
    """One partition's part in keeping every session where it belongs, and twice if so wanted.

    Args:
        index: the partition.
        topology: who owns what, as it was deployed.
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
        self.standby = standby
        self.decree = topology
        self._own = own
        self._defaults = defaults
        self._settings = settings
        restarts = Restarts(settings.max_restarts, settings.restart_window_s)
        self.lives = Lives(topology.partitions, restarts, housed=settings.copies > 1)
        self.lives.set(index, Life(incarnation, node=node))
        self.custody = Custody(index, self._worked_out(), slot_of, settings.copies)
        self._fresh = self._born_together = fresh
        self._peers: dict[int, _Peer] = {}
        self._meet_members(now)
        self._left_until = -inf  # the newest fact of any session that left
        self._accepted = False  # a peer has heard of this life
        self._window_s = 0.0 if fresh else None  # once who keeps what is another, it cannot be told any more
        self._waiting = not fresh
        self._ready_at = -inf
        self._was_out = False
        self._began_at = now
        self._streams = self._has_to_stream()
        self._to_sort: list[str] = []
        self._to_sweep: list[str] = []
        self._sweep_wanted = False
        self._kept_back: list[str] = []  # copies of which others are keepers, who may still be owed them
        self.spent = False

    # What the data lane says and asks

    @property
    def topology(self) -> Topology:
        """Who owns what, and keeps its copy."""
        return self.custody.topology

    @property
    def incarnation(self) -> int:
        """Which life of the partition this is."""
        return self.lives[self.index].incarnation

    @property
    def keeps_copies(self) -> bool:
        """Whether every session has a second keeper."""
        return self._settings.copies > 1

    @property
    def ready(self) -> bool:
        """Whether this partition may answer for what it owns, but for what has only just become its own."""
        return not self._waiting and not self.spent and not self.lives[self.index].out

    # ``spent``: it was replaced by a later life, or is back in service but knows only what once was: nothing
    # that it holds is to be relied on, and it should make way for a new life.

    @property
    def untidy(self) -> bool:
        """Whether there is anything to put right, or to let go of, as soon as others have it."""
        return bool(self._to_sort or self._to_sweep or self._sweep_wanted or self._kept_back)

    @property
    def at_ease(self) -> bool:
        """Whether all that it owns is here, and where it belongs: it may answer without a second look."""
        return self.ready and not self._to_sort and not self.custody.awaits

    @property
    def sorting(self) -> bool:
        """Whether sessions may be where they do not belong any more."""
        return bool(self._to_sort)

    def put_right(self, key: str, now: float) -> None:
        """Put what is known of a session where it belongs: among one's own, or among the copies."""
        if self.custody.owns(key):
            state = self.standby.take(key)
            if state is not None:
                self._own.merge(key, state, now)
        else:
            state = self._own.take(key)
            if state is not None:
                self.standby.merge(key, state, now)

    def tidy(self, now: float, most: int) -> bool:
        """Put at most ``most`` sessions right, or let go of what others keep; whether to go on at once.

        What cannot be let go of until others have it is looked at again when there have been letters.
        """
        if self._to_sort:
            for key in self._to_sort[-most:]:
                self.put_right(key, now)
            del self._to_sort[-most:]
            return True
        if not self._to_sweep:
            if self._sweep_wanted and self._all_walked():
                self._sweep_wanted, self._to_sweep, self._kept_back = False, self.standby.keys(), []
            else:
                self._to_sweep, self._kept_back = self._kept_back, []
        for key in self._to_sweep[-most:]:
            self._let_go(key)
        del self._to_sweep[-most:]
        return bool(self._to_sweep)

    def answers_for(self, key: str) -> bool:
        """Whether this partition holds all that is known of a session that another owns."""
        regular = self.custody.of(key).regular
        if self.custody.awaits and not self.custody.is_here(key):
            return False
        return regular == (self.index,) or self.custody.is_whole(regular, self._told_all)

    def keeps(self, key: str) -> bool:
        """Whether this partition should hold a session."""
        return self.index in self.custody.of(key)

    def is_here(self, key: str) -> bool:
        """Whether this partition owns a session and holds all that is known of it."""
        return self.custody.owns(key) and (not self.custody.awaits or self.custody.is_here(key))

    def known(self, key: str) -> SessionState:
        """All that is known here of a session, whoever owns it."""
        if self._to_sort:  # it may be where it does not belong
            copy = self.standby.state(key)
            own = self._own.known(key)
            return own if copy is None else merge(own, copy, self.standby.max_candidates)
        return self._own.known(key) if self.custody.owns(key) else self.standby.state(key) or NOTHING

    def wrote(self, key: str, at: float, *, astray: bool) -> None:
        """A session that this partition owns was changed by a fact of ``at``.

        Args:
            astray: its standby may not know. Nor may it if it was told to let go of facts as old as this.
        """
        if astray or self._streams or at <= self._left_until:
            self._owe(key)

    def deleted(self, key: str, at: float, *, astray: bool) -> None:
        """A session that this partition owns was deleted."""
        if astray or self._streams:
            self._owe(key, Drop(key_hash(key), key, at) if self._own.state(key) is None else None)

    def left(self, what: str | int, newest: float) -> None:
        """A session that this partition owns was evicted, or not let in.

        Args:
            what: its key, or the hash of it where no more was left.
            newest: the time of the newest thing known of it, epoch seconds.
        """
        if self._settings.copies == 1 and not self._streams:
            return
        if isinstance(what, str) and not self.custody.owns(what):
            return  # it was on its way to another, who knows best
        self._left_until = max(self._left_until, newest)
        if isinstance(what, str):
            drop, concerned = Drop(key_hash(what), what, newest), self.custody.of(what).everybody
        else:
            drop, concerned = Drop(what, None, newest), self.topology.neighbours.get(self.index, ())
        for peer in concerned:
            if peer != self.index:
                self._peers[peer].outbox.drop(drop)

    def keep(self, key: str, fact: SessionState, now: float, *, astray: bool) -> Change:
        """Take a write of a session that another partition owns."""
        change = self.standby.merge(key, fact, now)
        if astray or self.index not in self.custody.of(key).regular:
            self._owe(key)
        return change

    def defaults_changed(self) -> None:
        """A default was written that some peers may not have."""
        for peer in self._peers.values():
            peer.outbox.note_defaults()

    def keepers(self, key: str) -> tuple[int, ...]:
        """The partitions that should hold a session."""
        return self.custody.of(key).everybody

    # What peers are told, and tell

    def due(self, now: float) -> list[int]:
        """The peers that should hear from this partition now: those in question, and some now and then."""
        in_question = self.in_question(now)
        neighbours = self.topology.neighbours.get(self.index, ())
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
        self.watch(now)
        return [
            index
            for index, peer in self._peers.items()
            if not peer.gone and self._is_in_question(index, peer)
        ]

    def _is_in_question(self, index: int, peer: _Peer) -> bool:
        return (
            not peer.outbox.settled
            or (peer.stage is not Stage.ALL and not self.lives[index].out)
            or peer.outbox.term != self._term_of(index)
            or (not self.lives[index].incarnation and (self._settings.copies > 1 or not self._born_together))
            or self._is_behind(peer)
        )

    def in_haste(self) -> list[int]:
        """The peers with whom there is more to be said than one parcel holds: they do not wait for a round.

        What only changes now and then does: many changes leave as one.
        """
        return [
            index
            for index, peer in self._peers.items()
            if not self.lives[index].out
            and (peer.stage is not Stage.ALL or peer.outbox.is_long(self._settings.parcel))
        ]

    def parcel_for(self, index: int, now: float) -> Parcel:
        """What to tell a peer now."""
        peer, term = self._peer(index, now), self._term_of(index)
        peer.told_at = now
        if peer.outbox.round_wanted or term[0] != peer.outbox.term[0]:
            peer.outbox.begin_round(term, *self._everything_for(index))
        draft = peer.outbox.draft(self._settings.parcel)
        incarnation, number = peer.taken
        return Parcel(
            self.index,
            self.incarnation,
            term,
            self.lives.told(everything=peer.met != term[0]) | {self.index: self.lives[self.index]},
            acknowledged=number if incarnation == term[0] else 0,
            contents=None if draft is None else self._contents(peer.outbox.number, draft),
            as_of=None if peer.outbox.more else now,
            vouches=peer.vouch,
            since=self.decree.since,
            mark=self.decree.mark,
            decree=self.decree if self._is_behind(peer) else None,
        )

    def take(self, parcel: Parcel, now: float, at: float | None = None) -> list[int]:
        """Hear what a peer tells.

        Args:
            at: the time by which sessions expire, where that is another, epoch seconds.

        Returns:
            The partitions that are taken out of service because of it.
        """
        peer = self._peer(parcel.sender, now)
        taken_out = self._hear(parcel.lives, now)
        peer.since, peer.mark = parcel.since, parcel.mark
        if parcel.decree is not None:
            self.obey(parcel.decree, now)
        current = parcel.incarnation == self.lives[parcel.sender].incarnation
        if parcel.contents is not None:
            self._unpack(peer, parcel, parcel.contents, now if at is None else at, current=current)
        if current:  # a former life knows what is true, but what it says of itself is not
            peer.heard_at, peer.gone = now, False
            if parcel.as_of is not None:
                peer.as_of = max(parcel.as_of, peer.as_of or -inf)
            if parcel.to[0] == self.incarnation:
                self._accepted = True
                if parcel.acknowledged:
                    peer.met = parcel.incarnation
                draft = peer.outbox.acknowledged(parcel.acknowledged)
                if draft is not None:
                    self._settle(draft)
        self.watch(now)
        return taken_out

    def meet(self, lives: Mapping[int, Life], now: float) -> None:
        """Hear where the others live."""
        self._hear(lives, now)

    def obey(self, decree: Topology, now: float) -> bool:
        """Go by a decree from now on, if it is a greater one; whether it is."""
        if decree.rank <= self.decree.rank:
            return False
        before, self.decree, self._fresh = self._arrangement(), decree, False
        self.lives.meet(decree.partitions)
        self._meet_members(now)
        self._rearrange(before, now)
        for index in [each for each, peer in self._peers.items() if peer.heard_at == -inf]:
            if index not in decree.members:  # it may never have been, or be over; if not, it will speak up
                del self._peers[index]
        return True

    def revive(self, partition: int, now: float) -> bool:
        """Bring a partition back into service; whether it was out."""
        before = self._arrangement()
        revived = self.lives.revive(partition)
        self._rearrange(before, now)
        return revived

    # What people ask

    @property
    def lag(self) -> int:
        """Sessions and evictions that peers in service are owed."""
        return sum(len(peer.outbox) for peer in self._in_service())

    @property
    def settled(self) -> bool:
        """Whether nothing is owed to a peer in service that owns slots, or is to own some.

        Whoever owns none may be away for long, and will ask for what it needs.
        """
        return all(peer.outbox.settled for peer in self._members_in_service().values())

    @property
    def recovered(self) -> bool:
        """Whether all that this partition should hold has come, from every peer in service."""
        return (
            not self._waiting
            and not self.custody.awaits
            and all(peer.stage is Stage.ALL for peer in self._in_service())
        )

    @property
    def handed_on(self) -> bool:
        """Whether the heirs have had all that this partition has for them, but for what changes meanwhile."""
        return self._all_walked()

    @property
    def holds_nothing(self) -> bool:
        """Whether no session is left here, and nothing is owed."""
        return self.settled and not len(self.standby) and next(iter(self._own), None) is None

    @property
    def lost_window_s(self) -> float:
        """How long before this life began what was acknowledged may be lost, seconds; inf: anything."""
        if self._window_s is not None:
            return self._window_s
        mine = [each.regular for each in self.custody.alike if each.owner == self.index]
        return max((min(map(self._lost_with, keepers), default=inf) for keepers in mine), default=0.0)

    def _lost_with(self, keeper: int) -> float:
        """The window that is lost, seconds, when only this keeper's copy was left."""
        peer = self._peers.get(keeper)
        vouches = None if peer is None else peer.vouches
        return inf if vouches is None else max(0.0, self._began_at - vouches)

    def _in_service(self) -> list[_Peer]:
        return [peer for index, peer in self._peers.items() if not (self.lives[index].out or peer.gone)]

    def _members_in_service(self) -> dict[int, _Peer]:
        """Those that own slots, or are to own some."""
        return {
            index: peer
            for index, peer in self._peers.items()
            if index in self.decree.members and not (self.lives[index].out or peer.gone)
        }

    # Who keeps what

    def _told_what_i_own(self, partition: int) -> bool:
        peer = self._peers.get(partition)
        return peer is not None and peer.stage >= Stage.ITS_OWN

    def _told_all(self, partition: int) -> bool:
        peer = self._peers.get(partition)
        return peer is not None and peer.stage is Stage.ALL

    def _owe(self, key: str, gone: Drop | None = None) -> None:
        for peer in self.custody.of(key).everybody:
            if peer != self.index:
                self._peers[peer].outbox.note(key, gone)

    def _settle(self, draft: Draft) -> None:
        """A peer has taken this: let go of what others keep, and see whether what had left is back."""
        for key in draft.keys:
            self._let_go(key)
        for drop in draft.drops:
            if drop.key is not None and self._own.state(drop.key) is not None:
                self._owe(drop.key)

    def _let_go(self, key: str) -> None:
        """Discard a copy of which this partition is no keeper; later, if a keeper may still be owed it."""
        keeping = self.custody.of(key)
        if self.index in keeping or self.standby.state(key) is None:
            return
        if any(self._peers[each].outbox.owes(key) for each in keeping.everybody):
            self._kept_back.append(key)
        else:
            self.standby.discard(key)

    def _contents(self, number: int, draft: Draft) -> Contents:
        drops = [each for each in draft.drops if each.key is None or self._own.state(each.key) is None]
        states = []
        for key in draft.keys:
            sent = self._as_sent(key)
            if sent is not None:
                states.append((key, sent))
        defaults = self._defaults.items() if draft.defaults else ()
        return Contents(
            number,
            tuple(states),
            tuple([(each.hashed, each.stamp) for each in drops]),
            tuple([(key, packed(state)) for key, state in defaults]),
            Stage.BEGUN if self.spent or self.lives[self.index].out else draft.stage,
        )

    def _as_sent(self, key: str) -> SentState | None:
        """All that is known here of a session, as it travels; None for nothing."""
        if not self._to_sort:  # else it may be where it does not belong
            holder = self._own if self.custody.owns(key) else self.standby
            stored = holder.as_stored(key)
            if isinstance(stored, str):
                return stored
        state = self.known(key)
        return None if state == NOTHING else packed(state)

    def _unpack(self, peer: _Peer, parcel: Parcel, contents: Contents, now: float, *, current: bool) -> None:
        records = self.standby.records
        for key, sent in contents.states:
            keeping = self.custody.of(key)
            holder = self._own if keeping.owner == self.index else self.standby
            if not isinstance(sent, str):
                holder.merge(key, unpacked(sent), now)
            elif not holder.load(key, sent, now):
                holder.merge(key, records.state(sent), now)
            if not current or self.index not in keeping or parcel.sender not in keeping:
                # The sender's next life, or who keeps it by now, may have been told without it; and one who
                # keeps it only until the keepers have it may be gone before it has told them all.
                self._owe(key)
        for key, state in contents.defaults:
            self._defaults.merge(key, unpacked(state), now)
        term = self._term_of(self.index)
        meant = parcel.to == term
        if not meant and parcel.to[0] == term[0] and contents.stage is not Stage.BEGUN:
            return  # it completes nothing, so it has to come again when both go by the same
        if current and (parcel.incarnation, contents.number) > peer.taken:
            for hashed, stamp in contents.drops:
                self.standby.drop(hashed, stamp)
            peer.taken = (parcel.incarnation, contents.number)
        if current and meant:
            peer.stage = max(peer.stage, contents.stage)
            if contents.stage >= Stage.ITS_OWN and peer.vouches is None:
                peer.vouches = parcel.vouches

    # Who lives, and by which decree

    def _peer(self, index: int, now: float) -> _Peer:
        """What is known of the talk with a peer; nothing yet, if it was never heard of."""
        peer = self._peers.get(index)
        if peer is None:
            # Whoever is deployed together goes by the same decree.
            together = self._fresh and index in self.decree.members
            mark = self.decree.mark if together else None
            peer = _Peer(self._settings.most_owed, fresh=together, now=now, mark=mark)
            if together:
                peer.outbox.term = self._term_of(index)
            self._peers[index] = peer
        return peer

    def _meet_members(self, now: float) -> None:
        """Talk to all who own slots or are to own some."""
        for index in self.decree.members:
            if index != self.index:
                self._peer(index, now)

    def gone(self, index: int) -> None:
        """Nobody has that partition's name: unless it should be there, it is forgotten.

        Who should be there is not waited for: all of a router may have died after it was resized, and what
        was decreed with it. Should there be another one some day, it will have something to say.
        """
        if index in self.decree.members:
            self._peers[index].gone = True
        else:
            self._peers.pop(index, None)

    def _is_behind(self, peer: _Peer) -> bool:
        """Whether a peer is known to go by an earlier decree."""
        return peer.mark is not None and peer.mark != self.decree.mark and peer.since <= self.decree.since

    def _worked_out(self) -> Topology:
        """The decree with standbys, chosen by where the partitions live, where copies are kept."""
        epoch = self.decree.since + self.lives.moves
        if self._settings.copies == 1:
            return replace(self.decree, epoch=epoch)
        return self.decree.with_standbys(self.lives.nodes if self.lives.apart else None, epoch=epoch)

    def _term_of(self, index: int) -> Term:
        return (self.lives[index].incarnation, *self._arrangement())

    def _arrangement(self) -> tuple[int, int]:
        """Another one whenever somebody went out of service, came back, was born elsewhere, or by decree."""
        return self.decree.mark, self.lives.changes

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
        self._rearrange(before, now)
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
        shares = [
            each.regular for each in self.custody.alike if each.owner == owner and self.index in each.regular
        ]
        if not shares or not all(self.custody.is_whole(each, self._told_all) for each in shares):
            return None
        return inf if self._settings.synchronous else self._peers[owner].as_of

    def _rearrange(self, before: tuple[int, int], now: float) -> None:
        """Who keeps what may be another now, by decree, or since somebody went out, came back or moved."""
        if self._arrangement() == before:
            return
        if not self._waiting:
            self._window_s = self.lost_window_s
        owners = self.topology.owners
        gains = self.custody.change(
            self._worked_out(),
            self.lives.out,
            self._told_all,
            None if self._waiting else lambda each: self.lives[each].incarnation,
            now,
        )
        moved = self.topology.owners != owners
        keys = (*self._own, *self.standby.keys()) if gains or moved else ()
        for index, peer in self._peers.items():
            peer.stage = Stage.BEGUN
            if peer.outbox.term[0] == self.lives[index].incarnation:
                peer.outbox.go_on(self._term_of(index), *self._passes(keys, gains.get(index)))
        self._streams = self._has_to_stream()
        self._to_sort = list(keys) if moved else self._to_sort
        self._to_sweep, self._kept_back, self._sweep_wanted = [], [], True
        if self.lives[self.index].out:
            self._was_out = True
        self.spent = self.spent or (self._was_out and not self.lives[self.index].out)

    def _has_to_stream(self) -> bool:
        """Whether changes are owed to others although nothing went wrong."""
        asynchronous = self._settings.copies > 1 and not self._settings.synchronous
        return asynchronous or self.custody.has_heirs

    def _passes(self, keys: Sequence[str], gains: Gains | None) -> tuple[list[Pass], list[Pass]]:
        if gains is None:
            return [], []
        slot_of = self.custody.slot_of
        owned = Pass(keys, lambda key: slot_of(key) in gains.owned)
        kept = Pass(keys, lambda key: slot_of(key) in gains.kept)
        return [owned] if gains.owned else [], [kept] if gains.kept else []

    def _everything_for(self, index: int) -> tuple[list[Pass], list[Pass]]:
        keys, of, sender = (*self._own, *self.standby.keys()), self.custody.of, self.index

        def owned(key: str) -> bool:
            keeping = of(key)
            return keeping.owner == index and keeping.sends(sender, index)

        def kept(key: str) -> bool:
            keeping = of(key)
            return keeping.owner != index and keeping.sends(sender, index)

        return [Pass(keys, owned)], [Pass(keys, kept)]

    def _all_walked(self) -> bool:
        return all(
            peer.outbox.walked and peer.outbox.term == self._term_of(index)
            for index, peer in self._members_in_service().items()
        )

    def watch(self, now: float) -> None:
        """Wait no longer when all who answer have sent what this partition owns."""
        if self._waiting:
            self._waiting = any(
                peer.stage < Stage.ITS_OWN
                and now - max(peer.heard_at, self._began_at) <= self._settings.give_up_after_s
                for peer in self._in_service()
            )
            if not self._waiting:
                self._ready_at = now
        if self.custody.awaits:

            def lost(partition: int, incarnation: int, since: float) -> bool:
                peer = self._peers.get(partition)
                heard_at = since if peer is None else max(peer.heard_at, since)
                silent = now - heard_at > self._settings.give_up_after_s or (peer is not None and peer.gone)
                life = self.lives[partition]
                return silent or life.out or 0 < incarnation < life.incarnation

            self.custody.receive(self._told_what_i_own, self._told_all, lost)
