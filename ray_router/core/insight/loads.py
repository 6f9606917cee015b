"""``Loads``: which slots and rooms of a partition are asked and written most, from the sampled keys."""

from __future__ import annotations

from ray_router.core.insight.hottest import Hottest
from ray_router.core.slots import SlotOf
from ray_router.model import HotRoom, Load
from ray_router.model.key import ABSENT

ROOMS_SHOWN = 10
_FADES_AT = 1 << 18  # samples, after which all that was counted counts half


class Loads:
    """Uses by slot, exact but for the sampling (there are few slots), and by room, in a bounded sketch."""

    def __init__(self, slot_of: SlotOf) -> None:
        self._slot_of = slot_of
        self._rooms = Hottest(fades_at=_FADES_AT)
        self._slots: dict[int, float] = {}
        self._samples = 0
        self._uses = self._uses_of_rooms = 0.0

    def add(self, key: str, weight: float) -> int | None:
        """A session was used, and stands for so many uses; its slot, where it has one."""
        try:
            slot = self._slot_of(key)
        except (
            Exception
        ):  # a hash strategy is foreign code; the handle, which asked it first, says what it did
            return None
        self._uses += weight
        channel, instance, room = key.split(":", 3)[:3]
        if room != ABSENT:  # a default is no room, and every partition holds it
            self._uses_of_rooms += weight
            self._rooms.add(f"{channel}:{instance}:{room}", weight)
        self._slots[slot] = self._slots.get(slot, 0.0) + weight
        self._samples += 1
        if self._samples >= _FADES_AT:
            self._samples //= 2
            self._slots = {slot: load / 2 for slot, load in self._slots.items()}
        return slot

    def load(self) -> Load:
        """The load, the hottest first: shares as they are of late, of all uses since the beginning."""
        slots = sorted(self._slots.items(), key=lambda each: (-each[1], each[0]))
        of_rooms = self._uses_of_rooms / self._rooms.total if self._rooms.total else 0.0
        of_slots = self._uses / sum(self._slots.values()) if self._slots else 0.0
        rooms = tuple(
            HotRoom(name, self._slot_of(name), weight * of_rooms, over * of_rooms)
            for name, weight, over in self._rooms.top(ROOMS_SHOWN)
        )
        return Load(self._uses, rooms, tuple((slot, load * of_slots) for slot, load in slots))
