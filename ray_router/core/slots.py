"""Slots: 16,384 hash buckets that keys belong to for ever, and the map from slots to partitions.

The hash is XXH3-64 (Collet, xxHash 0.8; stable across releases and machines) of the UTF-8 bytes of a
key's text form without its thread, seeded with ``SLOT_SEED``; the slot is its value modulo
``SLOTS``. A room and all its threads therefore share a slot. Golden vectors pin it in the tests.
"""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice

from xxhash import xxh3_64_intdigest

from ray_router.errors import InvalidConfigError
from ray_router.model import SessionKey

SLOTS = 16_384
SLOT_SEED = 0x7261795F726F7574  # "ray_rout"
KEY_SEED = 0x73657373696F6E73  # "sessions"

STANDBYS_OF_ONE = 2  # partitions that share one partition's copies
_SUBSTITUTES = 2  # that may take the place of an owner or a standby; two copies need no more

SlotOf = Callable[[str], int]
"""A key's canonical text -> its slot."""

ShardKey = Callable[[str, "str | None", "str | None"], "str | bytes | int"]
"""A custom strategy: (channel, instance, room) -> what to hash, or an int taken modulo ``SLOTS``."""


def key_hash(text: str) -> int:
    """The 64-bit hash by which a key is remembered once its routes are gone."""
    return xxh3_64_intdigest(text.encode(), KEY_SEED)


def _hash_slot(data: bytes) -> int:
    return xxh3_64_intdigest(data, SLOT_SEED) % SLOTS


def _room_slot(text: str) -> int:
    if text.count(":") > 2:
        text = text.rpartition(":")[0]
    return _hash_slot(text.encode())


def _instance_slot(text: str) -> int:
    return _hash_slot(":".join(text.split(":", 2)[:2]).encode())


def slot_function(strategy: str) -> SlotOf:
    """The slot function of a hash strategy.

    Args:
        strategy: ``"room"`` (the default), ``"instance"`` (an instance's rooms stay together), or
            ``"module:function"``, a pure function of (channel, instance, room) that returns text or
            bytes to hash, or an int. It never sees the thread, so a room's ladder stays on one partition.

    Raises:
        InvalidConfigError: there is no such strategy, or the function cannot be imported.
    """
    if strategy == "room":
        return _room_slot
    if strategy == "instance":
        return _instance_slot
    return _custom_slot(strategy, _import_shard_key(strategy))


def _import_shard_key(strategy: str) -> ShardKey:
    module_name, _, function_name = strategy.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # importing runs foreign code, which may raise anything
        raise InvalidConfigError("hash_strategy", f"{strategy!r} cannot be imported: {error}") from error
    if not callable(function):
        raise InvalidConfigError("hash_strategy", f"{strategy!r} is not callable")
    return function  # type: ignore[no-any-return]  # what it returns is checked at each call


def _custom_slot(strategy: str, shard_key: ShardKey) -> SlotOf:
    def slot(text: str) -> int:
        key = SessionKey.parse(text)
        shard = shard_key(key.channel, key.instance, key.room)
        if isinstance(shard, int):
            return shard % SLOTS
        if isinstance(shard, str):
            return _hash_slot(shard.encode())
        if isinstance(shard, bytes):
            return _hash_slot(shard)
        raise InvalidConfigError(
            "hash_strategy", f"{strategy!r} must return str, bytes or int, not {type(shard).__name__}"
        )

    return slot


@dataclass(frozen=True)
class Topology:
    """Which partition owns each slot during one epoch, and which keeps its copy; immutable.

    Args:
        epoch: 1 at deployment, greater after each change.
        owners: the partition of each slot, ``SLOTS`` unsigned 16-bit numbers.
        standbys: the partition that keeps a copy of each slot, never its owner; None without copies.
        heirs: the partition that is to own each slot next, its owner where it stays; None when none moves.
        since: the epoch in which owners and heirs were decreed; standbys may have changed since.
    """

    epoch: int
    owners: array[int]
    standbys: array[int] | None = None
    heirs: array[int] | None = None
    since: int = 1

    def __post_init__(self) -> None:
        for slots in (self.owners, self.standbys, self.heirs):
            if slots is not None and len(slots) != SLOTS:
                raise ValueError(f"a topology owns {SLOTS} slots, not {len(slots)}")

    def __reduce__(self) -> tuple[type[Topology], tuple[object, ...]]:
        # Without what was worked out from them.
        return Topology, (self.epoch, self.owners, self.standbys, self.heirs, self.since)

    @classmethod
    def balanced(cls, partitions: int, *, epoch: int = 1) -> Topology:
        """Slots dealt out in turn: the partitions' shares differ by at most one."""
        if not 1 <= partitions <= SLOTS:
            raise ValueError(f"partitions must be between 1 and {SLOTS}, not {partitions}")
        return cls(epoch, array("H", (slot % partitions for slot in range(SLOTS))), since=epoch)

    def with_standbys(self, nodes: Mapping[int, str] | None = None, *, epoch: int | None = None) -> Topology:
        """The same owners with a standby for each slot, on another node where there is one.

        A partition's slots are dealt to ``STANDBYS_OF_ONE`` others, those that have the fewest to care for so
        far: when it is down its load is shared, and each of them still gets its writes in large batches. When
        a slot changes hands, hardly any other has another standby.

        Args:
            nodes: the node of each partition, as far as they are known.
            epoch: of the new topology; this one's when left out.
        """
        epoch = self.epoch if epoch is None else epoch
        if len(self.partitions) == 1:
            return replace(self, epoch=epoch, standbys=None)
        standbys = array("H", self.owners)
        kept = dict.fromkeys(self.partitions, 0)
        slots = _slots_of(self.owners)
        for owner in self.partitions:
            chosen = _apart_from(owner, self.partitions, nodes or {}, kept)
            for standby, share in zip(chosen, _dealt(slots[owner], len(chosen)), strict=True):
                kept[standby] += 1
                for slot in share:
                    standbys[slot] = standby
        return replace(self, epoch=epoch, standbys=standbys)

    def heading_for(self, heirs: array[int] | None) -> Topology:
        """The decree that these are to own the slots next; None: that nobody is, but who does."""
        since = self.epoch + 1
        return Topology(since, self.owners, None, None if heirs == self.owners else heirs, since)

    def inherited(self) -> Topology:
        """The decree that the heirs own what they were to own."""
        since = self.epoch + 1
        return Topology(since, self.heirs or self.owners, since=since)

    @cached_property
    def members(self) -> tuple[int, ...]:
        """The partitions that own slots, or are to own some, in order."""
        return tuple(sorted({*self.owners, *(self.heirs or ())}))

    @cached_property
    def mark(self) -> int:
        """A number by which a decree is known."""
        return xxh3_64_intdigest(b"".join(self.rank[1:]), SLOT_SEED ^ self.since)

    @cached_property
    def rank(self) -> tuple[int, bytes, bytes]:
        """Decrees are merged by maximum: by their number; should two have the same, any order will do."""
        return self.since, self.owners.tobytes(), (self.heirs or self.owners).tobytes()

    @cached_property
    def partitions(self) -> tuple[int, ...]:
        """The partitions that own slots, in order."""
        return tuple(sorted(set(self.owners)))

    @cached_property
    def shares(self) -> dict[int, int]:
        """How many slots each partition owns."""
        shares = dict.fromkeys(self.partitions, 0)
        for owner in self.owners:
            shares[owner] += 1
        return shares

    @cached_property
    def orders(self) -> list[tuple[int, ...]]:
        """For each slot whom to turn to: its owner, its standby, and who takes the place of one of them.

        Slots with the same owner and standby share one tuple; it has one element without standbys.
        """
        if self.standbys is None:
            alone = {owner: (owner,) for owner in self.partitions}
            return [alone[owner] for owner in self.owners]
        orders: dict[tuple[int, int], tuple[int, ...]] = {}
        found = []
        for pair in zip(self.owners, self.standbys, strict=True):
            order = orders.get(pair)
            if order is None:
                order = orders[pair] = (*pair, *self._substitutes(*pair))
            found.append(order)
        return found

    @cached_property
    def ways(self) -> frozenset[tuple[int, ...]]:
        """The different ones among ``orders``."""
        return frozenset(self.orders)

    @cached_property
    def neighbours(self) -> dict[int, tuple[int, ...]]:
        """For each partition those that keep copies for it, or it for them, heirs included."""
        pairs = {order[:2] for order in self.ways if len(order) > 1}
        pairs |= {pair for pair in zip(self.owners, self.heirs or (), strict=False) if pair[0] != pair[1]}
        pairs |= {(standby, owner) for owner, standby in pairs}
        return {each: tuple(sorted(b for a, b in pairs if a == each)) for each in self.members}

    def _substitutes(self, owner: int, standby: int) -> Iterator[int]:
        ring = _ring_from(owner, self.partitions)
        return islice((each for each in ring if each != standby), _SUBSTITUTES)


def _slots_of(owners: array[int]) -> dict[int, list[int]]:
    slots: dict[int, list[int]] = {}
    for slot, owner in enumerate(owners):
        slots.setdefault(owner, []).append(slot)
    return slots


def _dealt(slots: Sequence[int], hands: int) -> list[list[int]]:
    """Slots in so many shares that differ by at most one, of which one slot more or less changes few.

    Each has a share of its own by chance; those by which a share is too large, in an order by chance as well,
    fill up the others.
    """
    shuffled = _shuffled(SLOTS)
    shares: list[list[int]] = [[] for _ in range(hands)]
    for slot in sorted(slots, key=shuffled.__getitem__):
        shares[shuffled[slot] % hands].append(slot)
    small, larger = divmod(len(slots), hands)
    left_over: list[int] = []
    for number, share in enumerate(shares):
        surplus = max(0, len(share) - small - (number < larger))
        left_over += share[:surplus]
        del share[:surplus]
    for number, share in enumerate(shares):
        missing = small + (number < larger) - len(share)
        share.extend(left_over[:missing])
        del left_over[:missing]
    return shares


@lru_cache(maxsize=1)
def _shuffled(slots: int) -> list[int]:
    """A number by chance for each slot, the same everywhere."""
    return [xxh3_64_intdigest(slot.to_bytes(2, "little"), SLOT_SEED) for slot in range(slots)]


def _ring_from(partition: int, partitions: Sequence[int]) -> list[int]:
    """All other partitions, those after this one first."""
    return [
        *(each for each in partitions if each > partition),
        *(each for each in partitions if each < partition),
    ]


def _apart_from(
    owner: int, partitions: Sequence[int], nodes: Mapping[int, str], kept: Mapping[int, int]
) -> list[int]:
    """Who keeps an owner's copies: partitions of other nodes before those of its own, the least laden."""
    ring = _ring_from(owner, partitions)
    home = nodes.get(owner)
    apart = [each for each in ring if home is None or nodes.get(each) != home]
    return sorted(apart or ring, key=lambda each: kept[each])[:STANDBYS_OF_ONE]
