"""``Outbox``: what one partition owes to one of its peers, until the peer has acknowledged it.

Keys are noted, not states: what is sent is what is known when it is sent, so many changes of a session
leave as one. When the list grows too long it is thrown away and everything is gone through instead, as
it is when the peer was restarted: a *round* over all keys, a few at a time, first of those that the peer
may own, then of those that it keeps for this partition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ray_router.core.parcels import Stage, Term

_LOOKED_AT_FOR_ONE = 4  # keys of a round that are looked at for each one that a parcel may hold


class Drop(NamedTuple):
    """A session left. ``key``: None where only its hash was left; ``stamp``: of the newest known of it."""

    hashed: int
    key: str | None
    stamp: float


class Draft(NamedTuple):
    """What the next parcel is to hold."""

    keys: tuple[str, ...]
    drops: tuple[Drop, ...]
    defaults: bool
    stage: Stage


class Outbox:
    """What is owed to one peer.

    Args:
        most: keys, and evictions, noted at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._dirty: dict[str, Drop | None] = {}
        self._drops: dict[int, Drop] = {}
        self._passes: list[dict[str, None]] = []
        self._stage = Stage.ALL
        self._stage_sent = Stage.ALL
        self._defaults = False
        self._pending: Draft | None = None
        self.term: Term = (0, 0)
        self.number = 0
        self.round_wanted = False
        self.rounds = 0

    def __len__(self) -> int:
        """Keys and evictions that are owed, as far as they are known one by one."""
        pending = 0 if self._pending is None else len(self._pending.keys) + len(self._pending.drops)
        return pending + len(self._dirty) + len(self._drops) + sum(map(len, self._passes))

    @property
    def settled(self) -> bool:
        """Whether nothing is owed."""
        return self._pending is None and not self.more

    @property
    def more(self) -> bool:
        """Whether anything is owed that was not sent yet."""
        due = self._dirty or self._drops or self._passes or self._defaults
        return bool(due) or self.round_wanted or self._stage_sent is not self._stage

    def note(self, key: str, gone: Drop | None = None) -> None:
        """A session changed that the peer should know; ``gone``, if it was deleted: no round comes by it."""
        if not self.round_wanted and len(self._dirty) >= self._most:
            self._want_round()
        if not self.round_wanted:
            self._dirty[key] = gone
        elif gone is not None:
            self.drop(gone)

    def drop(self, drop: Drop) -> None:
        """A session left; whoever knows nothing newer of it should let go of it."""
        earlier = self._drops.pop(drop.hashed, drop)
        if len(self._drops) >= self._most:
            self._drops.pop(next(iter(self._drops)))  # the standby lets go of it in time
        self._drops[drop.hashed] = drop if drop.stamp >= earlier.stamp else earlier

    def note_defaults(self) -> None:
        """The defaults of instances and channels changed."""
        self._defaults = True

    def owes(self, key: str) -> bool:
        """Whether a session may still have to be sent."""
        pending = self._pending is not None and key in self._pending.keys
        return pending or self.round_wanted or key in self._dirty or any(key in each for each in self._passes)

    def begin_round(self, term: Term, may_own: Iterable[str], keeps: Iterable[str]) -> None:
        """Go through everything: the peer began a new term, or too much was noted."""
        if term != self.term:
            self._drops.clear()  # whatever it held is gone
        self.term = term
        self._dirty.clear()
        self._pending = None
        self._passes = [dict.fromkeys(keeps), dict.fromkeys(may_own)]
        self._stage, self._stage_sent = Stage.BEGUN, Stage.BEGUN
        self._defaults = True
        self.round_wanted = False
        self.rounds += 1

    def draft(self, most: int, owed: Callable[[str], bool]) -> Draft | None:
        """What to send next: what is pending, or else what is owed; None when nothing is.

        Args:
            most: keys in it at most.
            owed: whether the peer keeps a key.
        """
        if self._pending is not None or not self.more:
            return self._pending
        keys = [self._dirty.popitem()[0] for _ in range(min(most, len(self._dirty)))]
        keys += self._from_round(most - len(keys), owed)
        drops = tuple([self._drops.popitem()[1] for _ in range(min(most, len(self._drops)))])
        defaults, self._defaults = self._defaults, False
        self._stage_sent = self._stage
        self.number += 1
        self._pending = Draft(tuple(dict.fromkeys(keys)), drops, defaults, self._stage)
        return self._pending

    def acknowledged(self, number: int) -> Draft | None:
        """The peer has taken this; what that was, if it was not known yet."""
        if number != self.number:
            return None
        draft, self._pending = self._pending, None
        return draft

    def _from_round(self, most: int, owed: Callable[[str], bool]) -> list[str]:
        keys: list[str] = []
        looks = _LOOKED_AT_FOR_ONE * most
        while self._passes and len(keys) < most and looks > 0:
            rest = self._passes[-1]
            while rest and len(keys) < most and looks > 0:
                key = rest.popitem()[0]
                looks -= 1
                if owed(key):
                    keys.append(key)
            if not rest:
                self._passes.pop()
        if not self._passes:
            self._stage = Stage.ALL
        elif len(self._passes) == 1:
            self._stage = Stage.ITS_OWN
        return keys

    def _want_round(self) -> None:
        self.round_wanted = True
        for gone in self._dirty.values():
            if gone is not None:
                self.drop(gone)
        self._dirty.clear()
        self._passes.clear()
