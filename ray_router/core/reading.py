"""``Reading``: the keys that one partition held when a snapshot began, slot by slot, a few at a time.

The keys are listed once (a million take some 20 ms); whatever else takes long is cut into steps. What is
known of a key is looked up when its turn comes, so a page may tell what was learnt meanwhile: states only
grow, and what is read is merged into what stands where it is restored, in any order and however often.
Whoever reads says where to go on, so a page that was lost on its way is asked for again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ray_router.core.slots import SlotOf


class Place(NamedTuple):
    """Where a reading goes on: so many keys into a slot."""

    slot: int = 0
    offset: int = 0


class Reading:
    """The keys of one partition in the order of their slots.

    Args:
        keys: all of them, at this moment.
        slot_of: the slot of a key.
        wanted: those that belong in it; all when left out.
    """

    def __init__(
        self, keys: Iterable[str], slot_of: SlotOf, wanted: Callable[[str], bool] | None = None
    ) -> None:
        self._unsorted = list(keys)
        self._slot_of = slot_of
        self._wanted = wanted
        self._keys: dict[int, list[str]] = {}
        self._slots: list[int] = []

    def sort_some(self, most: int) -> bool:
        """Find the slots of the next ``most`` keys; whether there are more to sort."""
        for key in self._unsorted[-most:]:
            if self._wanted is None or self._wanted(key):
                self._keys.setdefault(self._slot_of(key), []).append(key)
        del self._unsorted[-most:]
        if self._unsorted:
            return True
        self._slots = sorted(self._keys)
        return False

    def keys_from(self, place: Place, most: int) -> tuple[list[str], Place | None]:
        """At most ``most`` keys from a place on, and the place after them; None when none follow.

        Only once all are sorted.
        """
        found: list[str] = []
        first = bisect_left(self._slots, place.slot)
        for slot in self._slots[first : first + most + 1]:
            begin = place.offset if slot == place.slot else 0
            room = most - len(found)
            if not room:
                return found, Place(slot, begin)
            found += self._keys[slot][begin : begin + room]
            if begin + room < len(self._keys[slot]):
                return found, Place(slot, begin + room)
        return found, None
