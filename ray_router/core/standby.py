"""``Standby``: the states of sessions that belong to others, kept in case their owner is lost.

It never evicts for itself: it sees no reads, so it cannot know what is worth keeping. The owner says what
it evicted, by the key's hash and the newest stamp that it held, and whoever knows nothing newer drops it.
What is past all retention is dropped here as it would be there. Should both fail to keep it small, since
an owner was away for long, the session that was written least recently makes room, and is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from math import inf
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.record import FIELD, Record, RecordFormat
from ray_router.core.slots import key_hash
from ray_router.core.standing import last_mark, lives_until, newest_fact
from ray_router.core.table import Change, Retention


class _Kept(NamedTuple):
    key: str
    state: SessionState


class Standby:
    """What is known of sessions, by the hash of their key, in the order in which they were last changed.

    A plain session is kept as one text: its key, and its record behind it.

    Args:
        capacity: how many at most.
        records: how plain sessions are written, here as in their owner's table.
    """

    def __init__(
        self, capacity: int, max_candidates: int, retention: Retention, records: RecordFormat
    ) -> None:
        self._capacity = capacity
        self.max_candidates = max_candidates
        self.records = records
        self._retention = retention
        self._remembered_s = sum(retention)
        self._held: OrderedDict[int, str | _Kept] = (
            OrderedDict()
        )  # a dict is slow to find its first after deletions
        self._to_visit: list[int] = []
        self._none_over_until = self._earliest = inf  # of all; of those visited, or that came meanwhile
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> list[str]:
        """The keys of all that is held, at this moment."""
        return [
            kept.partition(FIELD)[0] if isinstance(kept, str) else kept.key for kept in self._held.values()
        ]

    def state(self, key: str) -> SessionState | None:
        """What is known of a session."""
        stored = self.as_stored(key)
        return self.records.state(stored) if isinstance(stored, str) else stored

    def as_stored(self, key: str) -> str | SessionState | None:
        """What is known of a session: its record, where that says it all."""
        kept = self._held.get(key_hash(key))
        if isinstance(kept, str):
            its_key, _, record = kept.partition(FIELD)
            return record if its_key == key else None
        return None if kept is None or kept.key != key else kept.state

    def expired(self, key: str, now: float) -> bool:
        """Whether a session is known to have had routes, all of which expired."""
        state = self.state(key)
        if state is None or not state.observations:
            return False
        over = lives_until(state) + self._retention.stale_s
        return over < now <= over + self._retention.tombstone_s

    def touch(self, key: str) -> None:
        """Reads are the owner's to count."""

    def load(self, key: str, record: str, now: float) -> bool:
        """Take in a plain session, where nothing is known of it, or its route was seen less lately.

        Returns:
            False when it is anything else: nothing was changed, and ``merge`` must see to it.
        """
        hashed, told = key_hash(key), self.records.read(record)
        until = told.lives_until + self._remembered_s
        if FIELD in key or now > until:
            return False
        kept = self._held.get(hashed)
        if kept is not None:
            if not self._is_older(kept, key, told):
                return False
            del self._held[hashed]
        self._put(hashed, f"{key}{FIELD}{record}", until, now)
        return True

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what ``fact`` knows to what is known of a session."""
        hashed = key_hash(key)
        before = self.state(key) or NOTHING
        after = merge(before, fact, self.max_candidates)
        if after == before:
            return Change(before, before)
        self._held.pop(hashed, None)
        until = self._kept_until(after)
        if now <= until:
            record = None if FIELD in key else self.records.record(after)
            kept = _Kept(key, after) if record is None else f"{key}{FIELD}{record}"
            self._put(hashed, kept, until, now)
        return Change(before, after, bool(after.observations) and not before.observations)

    def drop(self, hashed: int, stamp: float) -> None:
        """The owner evicted a session; drop it unless something newer than ``stamp`` is known of it."""
        kept = self._held.get(hashed)
        if kept is not None and newest_fact(self._state_of(kept)) <= stamp:
            del self._held[hashed]

    def take(self, key: str) -> SessionState | None:
        """What is known of a session, which is kept here no longer."""
        state = self.state(key)
        if state is not None:
            del self._held[key_hash(key)]
        return state

    def discard(self, key: str) -> None:
        """Those whose place was taken have it all."""
        self._held.pop(key_hash(key), None)

    def prune(self, now: float, most: int) -> int:
        """Look at the next ``most`` sessions, and drop those that are past all retention; how many."""
        if now <= self._none_over_until:
            return 0
        if not self._to_visit:
            self._to_visit, self._earliest = list(self._held), inf
        dropped = 0
        for hashed in self._to_visit[-most:]:
            kept = self._held.get(hashed)
            if kept is None:
                continue
            until = self._until(kept)
            if now > until:
                del self._held[hashed]
                dropped += 1
            else:
                self._earliest = min(self._earliest, until)
        del self._to_visit[-most:]
        if not self._to_visit:
            self._none_over_until = self._earliest
        return dropped

    def _is_older(self, kept: str | _Kept, key: str, told: Record) -> bool:
        """Whether what is kept is of the same session and route, and knows nothing that was not told."""
        if not isinstance(kept, str):
            return False
        its_key, _, record = kept.partition(FIELD)
        known = self.records.read(record)
        same = its_key == key and (known.route, known.origin) == (told.route, told.origin)
        return same and known.observed_at < told.observed_at and known.confirmed_at <= told.confirmed_at

    def _put(self, hashed: int, kept: str | _Kept, until: float, now: float) -> None:
        self._make_room(now)
        self._held[hashed] = kept
        self._earliest = min(self._earliest, until)
        self._none_over_until = min(self._none_over_until, until)

    def _make_room(self, now: float) -> None:
        if len(self._held) < self._capacity:
            return
        oldest = list(islice(self._held, 16))
        over = [hashed for hashed in oldest if now > self._until(self._held[hashed])]
        for hashed in over or oldest[:1]:
            del self._held[hashed]
        self.evicted += not over

    def _state_of(self, kept: str | _Kept) -> SessionState:
        return self.records.state(kept.partition(FIELD)[2]) if isinstance(kept, str) else kept.state

    def _until(self, kept: str | _Kept) -> float:
        if isinstance(kept, str):
            return self.records.read(kept.partition(FIELD)[2]).lives_until + self._remembered_s
        return self._kept_until(kept.state)

    def _kept_until(self, state: SessionState) -> float:
        """How long the owner remembers a session, as a tombstone in the end."""
        marks_until = last_mark(state) + self._retention.tombstone_s
        return max(marks_until, lives_until(state) + self._remembered_s)
