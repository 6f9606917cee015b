"""The format of a snapshot's chunks, version 1: sessions and defaults as compressed MessagePack.

::

    chunk    zlib (RFC 1950) of a piece
    piece    header, key, state, key, state, ...        one MessagePack value after another
    header   [version]
    key      the key's canonical text
    state    [[[origin, observed_at, ttl_s, route], ...], [[at, route], ...], [[at, route], ...],
              [[at, route, retry_after_s], ...], deleted_at]       as in ``wire_parcels``

A chunk lies in a file, a piece travels to a partition. Golden vectors pin both in the tests. Reading
executes nothing, and is bounded: no more is unpacked than ``MOST_PIECE_BYTES``, whatever a chunk claims
to be, and no array is longer than a state can have. What the fields hold is checked by ``core.archive``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgpack

from ray_router.core.parcels import PackedState
from ray_router.errors import InvalidCallError

VERSION = 1
MOST_PIECE_BYTES = 128 * 1024 * 1024
"""More than the largest session that any config lets in, and a full chunk's bytes."""
MOST_CHUNK_BYTES = MOST_PIECE_BYTES  # of what compresses badly
FULL_BYTES = 1024 * 1024
FULL_SESSIONS = 10_000

_LEVEL = 1  # half of the size for a microsecond a session; the highest saves another tenth for ten
_MOST_IN_ARRAY = 64  # routes of a state: four origins, sixteen of each
_HEADER = bytes(msgpack.packb((VERSION,)))


class ChunkWriter:
    """Puts sessions into one chunk until it is full."""

    def __init__(self) -> None:
        self._pack = msgpack.Packer().pack
        self._zlib = zlib.compressobj(_LEVEL)
        self._parts = [self._zlib.compress(_HEADER)]
        self.size = len(_HEADER)
        self.sessions = 0

    @property
    def full(self) -> bool:
        """Whether the next session belongs into the next chunk."""
        return self.size >= FULL_BYTES or self.sessions >= FULL_SESSIONS

    def add(self, sessions: Iterable[tuple[str, PackedState]]) -> None:
        """Put in some sessions, as they travel."""
        packed = [self._pack(each) for each in chain.from_iterable(sessions)]
        self.sessions += len(packed) // 2
        data = b"".join(packed)
        self.size += len(data)
        self._parts.append(self._zlib.compress(data))

    def finish(self) -> bytes:
        """The chunk."""
        return b"".join((*self._parts, self._zlib.flush()))


def piece_of(chunk: bytes) -> bytes:
    """What is in a chunk.

    Raises:
        InvalidCallError: it is none, or of a version that is not read here, or absurdly large.
    """
    unpacking = zlib.decompressobj()
    try:
        piece = unpacking.decompress(chunk, MOST_PIECE_BYTES + 1)
    except zlib.error:
        raise InvalidCallError("chunk", "is not what zlib has packed") from None
    if len(piece) > MOST_PIECE_BYTES:
        raise InvalidCallError("chunk", f"holds more than {MOST_PIECE_BYTES:,} bytes")
    if not unpacking.eof or unpacking.unused_data:
        raise InvalidCallError("chunk", "does not end where it should")
    return piece


def sessions_in(piece: object) -> Iterator[tuple[object, object]]:
    """The keys and states of a piece, unpacked one by one and not checked.

    Raises:
        InvalidCallError: on the way; it is no piece, or of a version that is not read here.
    """
    unpacker = _unpacker(piece)
    try:
        while unpacker.tell() < len(piece):  # type: ignore[arg-type]  # bytes, by now
            yield unpacker.unpack(), unpacker.unpack()
    except Exception as error:  # the library raises a dozen kinds
        raise _malformed(error) from None


def count_in(piece: object) -> int:
    """How many sessions are in a piece, all of which can be told apart.

    Raises:
        InvalidCallError: it is no piece, or of a version that is not read here.
    """
    return sum(1 for _ in _cuts(piece))


def split(piece: bytes, homes: Callable[[str], Iterable[int]]) -> dict[int, bytes]:
    """A piece for each partition that some of its sessions belong to.

    Args:
        homes: where a key belongs.

    Raises:
        InvalidCallError: it is no piece, or of a version that is not read here.
    """
    parts: dict[int, list[bytes]] = {}
    for key, begin, end in _cuts(piece):
        for home in homes(key):
            parts.setdefault(home, [_HEADER]).append(piece[begin:end])
    return {home: b"".join(some) for home, some in parts.items()}


def _cuts(piece: object) -> Iterator[tuple[str, int, int]]:
    """Each key, and from where to where it lies in a piece together with its state."""
    unpacker = _unpacker(piece)
    try:
        while (begin := unpacker.tell()) < len(piece):  # type: ignore[arg-type]  # bytes, by now
            key = unpacker.unpack()
            if not isinstance(key, str):
                raise TypeError("no key")
            unpacker.skip()
            yield key, begin, unpacker.tell()
    except Exception as error:  # the library raises a dozen kinds
        raise _malformed(error) from None


def _unpacker(piece: object) -> msgpack.Unpacker:
    """An unpacker behind the header."""
    if not isinstance(piece, bytes):
        raise InvalidCallError("chunk", f"must be bytes, not {type(piece).__name__}")
    if len(piece) > MOST_PIECE_BYTES:
        raise InvalidCallError("chunk", f"holds more than {MOST_PIECE_BYTES:,} bytes")
    unpacker = msgpack.Unpacker(
        use_list=False,
        max_buffer_size=max(len(piece), 1),
        max_array_len=_MOST_IN_ARRAY,
        max_map_len=0,
        max_bin_len=0,
        max_ext_len=0,
    )
    unpacker.feed(piece)
    try:
        header = unpacker.unpack()
    except Exception as error:
        raise _malformed(error) from None
    if not isinstance(header, tuple) or len(header) != 1 or type(header[0]) is not int:
        raise InvalidCallError("chunk", "must begin with its version")
    if header != (VERSION,):
        raise InvalidCallError("chunk", f"is of version {header[0]}; this side reads {VERSION}")
    return unpacker


def _malformed(error: Exception) -> InvalidCallError:
    return InvalidCallError("chunk", f"does not have the form of its version: {type(error).__name__}")
