"""The bounded table of one partition: sessions in their states, and what moves them on.

A session is *live* while any of its routes is fresh, then *stale*, then a *tombstone* (its key's hash
and times), then forgotten. A state that holds only marks, because a report came before its write, is a
*remnant* and counts as a tombstone. Over the bound tombstones go first, then stale sessions, each in the
order in which they came to be so, then the policy's victim; a newcomer of a lower phase than all that is
here is not let in. The table says what left and why; it knows neither clock nor observer.

Every change is one ``merge``. A merge that changes nothing touches nothing, recency included.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import IntEnum
from math import inf
from typing import NamedTuple

from ray_router.core.calendar import Calendar
from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.eviction import EvictionPolicy
from ray_router.core.slots import key_hash
from ray_router.core.standing import last_mark, lives_until, newest_stamp


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
    """An entry that left to make room. ``age_s``: since its newest observation."""

    phase: Phase
    age_s: float


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


class _Entry(NamedTuple):
    phase: Phase
    day: int | None
    state: SessionState


class Table:
    """Sessions by the canonical text of their keys, at most ``capacity`` entries of all phases."""

    def __init__(
        self, capacity: int, max_candidates: int, retention: Retention, policy: EvictionPolicy
    ) -> None:
        self._capacity = capacity
        self._max_candidates = max_candidates
        self._retention = retention
        self._entries: dict[str, _Entry] = {}
        self._tombstones: dict[int, tuple[int | None, Tombstone]] = {}
        self._live = policy
        self._last_use: tuple[str, bool] | None = None  # the session, and whether it was written
        self._stale: OrderedDict[str, None] = OrderedDict()
        self._lowest: OrderedDict[str | int, None] = OrderedDict()  # remnants' keys, tombstones' hashes
        self._due: Calendar[str | int] = Calendar()

    def __len__(self) -> int:
        return len(self._entries) + len(self._tombstones)

    def count(self, phase: Phase) -> int:
        """Entries in a phase. A session may count as live up to a day of the calendar too long."""
        if phase is Phase.TOMBSTONE:
            return len(self._lowest)
        if phase is Phase.STALE:
            return len(self._stale)
        return len(self) - len(self._stale) - len(self._lowest)

    def state(self, key: str) -> SessionState | None:
        """What is known of a session; a look, which touches nothing."""
        entry = self._entries.get(key)
        return None if entry is None else entry.state

    def expired(self, key: str, now: float) -> bool:
        """Whether a tombstone says that the session had routes, all of which expired."""
        buried = self._tombstones.get(key_hash(key)) if self._tombstones else None
        return buried is not None and now <= buried[1].expired_until

    def touch(self, key: str) -> None:
        """A session answered: while it lives, it becomes the most recent."""
        if self._entries[key].phase is Phase.LIVE:
            self._use(key, written=False)

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what ``fact`` knows to what is known of a session."""
        entry = self._entries.get(key)
        before = self._known(key, entry)
        after = merge(before, fact, self._max_candidates)
        if after == before:
            return Change(before, before)
        phase = self._phase(after, now)
        evictions: list[Eviction] = []
        transitions: list[Transition] = []
        in_place = entry is not None or self._takes_its_tombstone(key, phase)
        if in_place or self._make_room(phase, now, evictions, transitions):
            self._place(key, entry, after, phase, now)
        kept = self._known(key, self._entries.get(key))
        created = bool(kept.observations) and not before.observations
        return Change(before, kept, created, tuple(evictions), tuple(transitions))

    def take_next(self, now: float) -> Transition | None:
        """Move one entry on whose time has come; None when no more are due."""
        due = self._due.take_due(now)
        if due is None:
            return None
        if isinstance(due, int):
            del self._tombstones[due]
            del self._lowest[due]
            return Transition(Phase.TOMBSTONE, None)
        entry = self._entries[due]
        phase = self._phase(entry.state, now)
        self._place(due, entry, entry.state, phase, now)
        if phase is None and entry.phase is not Phase.TOMBSTONE and key_hash(due) in self._tombstones:
            phase = Phase.TOMBSTONE
        return Transition(entry.phase, phase)

    def _known(self, key: str, entry: _Entry | None) -> SessionState:
        if entry is not None:
            return entry.state
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

    def _due_at(self, state: SessionState, phase: Phase) -> float:
        if phase is Phase.LIVE:
            return lives_until(state)
        if phase is Phase.STALE:
            return lives_until(state) + self._retention.stale_s
        return last_mark(state) + self._retention.tombstone_s

    def _place(
        self, key: str, entry: _Entry | None, state: SessionState, phase: Phase | None, now: float
    ) -> None:
        """Put a session where its state belongs, from where it was."""
        if entry is not None:
            self._due.discard(key, entry.day)
            if entry.phase is Phase.STALE:
                del self._stale[key]
            elif entry.phase is Phase.TOMBSTONE:
                del self._lowest[key]
            elif phase is not Phase.LIVE:
                self._live.forget(key)
        if phase is None:
            self._entries.pop(key, None)
            self._bury(key_hash(key), state, now)
            return
        day = Calendar.day_of(self._due_at(state, phase))
        self._due.add(key, day)
        self._entries[key] = _Entry(phase, day, state)
        if phase is Phase.STALE:
            self._stale[key] = None
        elif phase is Phase.TOMBSTONE:
            self._lowest[key] = None
        elif entry is not None and entry.phase is Phase.LIVE:
            self._use(key, written=True)
        else:
            self._last_use = (key, True)
            self._live.admit(key)
        if state.observations and self._tombstones:
            self._exhume(key_hash(key))

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
            self._due.add(hashed, day)

    def _exhume(self, hashed: int) -> Tombstone | None:
        buried = self._tombstones.pop(hashed, None)
        if buried is None:
            return None
        self._due.discard(hashed, buried[0])
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
                evictions.append(self._evict(next(iter(self._stale)), now))
            elif (transition := self.take_next(now)) is not None:
                transitions.append(transition)
            elif phase is Phase.LIVE:
                evictions.append(self._evict(self._live.evict(), now))
            else:
                return False
        return True

    def _evict_lowest(self) -> Eviction:
        oldest = next(iter(self._lowest))
        if isinstance(oldest, int):
            self._exhume(oldest)
        else:
            self._due.discard(oldest, self._entries.pop(oldest).day)
            del self._lowest[oldest]
        return Eviction(Phase.TOMBSTONE, inf)

    def _evict(self, key: str, now: float) -> Eviction:
        entry = self._entries.pop(key)
        self._due.discard(key, entry.day)
        if entry.phase is Phase.STALE:
            del self._stale[key]
        return Eviction(entry.phase, now - newest_stamp(entry.state))
