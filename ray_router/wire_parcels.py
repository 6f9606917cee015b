"""The wire format of what partitions tell each other: one parcel as bytes, a MessagePack array, version 2.

::

    parcel    [version, sender, incarnation, [incarnation, mark, changes], {partition: life}, acknowledged,
               contents | nil, as_of | nil, vouches | nil, since, mark, decree | nil]
    decree    [since, owners, heirs | nil], both the DEFLATEd (zlib) little-endian 16-bit numbers of all slots
    life      [incarnation, service, moves, node]
    contents  [number, [[key, state], ...], [[hash, stamp], ...], [[key, state], ...], stage]
    state     [[[origin, observed_at, ttl_s, route], ...], [[at, route], ...], [[at, route], ...],
               [[at, route, retry_after_s], ...], deleted_at]

Reading executes nothing and is bounded by the size of its input, and of a topology.
"""

from __future__ import annotations

import sys
import zlib
from array import array

import msgpack

from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, Parcel, Stage
from ray_router.core.slots import SLOTS, Topology
from ray_router.errors import InvalidCallError

VERSION = 2
_SLOTS_BYTES = 2 * SLOTS


def pack_parcel(parcel: Parcel) -> bytes:
    """A parcel as bytes."""
    decree = parcel.decree
    if decree is None:
        return bytes(msgpack.packb((VERSION, *parcel)))
    packed = (decree.since, _pack_slots(decree.owners), decree.heirs and _pack_slots(decree.heirs))
    return bytes(msgpack.packb((VERSION, *parcel[:-1], packed)))


def unpack_parcel(data: object) -> Parcel:
    """The parcel that these bytes are.

    Raises:
        InvalidCallError: they are none, or of a version that is not read here.
    """
    if not isinstance(data, bytes):
        raise InvalidCallError("parcel", f"must be bytes, not {type(data).__name__}")
    try:
        version, *fields = msgpack.unpackb(data, use_list=False, strict_map_key=False)
        if version != VERSION:
            raise InvalidCallError("parcel", f"is of wire version {version!r}; this side reads {VERSION}")
        sender, incarnation, to, lives, acknowledged, contents, as_of, vouches, since, mark, decree = fields
        return Parcel(
            sender,
            incarnation,
            to,
            {index: Life(*life) for index, life in lives.items()},
            acknowledged,
            None if contents is None else _contents(*contents),
            as_of,
            vouches,
            since,
            mark,
            None if decree is None else _decree(*decree),
        )
    except InvalidCallError:
        raise
    except Exception as error:  # the library raises a dozen kinds, and what is unpacked may be anything
        raise InvalidCallError("parcel", f"does not have its form: {type(error).__name__}") from None


def _contents(number: int, states: object, drops: object, defaults: object, stage: int) -> Contents:
    return Contents(number, states, drops, defaults, Stage(stage))  # type: ignore[arg-type]  # read as they are merged


def _decree(since: int, owners: bytes, heirs: bytes | None) -> Topology:
    return Topology(since, _slots(owners), None, None if heirs is None else _slots(heirs), since)


def _pack_slots(slots: array[int]) -> bytes:
    return zlib.compress(_little_endian(slots).tobytes())


def _slots(data: bytes) -> array[int]:
    inflated = zlib.decompressobj().decompress(data, _SLOTS_BYTES + 1)
    if len(inflated) != _SLOTS_BYTES:
        raise ValueError("another number of slots")
    return _little_endian(array("H", inflated))


def _little_endian(slots: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return slots
    turned = array("H", slots)
    turned.byteswap()
    return turned
