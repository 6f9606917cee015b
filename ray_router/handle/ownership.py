"""``Ownership``: which partitions a key concerns."""

from __future__ import annotations

from typing import NamedTuple

from ray_router.core.keytext import scope_of
from ray_router.core.slots import SlotOf, Topology
from ray_router.model import Scope


class Ownership(NamedTuple):
    """Which partitions a key concerns, by a topology and a hash strategy."""

    topology: Topology
    slot_of: SlotOf

    def owner(self, key: str) -> int:
        """The partition that answers for a key."""
        return self.topology.owners[self.slot_of(key)]

    def keepers(self, key: str) -> tuple[int, ...]:
        """The partitions that keep a key, its owner first: every one of them keeps the defaults."""
        owner = self.owner(key)
        if scope_of(key) < Scope.INSTANCE:
            return (owner,)
        return (owner, *(each for each in self.topology.partitions if each != owner))
