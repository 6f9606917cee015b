"""The wire format of what partitions tell each other: one parcel as bytes, a MessagePack array, version 1.

::

    parcel    [version, sender, incarnation, [incarnation, arrangement], {partition: life}, acknowledged,
               contents | nil, as_of | nil, vouches | nil]
    life      [incarnation, service, moves, node]
    contents  [number, [[key, state], ...], [[hash, stamp], ...], [[key, state], ...], stage]
    state     [[[origin, observed_at, ttl_s, route], ...], [[at, route], ...], [[at, route], ...],
               [[at, route, retry_after_s], ...], deleted_at]

Reading executes nothing and is bounded by the size of its input.
"""

from __future__ import annotations

import msgpack

from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, Parcel, Stage
from ray_router.errors import InvalidCallError

VERSION = 1


def pack_parcel(parcel: Parcel) -> bytes:
    """A parcel as bytes."""
    return bytes(msgpack.packb((VERSION, *parcel)))


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
        sender, incarnation, to, lives, acknowledged, contents, as_of, vouches = fields
        return Parcel(
            sender,
            incarnation,
            to,
            {index: Life(*life) for index, life in lives.items()},
            acknowledged,
            None if contents is None else _contents(*contents),
            as_of,
            vouches,
        )
    except InvalidCallError:
        raise
    except Exception as error:  # the library raises a dozen kinds, and what is unpacked may be anything
        raise InvalidCallError("parcel", f"does not have its form: {type(error).__name__}") from None


def _contents(number: int, states: object, drops: object, defaults: object, stage: int) -> Contents:
    return Contents(number, states, drops, defaults, Stage(stage))  # type: ignore[arg-type]  # read as they are merged
