"""The bounded table of one partition: sessions in their states, and what moves them on.

A session is *live* while any of its routes is fresh, then *stale*, then a *tombstone* (its key's hash
and times), then forgotten. A state that holds only marks, because a report came before its write, is a
*remnant* and counts as a tombstone. Over the bound tombstones go first, then stale sessions, each in the
order in which they came to be so, then the policy's victim; a newcomer of a lower phase than all that is
here is not let in. The table says what left and why; it knows neither clock nor observer.

Every change is one ``merge``. A merge that changes nothing touches nothing, recency included.

A session that lives, is plain (see ``record``) and stays fresh to the end of the second stands in
``_quick``, as the record that answers it: whole batches are answered from there without a look at any of
them. When the second begins in which it falls due it is withdrawn, and is looked at like all others. A
route at 1,000,000 plain sessions costs 205 B besides its policy's share, key and route of 25 B included.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from enum import IntEnum
from math import floor, inf
from typing import NamedTuple

from ray_router.core.calendar import NEVER, Calendar
from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.eviction import EvictionPolicy
from ray_router.core.footprint import bytes_of
from ray_router.core.record import RecordFormat
from ray_router.core.slots import key_hash
from ray_router.core.standing import last_mark, lives_until, newest_fact, newest_stamp

_WITHDRAWN_AT_ONCE = 2_000  # sessions, in less than a millisecond


class Phase(IntEnum):
    """How dear an entry is to the table; the lowest go first."""

    TOMBSTONE = 0
    STALE = 1
    LIVE = 2


class Retention(NamedTuple):
    """How long a session is kept past its life, seconds."""

    stale_s: float
    tombstone_s: float


class Tombstone(NamedTuple):
    """What is left of a session: times, all in epoch seconds, -inf for none.

    ``newest``: its newest observation; ``expired_until``: how long it is known to have expired;
    ``deleted_at``: its deletion.
    """

    newest: float
    expired_until: float
    deleted_at: float


class Eviction(NamedTuple):
    """An entry that left to make room. ``age_s``: since its newest observation.

    ``left``: its key, or the hash of it where no more was left; ``newest``: the time of the newest thing
    known of it.
    """

    phase: Phase
    age_s: float
    left: str | int
    newest: float


class Transition(NamedTuple):
    """A session moved on from one phase to a lower one, or (to None) was forgotten."""

    left: Phase
    to: Phase | None


class Change(NamedTuple):
    """What a merge did: what was known, what is known now (a full table may have kept nothing of it).

    ``created``: a session with a route stands where none stood.
    """

    before: SessionState
    after: SessionState
    created: bool = False
    evictions: tuple[Eviction, ...] = ()
    transitions: tuple[Transition, ...] = ()


class Table:
    """Sessions by the canonical text of their keys, at most ``capacity`` entries of all phases."""

    def __init__(
        self,
        capacity: int,
        max_candidates: int,
        retention: Retention,
        policy: EvictionPolicy,
        records: RecordFormat,
    ) -> None:
        self._capacity = capacity
        self._max_candidates = max_candidates
        self._retention = retention
        self._records = records
        self._quick: dict[str, str] = {}
        self._others: dict[str, str | SessionState] = {}  # a record, where one will do
        self._tombstones: dict[int, tuple[int | None, Tombstone]] = {}
        self._live = policy
        self._last_use: tuple[str, bool] | None = None  # the session, and whether it was written
        self._stale: OrderedDict[str, None] = OrderedDict()
        self._lowest: OrderedDict[str | int, None] = OrderedDict()  # remnants' keys, tombstones' hashes
        self._due: Calendar[str | int] = Calendar(self._lies_on)
        self._withdrawing: list[str | int] = []  # listed on a day that has begun
        self._today: float = -inf  # the last day, all of which was withdrawn

    def __len__(self) -> int:
        return len(self._quick) + len(self._others) + len(self._tombstones)

    def __iter__(self) -> Iterator[str]:
        """The keys of all sessions, remnants included; nothing may change meanwhile."""
        yield from self._quick
        yield from self._others

    def count(self, phase: Phase) -> int:
        """Entries in a phase. A session may count as live up to a day of the calendar too long."""
        if phase is Phase.TOMBSTONE:
            return len(self._lowest)
        if phase is Phase.STALE:
            return len(self._stale)
        return len(self) - len(self._stale) - len(self._lowest)

    @property
    def ghosts(self) -> int:
        """Evicted sessions that the policy remembers by a hash; estimated when there are many."""
        return self._live.ghosts

    @property
    def bytes(self) -> int:
        """The memory that all of it takes; estimated, see ``footprint``."""
        sessions = (self._quick, self._others, self._tombstones)
        containers = (*sessions, self._stale, self._lowest, self._live, self._due)
        return bytes_of(containers, sessions, max(0, len(self._due) - len(self)))  # listed in vain

    def state(self, key: str) -> SessionState | None:
        """What is known of a session; a look, which touches nothing."""
        known = self._quick.get(key) or self._others.get(key)
        return self._records.state(known) if isinstance(known, str) else known

    def as_stored(self, key: str) -> str | SessionState | None:
        """What is known of a session as it is kept: its record, where that says it all. Touches nothing."""
        return self._quick.get(key) or self._others.get(key)

    def load(self, key: str, record: str, now: float) -> bool:
        """Take in a plain session that lives, and of which nothing is known, where there is room.

        Returns:
            False when it is anything else: nothing was changed, and ``merge`` must see to it.
        """
        if key in self._quick or key in self._others or len(self) >= self._capacity:
            return False
        if self._tombstones and key_hash(key) in self._tombstones:
            return False
        lives_until = self._records.read(record).lives_until
        day = Calendar.day_of(lives_until)
        if now > lives_until or (day is not NEVER and day <= self._due.reached_until):
            return False
        self._quick[key] = record
        self._last_use = (key, True)
        self._live.admit(key)
        self._due.add(key, day, len(self))
        return True

    def quick(self, keys: Sequence[str], now: float) -> list[str | None]:
        """The records of those sessions that live and are plain; None for those to be looked at."""
        if floor(now) > self._today and not self._withdraw(now):
            return [None] * len(keys)
        return list(map(self._quick.get, keys))

    def expired(self, key: str, now: float) -> bool:
        """Whether a tombstone says that the session had routes, all of which expired."""
        buried = self._tombstones.get(key_hash(key)) if self._tombstones else None
        return buried is not None and now <= buried[1].expired_until

    def touch(self, key: str) -> None:
        """A session answered: while it lives, it becomes the most recent."""
        if self._phase_of(key) is Phase.LIVE:
            self._use(key, written=False)

    def touch_quick(self, keys: Sequence[str]) -> None:
        """Sessions whose records were given answered, in this order."""
        self._use(keys[0], written=False)
        if len(keys) > 1:
            self._live.touch_all(keys[1:])
            self._last_use = (keys[-1], False)

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what ``fact`` knows to what is known of a session."""
        before = self.known(key)
        after = merge(before, fact, self._max_candidates)
        if after == before:
            return Change(before, before)
        phase = self._phase(after, now)
        evictions: list[Eviction] = []
        transitions: list[Transition] = []
        in_place = key in self._quick or key in self._others or self._takes_its_tombstone(key, phase)
        if in_place or self._make_room(phase, now, evictions, transitions):
            self._place(key, after, phase, now)
            kept = after if phase is not None else self.known(key)
        else:
            kept = self.known(key)
        created = bool(kept.observations) and not before.observations
        return Change(before, kept, created, tuple(evictions), tuple(transitions))

    def take(self, key: str) -> SessionState | None:
        """What is known of a session, which leaves without a trace: it is another partition's."""
        state = self.state(key)
        if state is None:
            return None
        phase = self._phase_of(key)
        if phase is Phase.STALE:
            del self._stale[key]
        elif phase is Phase.TOMBSTONE:
            del self._lowest[key]
        else:
            self._live.forget(key)
        self._take_out(key)
        return state

    def refresh(
        self, key: str, route: str, observed_at: float, ttl_s: float, origin: int, now: float
    ) -> bool:
        """Merge an observation that only brings a plain, living session's own route up to date.

        Returns:
            False when it is anything else: nothing was changed, and ``merge`` must see to it.
        """
        text = self._quick.get(key)
        if text is None:
            return False
        known = self._records.read(text)
        if known.route != route or known.origin != origin or known.observed_at >= observed_at:
            return False
        lives_until = max(observed_at, known.confirmed_at) + ttl_s
        day, was = Calendar.day_of(lives_until), Calendar.day_of(known.lives_until)
        if day is not NEVER and (day <= self._due.reached_until or day <= floor(now)):
            return False
        self._quick[key] = self._records.write(observed_at, ttl_s, origin, known.confirmed_at, route)
        if day != was:
            self._due.add(key, day, len(self))
        self._use(key, written=True)
        return True

    def take_next(self, now: float) -> Transition | None:
        """Move one entry on whose time has come; None when no more are due."""
        due = self._due.take_due(now)
        if due is None:
            return None
        if isinstance(due, int):
            del self._tombstones[due]
            del self._lowest[due]
            return Transition(Phase.TOMBSTONE, None)
        left, state = self._phase_of(due), self.state(due)
        assert state is not None, "the calendar gives up what it holds only"
        phase = self._phase(state, now)
        self._place(due, state, phase, now)
        if phase is None and left is not Phase.TOMBSTONE and key_hash(due) in self._tombstones:
            phase = Phase.TOMBSTONE
        return Transition(left, phase)

    def _withdraw(self, now: float) -> bool:
        """Withdraw what falls due in the seconds that have begun, a little at a time; whether all is."""
        left = _WITHDRAWN_AT_ONCE
        while left > 0:
            if not self._withdrawing:
                if self._due.all_reached(now):
                    self._today = max(self._today, self._due.reach_all(now))
                    return True
                self._withdrawing = self._due.reach(now)
            while self._withdrawing and left > 0:
                key = self._withdrawing.pop()
                left -= 1
                if isinstance(key, str) and key in self._quick:
                    lives_until = self._records.read(self._quick[key]).lives_until
                    if lives_until < self._due.reached_until + 1:  # by now it may live longer, or for ever
                        self._others[key] = self._quick.pop(key)
        return False

    def known(self, key: str) -> SessionState:
        """What is known of a session, be it only that it was deleted."""
        state = self.state(key)
        if state is not None:
            return state
        buried = self._tombstones.get(key_hash(key)) if self._tombstones else None
        return NOTHING if buried is None else SessionState(deleted_at=buried[1].deleted_at)

    def _phase(self, state: SessionState, now: float) -> Phase | None:
        """The phase of a state; None when it is over and leaves no more than a tombstone."""
        if state.observations:
            over = lives_until(state)
            if now <= over:
                return Phase.LIVE
            return Phase.STALE if now <= over + self._retention.stale_s else None
        has_marks = state.failed or state.confirmed or state.deferred
        kept = has_marks and now <= last_mark(state) + self._retention.tombstone_s
        return Phase.TOMBSTONE if kept else None

    def _phase_of(self, key: str) -> Phase:
        """The phase in which a session stands, whatever it would be by now."""
        if key in self._quick:
            return Phase.LIVE
        if key in self._stale:
            return Phase.STALE
        return Phase.TOMBSTONE if key in self._lowest else Phase.LIVE

    def _due_at(self, state: SessionState, phase: Phase) -> float:
        if phase is Phase.LIVE:
            return lives_until(state)
        if phase is Phase.STALE:
            return lives_until(state) + self._retention.stale_s
        return last_mark(state) + self._retention.tombstone_s

    def _day_of(self, item: str | int) -> int | None:
        """The day on which an entry lies; never, for one that is not there."""
        if isinstance(item, int):
            buried = self._tombstones.get(item)
            return NEVER if buried is None else buried[0]
        state = self.state(item)
        return NEVER if state is None else Calendar.day_of(self._due_at(state, self._phase_of(item)))

    def _lies_on(self, item: str | int, day: int) -> bool:
        return self._day_of(item) == day

    def _place(self, key: str, state: SessionState, phase: Phase | None, now: float) -> None:
        """Put a session where its state belongs, from where it was."""
        left, was = None, NEVER
        if key in self._quick or key in self._others:
            left, was = self._phase_of(key), self._day_of(key)
            if left is Phase.STALE:
                del self._stale[key]
            elif left is Phase.TOMBSTONE:
                del self._lowest[key]
            elif phase is not Phase.LIVE:
                self._live.forget(key)
        if phase is None:
            self._take_out(key)
            self._bury(key_hash(key), state, now)
            return
        day = Calendar.day_of(self._due_at(state, phase))
        self._store(key, state, phase, day)
        if phase is Phase.STALE:
            self._stale[key] = None
        elif phase is Phase.TOMBSTONE:
            self._lowest[key] = None
        elif left is Phase.LIVE:
            self._use(key, written=True)
        else:
            self._last_use = (key, True)
            self._live.admit(key)
        if left is None or day != was:
            self._due.add(key, day, len(self))
        if state.observations and self._tombstones:
            self._exhume(key_hash(key))

    def _store(self, key: str, state: SessionState, phase: Phase, day: int | None) -> None:
        record = self._records.record(state)
        if record is not None and phase is Phase.LIVE and (day is NEVER or day > self._due.reached_until):
            self._others.pop(key, None)
            self._quick[key] = record
        else:
            self._quick.pop(key, None)
            self._others[key] = state if record is None else record

    def _take_out(self, key: str) -> None:
        if self._quick.pop(key, None) is None:
            self._others.pop(key, None)

    def _use(self, key: str, *, written: bool) -> None:
        """Tell the policy of a use; a resolve and a write in a row are one, in either order."""
        if self._last_use == (key, not written):
            self._last_use = None
        else:
            self._last_use = (key, written)
            self._live.touch(key)

    def _bury(self, hashed: int, state: SessionState, now: float) -> None:
        """Leave a tombstone for a state that is over, joined with the one there is."""
        earlier = self._exhume(hashed)
        newest, expired_until = newest_stamp(state), lives_until(state) + sum(self._retention)
        if earlier is not None and earlier.newest > state.deleted_at:
            newest = max(newest, earlier.newest)
            expired_until = max(expired_until, earlier.expired_until)
        kept_until = max(expired_until, state.deleted_at + self._retention.tombstone_s)
        if now <= kept_until:
            day = Calendar.day_of(kept_until)
            self._tombstones[hashed] = (day, Tombstone(newest, expired_until, state.deleted_at))
            self._lowest[hashed] = None
            self._due.add(hashed, day, len(self))

    def _exhume(self, hashed: int) -> Tombstone | None:
        buried = self._tombstones.pop(hashed, None)
        if buried is None:
            return None
        del self._lowest[hashed]
        return buried[1]

    def _takes_its_tombstone(self, key: str, phase: Phase | None) -> bool:
        """Whether a newcomer goes where its own tombstone lies; a remnant lies beside it."""
        return bool(self._tombstones) and phase is not Phase.TOMBSTONE and key_hash(key) in self._tombstones

    def _make_room(
        self, phase: Phase | None, now: float, evictions: list[Eviction], transitions: list[Transition]
    ) -> bool:
        """Make room for a newcomer; False when it is of a lower phase than all that is here."""
        while len(self) >= self._capacity:
            if self._lowest:
                evictions.append(self._evict_lowest())
            elif self._stale and (phase or Phase.TOMBSTONE) >= Phase.STALE:
                evictions.append(self._evict(next(iter(self._stale)), Phase.STALE, now))
            elif (transition := self.take_next(now)) is not None:
                transitions.append(transition)
            elif phase is Phase.LIVE:
                evictions.append(self._evict(self._live.evict(), Phase.LIVE, now))
            else:
                return False
        return True

    def _evict_lowest(self) -> Eviction:
        oldest = next(iter(self._lowest))
        if isinstance(oldest, int):
            buried = self._exhume(oldest)
            assert buried is not None, "the lowest are listed while they are here"
            return Eviction(Phase.TOMBSTONE, inf, oldest, max(buried.newest, buried.deleted_at))
        state = self.state(oldest)
        assert state is not None, "the lowest are listed while they are here"
        del self._others[oldest]
        del self._lowest[oldest]
        return Eviction(Phase.TOMBSTONE, inf, oldest, newest_fact(state))

    def _evict(self, key: str, phase: Phase, now: float) -> Eviction:
        state = self.state(key)
        assert state is not None, "only what is here is evicted"
        self._take_out(key)
        if phase is Phase.STALE:
            del self._stale[key]
        return Eviction(phase, now - newest_stamp(state), key, newest_fact(state))
