"""``Outbox``: what one partition owes to one of its peers, until the peer has acknowledged it.

Keys are noted, not states: what is sent is what is known when it is sent, so many changes of a session
leave as one. When the list grows too long it is thrown away and everything is gone through instead, as
it is when the peer was restarted: a *round* over all keys, a few at a time, first of those that the peer
owns, then of those that it keeps for others. When only who keeps what has changed, what was owed is still
owed, and besides it those sessions alone that the peer did not keep before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ray_router.core.parcels import Stage, Term
from ray_router.core.slots import key_hash

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


class Pass:
    """A walk through keys, of which the peer is owed some.

    Args:
        keys: what to walk through; shared with other passes, so nobody may change it.
        owed: whether the peer is owed a key.
    """

    def __init__(self, keys: Sequence[str], owed: Callable[[str], bool]) -> None:
        self._keys = keys
        self._owed = owed
        self._at = 0

    def __len__(self) -> int:
        return len(self._keys) - self._at

    def take(self, most: int, looks: int) -> list[str]:
        """The next keys that are owed: at most so many, after so many looks at most."""
        looked_at = self._keys[self._at : self._at + looks]
        found: list[str] = []
        for key in looked_at:
            if len(found) == most:
                break
            self._at += 1
            if self._owed(key):
                found.append(key)
        return found


class Outbox:
    """What is owed to one peer.

    Args:
        most: keys, and evictions, noted at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._dirty: dict[str, Drop | None] = {}
        self._drops: dict[int, Drop] = {}
        self._passes: list[Pass] = []
        self._owned_after = 0  # passes that are left when all that the peer owns has been sent
        self._stage = Stage.ALL
        self._stage_sent = Stage.ALL
        self._stage_had = Stage.ALL
        self._defaults = False
        self._pending: Draft | None = None
        self.term: Term = (0, 0, 0)
        self.number = 0
        self.round_wanted = False
        self.rounds = 0

    def __len__(self) -> int:
        """Keys and evictions that are owed, and keys that have yet to be looked at."""
        pending = 0 if self._pending is None else len(self._pending.keys) + len(self._pending.drops)
        return pending + len(self._dirty) + len(self._drops) + sum(map(len, self._passes))

    @property
    def walked(self) -> bool:
        """Whether the peer has had all that a round goes by; what changed since may still be owed."""
        return not self._passes and not self.round_wanted and self._stage_had is Stage.ALL

    @property
    def settled(self) -> bool:
        """Whether nothing is owed."""
        return self._pending is None and not self.more

    @property
    def more(self) -> bool:
        """Whether anything is owed that was not sent yet."""
        due = self._dirty or self._drops or self._passes or self._defaults
        return bool(due) or self.round_wanted or self._stage_sent is not self._stage

    def is_long(self, most: int) -> bool:
        """Whether more is left to send than one parcel with so many keys holds."""
        return self.round_wanted or bool(self._passes) or max(len(self._dirty), len(self._drops)) > most

    def note(self, key: str, gone: Drop | None = None) -> None:
        """A session changed that the peer should know; ``gone``, if it was deleted: no round comes by it."""
        if gone is None and self._drops:
            self._drops.pop(key_hash(key), None)  # it is back, and older than what had to go
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
        return pending or self.round_wanted or key in self._dirty or bool(self._passes)

    def begin_round(self, term: Term, owned: Sequence[Pass], kept: Sequence[Pass]) -> None:
        """Go through everything: a new life of the peer began, or too much was noted.

        Args:
            owned: walks by which it is sent all that it owns.
            kept: walks by which it is sent all that it keeps for others.
        """
        if 0 < self.term[0] != term[0]:
            self._drops.clear()  # whatever it held is gone
        else:  # what it holds that is gone here, no round comes by
            for drop in (*self._dirty.values(), *(() if self._pending is None else self._pending.drops)):
                if drop is not None:
                    self.drop(drop)
        self._dirty.clear()
        self._pending = None
        self._passes.clear()
        self.round_wanted = False
        self.rounds += 1
        self._begin(term, owned, kept)

    def go_on(self, term: Term, owned: Sequence[Pass], kept: Sequence[Pass]) -> None:
        """Who keeps what has changed: what was owed still is, and what the peer did not keep before."""
        noted = [*(() if self._pending is None else self._pending.keys), *self._dirty]
        before = self._passes
        self._drops.update({drop.hashed: drop for drop in self._dirty.values() if drop is not None})
        if self._pending is not None:
            for drop in self._pending.drops:
                self._drops.setdefault(drop.hashed, drop)
        self._dirty.clear()
        self._pending = None
        self._begin(term, [Pass(noted, _any), *reversed(before), *owned], kept)

    def _begin(self, term: Term, owned: Sequence[Pass], kept: Sequence[Pass]) -> None:
        self.term = term
        self._passes = [each for each in (*reversed(kept), *reversed(owned)) if len(each)]
        self._owned_after = sum(1 for each in kept if len(each))
        self._stage = self._stage_sent = self._stage_had = Stage.BEGUN
        self._defaults = True
        self._advance()

    def draft(self, most: int) -> Draft | None:
        """What to send next: what is pending, or else what is owed; None when nothing is.

        Args:
            most: keys in it at most.
        """
        if self._pending is not None or not self.more:
            return self._pending
        keys = [self._dirty.popitem()[0] for _ in range(min(most, len(self._dirty)))]
        keys += self._from_round(most - len(keys))
        drops = tuple([self._drops.popitem()[1] for _ in range(min(most, len(self._drops)))])
        defaults, self._defaults = self._defaults, False
        self._stage_sent = self._stage
        self.number += 1
        self._pending = Draft(tuple(dict.fromkeys(keys)), drops, defaults, self._stage)
        return self._pending

    def acknowledged(self, number: int) -> Draft | None:
        """The peer has taken this; what that was, if it was not known yet."""
        if number != self.number or self._pending is None:
            return None
        draft, self._pending = self._pending, None
        self._stage_had = draft.stage
        return draft

    def _from_round(self, most: int) -> list[str]:
        keys: list[str] = []
        looks = _LOOKED_AT_FOR_ONE * most
        while self._passes and len(keys) < most and looks > 0:
            walk, before = self._passes[-1], len(self._passes[-1])
            keys += walk.take(most - len(keys), looks)
            looks -= before - len(walk)
            if not len(walk):
                self._passes.pop()
        self._advance()
        return keys

    def _advance(self) -> None:
        if not self._passes:
            self._stage = Stage.ALL
        elif len(self._passes) <= self._owned_after:
            self._stage = Stage.ITS_OWN

    def _want_round(self) -> None:
        self.round_wanted = True
        for gone in self._dirty.values():
            if gone is not None:
                self.drop(gone)
        self._dirty.clear()
        self._passes.clear()


def _any(_: str) -> bool:
    return True
