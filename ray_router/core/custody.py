"""``Custody``: who keeps which slot, as one partition sees it, and how much of that it holds itself.

Every slot has keepers: the first in service of its order, one or two, and its heir where it has one. When
who keeps what changes, by decree or because somebody went out of service, this says what has changed for
whom, so that only that is sent.

A slot that this partition came to own, or to keep for another, is *awaited* until those who kept it before
have sent the last of it: the former owner does so when it hears of the change, and what it lost in dying the
other keeper has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from ray_router.core.slots import SlotOf, Topology


class Keeping(NamedTuple):
    """Who keeps a slot; slots that are kept alike share one.

    Args:
        owner: its partition, in service or not.
        regular: the first in service of its order; the first of them acts as the owner.
        heir: who is to own it next, where that is another.
    """

    owner: int
    regular: tuple[int, ...]
    heir: int | None

    def sends(self, sender: int, receiver: int) -> bool:
        """Whether one is to see to it that the other has the slot: to the heir, only who acts as owner."""
        return receiver in self.regular or (receiver == self.heir and self.regular[:1] == (sender,))

    def __contains__(self, partition: object) -> bool:
        return partition in self.regular or partition == self.heir

    @property
    def everybody(self) -> tuple[int, ...]:
        """All keepers, the heir included."""
        if self.heir is None or self.heir in self.regular:
            return self.regular
        return (*self.regular, self.heir)


class Gains(NamedTuple):
    """Slots that are new to a partition: those that it owns now, and those that it keeps for others."""

    owned: frozenset[int]
    kept: frozenset[int]


class _Wait(NamedTuple):
    """Slots, and who kept them before, the former owner first, in which of its lives.

    Args:
        owned: they are this partition's own by now.
    """

    slots: frozenset[int]
    former: tuple[int, ...]
    incarnation: int
    since: float
    owned: bool


class Custody:
    """Who keeps what, from one partition's point of view.

    Args:
        index: the partition.
        topology: who owns what, with standbys.
        slot_of: the slot of a key.
        copies: how many keepers a slot has.
    """

    def __init__(self, index: int, topology: Topology, slot_of: SlotOf, copies: int) -> None:
        self._index = index
        self.slot_of = slot_of
        self._copies = copies
        self._waits: list[_Wait] = []
        self._whole: frozenset[tuple[int, ...]] = frozenset()  # kept whole here since before the last change
        self.topology = topology
        self._by_slot = _keepings(topology, frozenset(), copies)
        self.alike = frozenset(self._by_slot)
        """The different ways in which slots are kept."""

    def of(self, key: str) -> Keeping:
        """Who keeps a session."""
        return self._by_slot[self.slot_of(key)]

    def owns(self, key: str) -> bool:
        """Whether this partition owns a session."""
        return self.topology.owners[self.slot_of(key)] == self._index

    @property
    def has_heirs(self) -> bool:
        """Whether slots that this partition acts for are to be another's."""
        return any(each.heir is not None and self._index in each.regular[:1] for each in self.alike)

    def change(
        self,
        topology: Topology,
        out: Collection[int],
        told_all: Callable[[int], bool],
        incarnation_of: Callable[[int], int] | None,
        now: float,
    ) -> dict[int, Gains]:
        """Others keep what from now on.

        Args:
            out: who is out of service.
            told_all: whether a partition has sent this one all that both keep, as it was until now.
            incarnation_of: a partition's life, as far as it is known; None when this one awaits all that it
                owns anyway.

        Returns:
            What each partition should have from this one that it was not owed before.
        """
        before, after = self._by_slot, _keepings(topology, frozenset(out), self._copies)
        changed: dict[tuple[Keeping, Keeping], list[int]] = {}
        for slot, pair in enumerate(zip(before, after, strict=True)):
            changed.setdefault(pair, []).append(slot)
        self._whole = _whole_after(changed, lambda each: self.is_whole(each.regular, told_all))
        if incarnation_of is not None:
            self._await(changed, incarnation_of, now)
        self.topology, self._by_slot, self.alike = topology, after, frozenset(after)
        return self._gains(changed)

    def is_whole(self, regular: tuple[int, ...], told_all: Callable[[int], bool]) -> bool:
        """Whether this partition holds all of the slots that these keep, itself among them."""
        if self._index not in regular:
            return False
        others = [each for each in regular if each != self._index]
        return regular in self._whole or (bool(others) and all(map(told_all, others)))

    # What was another's until a moment ago

    @property
    def awaits(self) -> bool:
        """Whether there are slots that came to this partition, and not all of them has come."""
        return bool(self._waits)

    def is_here(self, key: str) -> bool:
        """Whether a session that this partition keeps is not awaited."""
        slot = self.slot_of(key)
        return not any(slot in wait.slots for wait in self._waits)

    def receive(
        self,
        told_owned: Callable[[int], bool],
        told_all: Callable[[int], bool],
        lost: Callable[[int, int, float], bool],
    ) -> None:
        """Wait no longer for what has come, or will not come any more.

        Args:
            told_owned: whether a partition has sent all that this one owns; ``told_all``: and all that this
                one keeps for others.
            lost: whether a partition, which lived a given life at a given time, does not live it any more.
        """

        def over(wait: _Wait) -> bool:
            told = told_owned if wait.owned else told_all
            first, *others = wait.former
            if not lost(first, wait.incarnation, wait.since):
                return told(first)
            return all(told(each) or lost(each, 0, wait.since) for each in others)

        self._waits = [wait for wait in self._waits if not over(wait)]

    def _await(
        self,
        changed: dict[tuple[Keeping, Keeping], list[int]],
        incarnation_of: Callable[[int], int],
        now: float,
    ) -> None:
        owned: set[int] = set()
        kept: set[int] = set()
        for (before, after), slots in changed.items():
            if after.owner == self._index:
                owned.update(slots)
            elif self._index in after.regular:
                kept.update(slots)
            came_to_own = after.owner == self._index != before.owner
            came_to_keep = self._index in after.regular and before.owner not in (after.owner, self._index)
            former = tuple(each for each in before.regular if each != self._index)
            if former and (came_to_own or came_to_keep):
                life = incarnation_of(former[0])
                self._waits.append(_Wait(frozenset(slots), former, life, now, owned=came_to_own))
        waits = [wait._replace(slots=wait.slots & (owned if wait.owned else kept)) for wait in self._waits]
        self._waits = [wait for wait in waits if wait.slots]

    def _gains(self, changed: dict[tuple[Keeping, Keeping], list[int]]) -> dict[int, Gains]:
        gained: dict[int, tuple[set[int], set[int]]] = {}
        for (before, after), slots in changed.items():
            for receiver in after.everybody:
                if receiver == self._index or not after.sends(self._index, receiver):
                    continue
                if before.sends(self._index, receiver):
                    continue
                owned, kept = gained.setdefault(receiver, (set(), set()))
                (owned if after.owner == receiver else kept).update(slots)
        return {each: Gains(frozenset(owned), frozenset(kept)) for each, (owned, kept) in gained.items()}


def _keepings(topology: Topology, out: frozenset[int], copies: int) -> list[Keeping]:
    known: dict[tuple[tuple[int, ...], int | None], Keeping] = {}
    found = []
    heirs: Iterable[int] = topology.owners if topology.heirs is None else topology.heirs
    for order, heir in zip(topology.orders, heirs, strict=True):
        keeping = known.get((order, heir))
        if keeping is None:
            regular = tuple([each for each in order if each not in out][:copies])
            keeping = Keeping(order[0], regular, None if heir == order[0] else heir)
            known[order, heir] = keeping
        found.append(keeping)
    return found


def _whole_after(
    changed: Iterable[tuple[Keeping, Keeping]], was_whole: Callable[[Keeping], bool]
) -> frozenset[tuple[int, ...]]:
    """Keepers of whose slots all were whole, however they were kept before."""
    whole: dict[tuple[int, ...], bool] = {}
    for before, after in changed:
        whole[after.regular] = whole.get(after.regular, True) and was_whole(before)
    return frozenset(regular for regular, each in whole.items() if each)
