"""``Ownership``: which partitions a key concerns."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

from ray_router.core.keytext import scope_of
from ray_router.core.slots import SlotOf, Topology
from ray_router.model import Scope

_REMEMBERED = 65_536  # keys; hashing one costs ten times as much as remembering it


class Ownership:
    """Which partitions a key concerns, by a topology and a hash strategy."""

    def __init__(self, topology: Topology, slot_of: SlotOf) -> None:
        self.topology = topology
        self.slot_of = slot_of
        self.owner = lru_cache(maxsize=_REMEMBERED)(self._owner)
        """The partition that answers for a key."""
        self.order = lru_cache(maxsize=_REMEMBERED)(self._order)
        """Whom to turn to for a key: its owner, its standby, and who may take the place of one of them."""

    @cached_property
    def only(self) -> int | None:
        """The partition that owns all slots, if there is one."""
        return self.topology.partitions[0] if len(self.topology.partitions) == 1 else None

    def owners_of(self, keys: Iterable[str]) -> list[int]:
        """The partitions that answer for these keys."""
        owners, slot_of = self.topology.owners, self.slot_of
        return [owners[slot_of(key)] for key in keys]

    def keepers(self, key: str) -> tuple[int, ...]:
        """The partitions that keep a key, its owner first: every one of them keeps the defaults."""
        owner = self.owner(key)
        if scope_of(key) < Scope.INSTANCE:
            return (owner,)
        return (owner, *(each for each in self.topology.partitions if each != owner))

    def _order(self, key: str) -> tuple[int, ...]:
        return self.topology.orders[self.slot_of(key)]

    def _owner(self, key: str) -> int:
        return self.topology.owners[self.slot_of(key)]
