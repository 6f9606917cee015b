"""``Tally``: what became of the events that were played, counted by whoever asked.

``Score`` is the tally in the making; a tally is a value, and two runs that went the same are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ray_router.core.slots import key_hash
from ray_router.model import ResolutionSource, SetOutcome

Recorder = Callable[[int, ResolutionSource, bool], None]
"""Told of each event's resolution: the event's index from 0, its source, and whether it said stale."""


@dataclass(frozen=True, slots=True)
class PartitionTally:
    """The events whose sessions one partition owns; sums of these add up with ``+``.

    The first rows count resolutions by their source (``hits``: the session's own route was fresh just
    before the event); ``stale`` those that said so, whatever answered. Then writes by their outcome.
    ``evicted``: sessions with a route that left to make room. ``last_key``: the session of the last event.
    """

    partition: int
    hits: int = 0
    alternate: int = 0
    scope: int = 0
    provided: int = 0
    stale_answers: int = 0
    misses: int = 0
    stale: int = 0
    stored: int = 0
    refreshed: int = 0
    superseded: int = 0
    shed: int = 0
    evicted: int = 0
    last_key: str = ""

    @property
    def events(self) -> int:
        """Events whose resolution was answered."""
        return self.hits + self.alternate + self.scope + self.provided + self.stale_answers + self.misses

    @property
    def hit_ratio(self) -> float:
        """Share of events that found their session's own route fresh, 0 to 1."""
        return self.hits / self.events if self.events else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """A whole run. ``unanswered``: calls that no partition answered, which is 0 on a healthy router.

    ``sessions``: how many different ones there were. ``first_at``, ``last_at``: the earliest and the
    latest time of an event, epoch seconds; both 0 when there was none.
    """

    events: int = 0
    sessions: int = 0
    unanswered: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    partitions: tuple[PartitionTally, ...] = ()

    @property
    def total(self) -> PartitionTally:
        """All partitions together; its own ``partition`` is -1, and its last key none."""
        counts = {
            name: sum(getattr(each, name) for each in self.partitions)
            for name in PartitionTally.__slots__
            if name not in ("partition", "last_key")
        }
        return PartitionTally(-1, **counts)

    @property
    def hit_ratio(self) -> float:
        """Share of all events that found their session's own route fresh, 0 to 1."""
        return self.total.hits / self.events if self.events else 0.0


_BY_SOURCE = {
    ResolutionSource.EXACT: "hits",
    ResolutionSource.ALTERNATE: "alternate",
    ResolutionSource.SCOPE: "scope",
    ResolutionSource.PROVIDED: "provided",
    ResolutionSource.STALE: "stale_answers",
    ResolutionSource.NONE: "misses",
}
_BY_OUTCOME = {
    SetOutcome.STORED: "stored",
    SetOutcome.REFRESHED: "refreshed",
    SetOutcome.SUPERSEDED: "superseded",
    SetOutcome.SHED: "shed",
}


class Score:
    """A tally in the making.

    It remembers a 64-bit hash of each session that it has seen, to count them.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder
        self._sessions: set[int] = set()
        self._counts: dict[int, Counter[str]] = {}
        self._last_keys: dict[int, str] = {}
        self._events = self._unanswered = 0
        self._first_at = self._last_at = 0.0

    def came(self, at: float, key: str) -> int:
        """An event came, with the text of its key; returns its index."""
        index = self._events
        self._first_at = min(self._first_at, at) if index else at
        self._last_at = max(self._last_at, at) if index else at
        self._events += 1
        self._sessions.add(key_hash(key))
        return index

    def resolved(self, index: int, key: str, partition: int, source: ResolutionSource, stale: bool) -> None:
        """The event's own session was resolved just before it."""
        counts = self._counts.get(partition)
        if counts is None:
            counts = self._counts[partition] = Counter()
        counts[_BY_SOURCE[source]] += 1
        counts["stale"] += stale
        self._last_keys[partition] = key
        if self._recorder is not None:
            self._recorder(index, source, stale)

    def wrote(self, partition: int, outcome: SetOutcome, evicted: int) -> None:
        """The event set its session's route."""
        counts = self._counts.setdefault(partition, Counter())
        counts[_BY_OUTCOME[outcome]] += 1
        counts["evicted"] += evicted

    def was_not_answered(self) -> None:
        """A call that no partition answered."""
        self._unanswered += 1

    def tally(self) -> Tally:
        """What has been counted so far."""
        return Tally(
            self._events,
            len(self._sessions),
            self._unanswered,
            self._first_at,
            self._last_at,
            tuple(
                PartitionTally(partition, **counts, last_key=self._last_keys.get(partition, ""))
                for partition, counts in sorted(self._counts.items())
            ),
        )
