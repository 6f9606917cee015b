"""The wire format of what partitions tell each other: one parcel as bytes, a MessagePack array, version 3.

::

    parcel    [version, sender, incarnation, [incarnation, mark, changes], {partition: life}, acknowledged,
               contents | nil, as_of | nil, vouches | nil, since, mark, decree | nil]
    decree    [since, owners, heirs | nil], both the DEFLATEd (zlib) little-endian 16-bit numbers of all slots
    life      [incarnation, service, moves, node]
    contents  [number, [[key, record | state], ...], [[hash, stamp], ...], [[key, state], ...], stage]
    record    of a plain session, as in ``core.record``
    state     [[[origin, observed_at, ttl_s, route], ...], [[at, route], ...], [[at, route], ...],
               [[at, route, retry_after_s], ...], deleted_at]

Reading executes nothing and is bounded by the size of its input, and of a topology. What is read has its form
to the last field, so that whoever merges it never stops in the middle; whether it is true, nobody can see.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from math import isnan

import msgpack

from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, PackedState, Parcel, Stage
from ray_router.core.record import FIELD
from ray_router.core.slots import SLOTS, Topology
from ray_router.errors import InvalidCallError

VERSION = 3
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
        to_incarnation, to_mark, to_changes = to
        _counts(sender, incarnation, to_incarnation, to_mark, to_changes, acknowledged, since, mark)
        _times(*[each for each in (as_of, vouches) if each is not None])
        return Parcel(
            sender,
            incarnation,
            to,
            {index: _life(index, *life) for index, life in lives.items()},
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


def _life(index: int, incarnation: int, service: int, moves: int, node: str) -> Life:
    _counts(index, incarnation, service, moves)
    _texts(node)
    return Life(incarnation, service, moves, node)


def _contents(number: int, states: object, drops: object, defaults: object, stage: int) -> Contents:
    _counts(number)
    sent = Contents(number, states, drops, defaults, Stage(stage))  # type: ignore[arg-type]  # checked below
    for key, state in sent.states:
        _texts(key)
        if type(state) is str:
            _check_record(state)
        else:
            _check_state(*state)
    for key, state in sent.defaults:
        _texts(key)
        _check_state(*state)
    for hashed, stamp in sent.drops:
        _counts(hashed)
        _times(stamp)
    return sent


def _check_state(
    observations: PackedState,
    failed: PackedState,
    confirmed: PackedState,
    deferred: PackedState,
    deleted_at: float,
) -> None:
    _times(deleted_at)
    for origin, observed_at, ttl_s, route in observations:
        _counts(origin)
        _times(observed_at, ttl_s)
        _texts(route)
    for at, route in (*failed, *confirmed):
        _times(at)
        _texts(route)
    for at, route, retry_after_s in deferred:
        _times(at, retry_after_s)
        _texts(route)


def _check_record(text: str) -> None:
    observed_at, ttl, who, confirmed, _ = text.split(FIELD, 4)
    times = float(observed_at), float(ttl or 0), float(confirmed or 0)
    if any(map(isnan, times)) or int(who or 0) < 0:
        raise ValueError("no record")


def _counts(*values: object) -> None:
    for value in values:
        if type(value) is not int or value < 0:
            raise TypeError("no count")


def _times(*values: object) -> None:
    for value in values:
        if (type(value) is not float and type(value) is not int) or isnan(value):
            raise TypeError("no time")


def _texts(value: object) -> None:
    if type(value) is not str:
        raise TypeError("no text")


def _decree(since: int, owners: bytes, heirs: bytes | None) -> Topology:
    _counts(since)
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
