"""What a table should do, said slowly: a list of rows, sorted afresh for every decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import floor, inf
from operator import attrgetter

from ray_router.core.candidates import NOTHING, SessionState, merge
from ray_router.core.settings import PartitionSettings
from ray_router.core.table import Phase, Tombstone

EVICTED = {Phase.LIVE: "evicted_live", Phase.STALE: "evicted_stale", Phase.TOMBSTONE: "evicted_tombstones"}


@dataclass
class Row:
    """A session with what is known of it, or a tombstone with its times.

    ``placed``, ``listed`` and ``used`` are turns: when it came to where it is, when the day on which it
    falls due last changed, and when it last answered or changed.
    """

    key: str
    phase: Phase
    due_at: float
    placed: int
    listed: int
    used: int
    state: SessionState = NOTHING
    tombstone: Tombstone | None = None


class SlowTable:
    """Rows and turns; every rule of the table in as few words as it has."""

    def __init__(self, settings: PartitionSettings) -> None:
        self.settings = settings
        self.rows: list[Row] = []
        self.counts: Counter[str] = Counter()
        self.turn = 0

    # What it is asked

    def merge(self, key: str, fact: SessionState, now: float) -> tuple[SessionState, SessionState, int]:
        """Add a fact; returns what was known, what is known, and how many sessions with a route left."""
        session, buried = self.session(key), self.buried(key)
        before = self.known(key)
        after = merge(before, fact, self.settings.max_candidates)
        evicted = self.counts["evicted_live"] + self.counts["evicted_stale"]
        if after != before:
            phase = self.phase_of(after, now)
            in_place = session or (buried and phase is not Phase.TOMBSTONE)
            if in_place or self.make_room(phase, now):
                self.place(key, after, phase, now)
        evicted = self.counts["evicted_live"] + self.counts["evicted_stale"] - evicted
        self.counts["new_sessions"] += bool(self.known(key).observations) and not before.observations
        return before, self.known(key), evicted

    def touch(self, key: str) -> None:
        """A session answered."""
        session = self.session(key)
        if session:
            session.used = self.next_turn()

    def tidy(self, now: float, most: int) -> int:
        """Move on what is due, at most so many."""
        moved = 0
        while moved < most and self.move_on(now):
            moved += 1
        return moved

    def known(self, key: str) -> SessionState:
        """What is known of a session, which after its end is only when it was deleted."""
        session, buried = self.session(key), self.buried(key)
        if session:
            return session.state
        return SessionState(deleted_at=buried.deleted_at) if buried else NOTHING

    def expired(self, key: str, now: float) -> bool:
        """Whether a tombstone tells of routes that expired."""
        buried = self.buried(key)
        return buried is not None and now <= buried.expired_until

    def in_phase(self, phase: Phase) -> list[Row]:
        """The rows of a phase, the first to leave first."""
        order = attrgetter("used" if phase is Phase.LIVE else "placed")
        return sorted((row for row in self.rows if row.phase is phase), key=order)

    # How it goes about it

    def session(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.key == key and not row.tombstone), None)

    def buried(self, key: str) -> Tombstone | None:
        return next((row.tombstone for row in self.rows if row.key == key and row.tombstone), None)

    def drop(self, key: str, *, tombstone: bool) -> None:
        self.rows = [row for row in self.rows if (row.key, bool(row.tombstone)) != (key, tombstone)]

    def next_turn(self) -> int:
        self.turn += 1
        return self.turn

    def make_room(self, phase: Phase | None, now: float) -> bool:
        while len(self.rows) >= self.settings.capacity:
            leaving = self.in_phase(Phase.TOMBSTONE)
            if phase is not None and phase >= Phase.STALE:
                leaving += self.in_phase(Phase.STALE)
            if not leaving and self.move_on(now):
                continue
            if phase is Phase.LIVE:
                leaving += self.in_phase(Phase.LIVE)
            if not leaving:
                return False
            self.counts[EVICTED[leaving[0].phase]] += 1
            self.rows.remove(leaving[0])
        return True

    def move_on(self, now: float) -> bool:
        """Move on the row of the earliest second that is over; of one second, the last to be listed there."""
        due = [row for row in self.rows if row.due_at < inf and floor(row.due_at) + 1 <= now]
        if not due:
            return False
        row = min(due, key=lambda row: (floor(row.due_at), -row.listed))
        if row.tombstone:
            self.rows.remove(row)
            self.counts["forgotten"] += 1
            return True
        phase = self.phase_of(row.state, now)
        self.place(row.key, row.state, phase, now)
        if phase is Phase.STALE:
            self.counts["went_stale"] += 1
        elif row.phase is not Phase.TOMBSTONE and self.buried(row.key):
            self.counts["expired"] += 1
        else:
            self.counts["forgotten"] += 1
        return True

    def place(self, key: str, state: SessionState, phase: Phase | None, now: float) -> None:
        session = self.session(key)
        self.drop(key, tombstone=False)
        turn = self.next_turn()
        if phase is None:
            self.bury(key, state, now, turn)
            return
        if state.observations:
            self.drop(key, tombstone=True)
        due_at, listed = self.due_at(state, phase), turn
        if session and due_at < inf and session.due_at < inf and floor(session.due_at) == floor(due_at):
            listed = session.listed
        self.rows.append(Row(key, phase, due_at, turn, listed, turn, state))

    def bury(self, key: str, state: SessionState, now: float, turn: int) -> None:
        earlier = self.buried(key)
        self.drop(key, tombstone=True)
        newest = max((seen.observed_at for seen in state.observations), default=-inf)
        retention_s = self.settings.stale_retention_s + self.settings.tombstone_retention_s
        expired_until = life_of(state) + retention_s
        if earlier and earlier.newest > state.deleted_at:
            newest, expired_until = max(newest, earlier.newest), max(expired_until, earlier.expired_until)
        kept_until = max(expired_until, state.deleted_at + self.settings.tombstone_retention_s)
        if now <= kept_until:
            tombstone = Tombstone(newest, expired_until, state.deleted_at)
            self.rows.append(Row(key, Phase.TOMBSTONE, kept_until, turn, turn, turn, tombstone=tombstone))

    def phase_of(self, state: SessionState, now: float) -> Phase | None:
        """Fresh for its life, then stale, then over; marks alone are kept like a tombstone."""
        for phase in (Phase.LIVE, Phase.STALE) if state.observations else (Phase.TOMBSTONE,):
            if now <= self.due_at(state, phase):
                return phase
        return None

    def due_at(self, state: SessionState, phase: Phase) -> float:
        if phase is Phase.TOMBSTONE:
            marks = [mark.at for marks in (state.failed, state.confirmed, state.deferred) for mark in marks]
            return max(marks, default=-inf) + self.settings.tombstone_retention_s
        return life_of(state) + (self.settings.stale_retention_s if phase is Phase.STALE else 0)


def life_of(state: SessionState) -> float:
    """Until when the longest-lived route is fresh."""
    confirmed = {mark.route: mark.at for mark in state.confirmed}
    return max(
        (max(seen.observed_at, confirmed.get(seen.route, -inf)) + seen.ttl_s for seen in state.observations),
        default=-inf,
    )
