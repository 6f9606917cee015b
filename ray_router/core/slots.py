"""Slots: 16,384 hash buckets that keys belong to for ever, and the map from slots to partitions.

The hash is XXH3-64 (Collet, xxHash 0.8; stable across releases and machines) of the UTF-8 bytes of a
key's text form without its thread, seeded with ``SLOT_SEED``; the slot is its value modulo
``SLOTS``. A room and all its threads therefore share a slot. Golden vectors pin it in the tests.
"""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from xxhash import xxh3_64_intdigest

from ray_router.errors import InvalidConfigError
from ray_router.model import SessionKey

SLOTS = 16_384
SLOT_SEED = 0x7261795F726F7574  # "ray_rout"
KEY_SEED = 0x73657373696F6E73  # "sessions"

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
    """Which partition owns each slot during one epoch; immutable.

    Args:
        epoch: 1 at deployment, greater after each change of ownership.
        owners: the partition of each slot, ``SLOTS`` unsigned 16-bit numbers.
    """

    epoch: int
    owners: array[int]

    def __post_init__(self) -> None:
        if len(self.owners) != SLOTS:
            raise ValueError(f"a topology owns {SLOTS} slots, not {len(self.owners)}")

    @classmethod
    def balanced(cls, partitions: int, *, epoch: int = 1) -> Topology:
        """Slots dealt out in turn: the partitions' shares differ by at most one."""
        if not 1 <= partitions <= SLOTS:
            raise ValueError(f"partitions must be between 1 and {SLOTS}, not {partitions}")
        return cls(epoch, array("H", (slot % partitions for slot in range(SLOTS))))

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
