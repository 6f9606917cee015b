"""The defaults of instances and channels: few, on every partition, outside the sessions' eviction."""

from __future__ import annotations

from collections.abc import Iterable

from ray_router.core.calendar import NEVER, Calendar
from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.standing import last_mark, lives_until
from ray_router.core.table import Change, Retention


class Defaults:
    """States by the canonical text of an instance's or channel's key, at most ``capacity`` of them.

    A full table takes no new key, but drops first what has no route, and what expired.
    """

    def __init__(self, capacity: int, max_candidates: int, retention: Retention) -> None:
        self._capacity = capacity
        self._max_candidates = max_candidates
        self._retention = retention
        self._states: dict[str, SessionState] = {}
        self._due: Calendar[str] = Calendar(self._lies_on)

    def __len__(self) -> int:
        return len(self._states)

    def state(self, key: str) -> SessionState | None:
        """What is known of a default."""
        return self._states.get(key)

    def items(self) -> tuple[tuple[str, SessionState], ...]:
        """All defaults, for a peer."""
        return tuple(self._states.items())

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Add what ``fact`` knows; nothing changes when the table is full and the key is new."""
        before = self._states.get(key, NOTHING)
        after = merge(before, fact, self._max_candidates)
        if key not in self._states and len(self._states) >= self._capacity:
            self._drop(self._dispensable(now))
            if len(self._states) >= self._capacity:
                return Change(before, before)
        if after != before:
            self._states[key] = after
            if self._day(after) != self._day(before):
                self._due.add(key, self._day(after), len(self))
        return Change(before, after)

    def prune(self, now: float, most: int) -> int:
        """Forget at most ``most`` that are past all retention; returns how many that was."""
        forgotten = 0
        while forgotten < most and (key := self._due.take_due(now)) is not None:
            del self._states[key]
            forgotten += 1
        return forgotten

    def _day(self, state: SessionState) -> int | None:
        """The day on which a state is past all retention; never for no state at all."""
        if state == NOTHING:
            return NEVER
        marks_until = last_mark(state) + self._retention.tombstone_s
        return Calendar.day_of(max(marks_until, lives_until(state) + sum(self._retention)))

    def _lies_on(self, key: str, day: int) -> bool:
        return self._day(self._states.get(key, NOTHING)) == day

    def _dispensable(self, now: float) -> list[str]:
        return [key for key, state in self._states.items() if now > lives_until(state)]

    def _drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            del self._states[key]
