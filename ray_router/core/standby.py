"""``Standby``: the states of sessions that belong to others, kept in case their owner is lost.

It never evicts for itself: it sees no reads, so it cannot know what is worth keeping. The owner says what
it evicted, by the key's hash and the newest stamp that it held, and whoever knows nothing newer drops it.
What is past all retention is dropped here as it would be there. Should both fail to keep it small, since
an owner was away for long, the session that was written least recently makes room, and is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import NamedTuple

from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.slots import key_hash
from ray_router.core.standing import last_mark, lives_until, newest_fact
from ray_router.core.table import Change, Retention


class _Kept(NamedTuple):
    key: str
    state: SessionState


class Standby:
    """States by the hash of their key, at most ``capacity``, in the order in which they were last changed."""

    def __init__(self, capacity: int, max_candidates: int, retention: Retention) -> None:
        self._capacity = capacity
        self.max_candidates = max_candidates
        self._retention = retention
        self._held: OrderedDict[int, _Kept] = (
            OrderedDict()
        )  # a dict is slow to find its first after deletions
        self._to_visit: list[int] = []
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> list[str]:
        """The keys of all that is held, at this moment."""
        return [kept.key for kept in self._held.values()]

    def state(self, key: str) -> SessionState | None:
        """What is known of a session."""
        kept = self._held.get(key_hash(key))
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

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what ``fact`` knows to what is known of a session."""
        hashed = key_hash(key)
        before = self.state(key) or NOTHING
        after = merge(before, fact, self.max_candidates)
        if after == before:
            return Change(before, before)
        self._held.pop(hashed, None)
        if now <= self._kept_until(after):
            self._make_room(now)
            self._held[hashed] = _Kept(key, after)
        return Change(before, after, bool(after.observations) and not before.observations)

    def drop(self, hashed: int, stamp: float) -> None:
        """The owner evicted a session; drop it unless something newer than ``stamp`` is known of it."""
        kept = self._held.get(hashed)
        if kept is not None and newest_fact(kept.state) <= stamp:
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
        if not self._to_visit:
            self._to_visit = list(self._held)
        dropped = 0
        for hashed in self._to_visit[-most:]:
            kept = self._held.get(hashed)
            if kept is not None and now > self._kept_until(kept.state):
                del self._held[hashed]
                dropped += 1
        del self._to_visit[-most:]
        return dropped

    def _make_room(self, now: float) -> None:
        if len(self._held) < self._capacity:
            return
        oldest = list(islice(self._held, 16))
        over = [hashed for hashed in oldest if now > self._kept_until(self._held[hashed].state)]
        for hashed in over or oldest[:1]:
            del self._held[hashed]
        self.evicted += not over

    def _kept_until(self, state: SessionState) -> float:
        """How long the owner remembers a session, as a tombstone in the end."""
        marks_until = last_mark(state) + self._retention.tombstone_s
        return max(marks_until, lives_until(state) + sum(self._retention))
