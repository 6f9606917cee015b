"""``Course``: whom to ask about one share of a submission, until enough have answered. Pure.

A read goes to the owner, and when that fails or is late to the standby. A write needs one keeper, or two:
then owner and standby are sent it at once, and neither waits for the other. When one of them misses it,
others take its place, and all who have it are told that the write is *astray*, and pass it on: one alone
might die before it has. Since everything is idempotent, asking one more than necessary does no harm. When
nobody else is left, owner and standby are asked once more and waited for: whoever answers first will do.

Two acknowledgements are two copies only if both still live: every answer tells the incarnations that its
sender knows of, and one that was given by a former life does not count and is asked for again. So is a keeper
that failed and has begun another life since: it may answer others already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf
from typing import NamedTuple


class Leg(NamedTuple):
    """One thing to ask.

    Args:
        copy: the partition is asked in another's place, or for its copy.
        astray: the write may be missing elsewhere.
        patient: wait until the caller's deadline, not only as long as one usually does.
    """

    partition: int
    copy: bool
    astray: bool = False
    patient: bool = False


class Course:
    """One share's way through the partitions that may take it.

    Args:
        order: its owner, its standby, and who may take the place of one of them.
        copies: how many must have it; 1 for a read.
        writes: whether it changes anything.
    """

    def __init__(self, order: tuple[int, ...], *, copies: int = 1, writes: bool = False) -> None:
        self._order = order
        self._copies = min(copies, len(order))
        self._writes = writes
        self._next = self._copies
        self._outstanding: dict[int, Leg] = {}
        self._acknowledged: dict[int, int] = {}
        self._down: frozenset[int] = frozenset()
        self._lives: dict[int, int] = {}
        self._failed: dict[int, int] = {}  # the last life that was known of by then
        self._told: set[int] = set()  # who has it, and knows that somebody else may not
        self._missed = False
        self._last = len(order) == 1
        self.over = False

    @property
    def acknowledged(self) -> tuple[int, ...]:
        """Who has it, and lives as far as is known, in order."""
        return tuple(self._acknowledged)

    def begin(self, down: Collection[int] = ()) -> list[Leg]:
        """The first legs, past those partitions that are known not to answer."""
        asked = [index for index in self._order[: self._copies] if index not in down]
        self._missed = len(asked) < self._copies
        if self._last or not self._missed:
            return [self._leg(index, patient=self._last) for index in self._order[: self._copies]]
        self._down = frozenset(down)
        return [self._leg(index, astray=self._writes) for index in asked] + self._further()

    def answered(self, partition: int, incarnation: int, lives: Mapping[int, int]) -> list[Leg]:
        """A partition has it; what to ask now.

        Args:
            incarnation: of the life that answered.
            lives: the incarnations that it knows of, of those who were born more than once.
        """
        leg = self._outstanding.pop(partition, None)
        if leg is None or self.over:
            return []
        self._acknowledged[partition] = incarnation
        if leg.astray:
            self._told.add(partition)
        for index, known in (*lives.items(), (partition, incarnation)):
            self._lives[index] = max(known, self._lives.get(index, 0))
        former = [index for index, life in self._acknowledged.items() if life < self._lives.get(index, 0)]
        legs = []
        for index in former:
            del self._acknowledged[index]
            legs.append(self._leg(index, astray=True))
        return legs + self._further()

    def failed(self, partition: int) -> list[Leg]:
        """A partition did not answer, or not in time; what to ask now."""
        if self._outstanding.pop(partition, None) is None or self.over:
            return []
        self._missed = True
        self._failed[partition] = self._lives.get(partition, 0)
        self._acknowledged.pop(partition, None)  # it has had it, but may not live any more
        return self._further()

    def _further(self) -> list[Leg]:
        if self._last:
            self.over = bool(self._acknowledged) or not self._outstanding
            return []
        enough = len(self._acknowledged) >= self._copies
        if not enough and self._next < len(self._order) and (self._writes or self._next < 2):
            missing = self._copies - len(self._acknowledged) - len(self._outstanding)
            legs = []
            while missing > 0 and self._next < len(self._order):
                index = self._order[self._next]
                self._next += 1
                if index not in self._down:
                    legs.append(self._leg(index, astray=self._writes))
                    missing -= 1
            if legs or self._outstanding:
                return legs
        if self._outstanding and not enough:
            return []
        if self._acknowledged:
            return self._finish()
        self._last = True
        return [self._leg(index, astray=self._writes, patient=True) for index in self._order[:2]]

    def _finish(self) -> list[Leg]:
        """Enough have it, or all who could; see to it that the others will, whoever of these dies next."""
        reborn = [] if len(self._acknowledged) >= self._copies else self._reborn()
        if reborn:
            return [self._leg(index, astray=True) for index in reborn]
        untold = [index for index in self._acknowledged if index not in self._told]
        if self._writes and self._missed and untold and not self._outstanding:
            self._told.update(untold)
            return [self._leg(index, astray=True) for index in untold]
        self.over = True
        return []

    def _reborn(self) -> list[int]:
        """Keepers that failed, and live another life by now."""
        keepers = [index for index in self._order[:2] if index not in self._acknowledged]
        return [each for each in keepers if self._lives.get(each, 0) > self._failed.get(each, inf)]

    def _leg(self, partition: int, *, astray: bool = False, patient: bool = False) -> Leg:
        leg = Leg(partition, partition != self._order[0], astray, patient)
        self._outstanding[partition] = leg
        return leg
