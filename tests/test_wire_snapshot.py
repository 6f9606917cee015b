"""Chunks as bytes: pinned, and whatever is done to them, refused or read, within bounds."""

from __future__ import annotations

import pickle
import tracemalloc
import zlib
from math import inf

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.archive import checked_state
from ray_router.core.candidates import Deferral, Mark, Observation, SessionState
from ray_router.core.parcels import packed, unpacked
from ray_router.core.settings import Limits
from ray_router.errors import InvalidCallError, InvalidInputError
from ray_router.wire_snapshot import (
    FULL_SESSIONS,
    MOST_PIECE_BYTES,
    ChunkWriter,
    count_in,
    piece_of,
    sessions_in,
    split,
)

PLAIN = SessionState((Observation(2, 1.5, 1800.0, "C42"),))
RICH = SessionState(
    (Observation(3, 5.0, inf, "R"), Observation(2, 4.0, 60.0, "S")),
    (Mark(4.5, "S"),),
    (Mark(3.0, "R"),),
    (Deferral(2.0, "T", 1.0),),
    1.0,
)
SESSIONS = [("tg:bot:room", packed(PLAIN)), ("tg:bot:*", packed(RICH))]
GOLDEN_PIECE = bytes.fromhex(
    "9101"
    "ab74673a626f743a726f6f6d"
    "95919402cb3ff8000000000000cb409c200000000000a3433432909090cbfff0000000000000"
    "a874673a626f743a2a"
    "95929403cb4014000000000000cb7ff0000000000000a1529402cb4010000000000000cb404e000000000000a153"
    "9192cb4012000000000000a1539192cb4008000000000000a1529193cb4000000000000000a154cb3ff0000000000000"
    "cb3ff0000000000000"
)
PATIENTLY = settings(max_examples=300, deadline=None, derandomize=True)


def chunk_of(sessions: list[tuple[str, tuple[object, ...]]]) -> bytes:
    """A chunk of these."""
    writer = ChunkWriter()
    writer.add(sessions)
    return writer.finish()


CHUNK = chunk_of(SESSIONS)


def test_the_format_is_pinned() -> None:
    """Chunks of every release are these bytes, once unpacked, and are read as they were written."""
    assert piece_of(CHUNK) == GOLDEN_PIECE
    assert piece_of(zlib.compress(GOLDEN_PIECE, 9)) == GOLDEN_PIECE
    read = [(key, unpacked(state)) for key, state in sessions_in(GOLDEN_PIECE)]  # type: ignore[arg-type]
    assert read == [("tg:bot:room", PLAIN), ("tg:bot:*", RICH)]
    assert count_in(GOLDEN_PIECE) == 2


def test_nothing_is_a_chunk_too() -> None:
    """Of no sessions."""
    assert list(sessions_in(piece_of(ChunkWriter().finish()))) == []


def test_a_chunk_gets_full() -> None:
    """By what it holds."""
    writer = ChunkWriter()
    writer.add(SESSIONS[:1] * (FULL_SESSIONS - 1))
    assert not writer.full
    writer.add(SESSIONS[:1])
    assert (writer.full, writer.sessions) == (True, FULL_SESSIONS)


def test_a_piece_is_split_by_where_its_keys_belong() -> None:
    """Each part is a piece of its own; a key that belongs to several is in each."""
    parts = split(GOLDEN_PIECE, lambda key: (1,) if key == "tg:bot:room" else (1, 2))
    assert parts[1] == GOLDEN_PIECE
    assert [key for key, _ in sessions_in(parts[2])] == ["tg:bot:*"]
    assert set(parts) == {1, 2}


@pytest.mark.parametrize("version", [0, 2, 255, 2**63])
def test_another_version_is_named(version: int) -> None:
    """And nothing further is read."""
    piece = bytes(msgpack.packb((version,))) + b"\xc1 whatever"
    for read in (count_in, lambda data: list(sessions_in(data))):
        with pytest.raises(InvalidCallError, match=f"is of version {version}; this side reads 1"):
            read(piece)


@pytest.mark.parametrize(
    "piece",
    [
        None,
        "text",
        7,
        b"",
        b"\xc1",
        msgpack.packb(1),
        msgpack.packb([]),
        msgpack.packb([1, 2]),
        msgpack.packb(["1"]),
        msgpack.packb([True]),
        pickle.dumps(SESSIONS),
        GOLDEN_PIECE[:-1],
        GOLDEN_PIECE + b"\xa1k",
        GOLDEN_PIECE[:2] + b"\x07" + GOLDEN_PIECE[14:],
    ],
)
def test_what_is_no_piece_is_refused(piece: object) -> None:
    """By name."""
    with pytest.raises(InvalidCallError, match="chunk"):
        count_in(piece)


@pytest.mark.parametrize(
    "state",
    [
        b"\xdd\xff\xff\xff\xff",  # an array of four billion
        b"\xdc\xff\xff" + b"\xc0" * 65_535,  # longer than any state's
        b"\xdf\xff\xff\xff\xff",  # a map
        b"\xc6\xff\xff\xff\xff",  # bytes
        b"\xdb\xff\xff\xff\xff",  # text
        b"\xc9\xff\xff\xff\xff\x01",  # an extension
        b"\xd6\xff\x00\x00\x00\x01",  # a time stamp
        b"\x91" * 100_000 + b"\xc0",  # one in the other
    ],
    ids=["array", "long_array", "map", "bytes", "text", "extension", "stamp", "nested"],
)
def test_absurd_lengths_take_no_memory(state: bytes) -> None:
    """What a length claims is not reserved for it."""
    piece = GOLDEN_PIECE[:14] + state
    tracemalloc.start()
    try:
        with pytest.raises(InvalidCallError, match="chunk"):
            list(sessions_in(piece))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(piece) + 1_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_does_not_go_off() -> None:
    """What is a thousand times as large as it looks is unpacked to the limit, and no further."""
    packing = zlib.compressobj(9)
    bomb = b"".join(packing.compress(bytes(2**24)) for _ in range(9)) + packing.flush()
    assert len(bomb) < 2**18
    tracemalloc.start()
    try:
        with pytest.raises(InvalidCallError, match="holds more than 134,217,728 bytes"):
            piece_of(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * MOST_PIECE_BYTES
    finally:
        tracemalloc.stop()
    with pytest.raises(InvalidCallError, match="holds more than"):
        count_in(bytes(MOST_PIECE_BYTES + 1))


@pytest.mark.parametrize("chunk", [CHUNK[:-1], CHUNK[:5], b"", CHUNK + b"x", b"no zlib"])
def test_what_is_no_chunk_is_refused(chunk: bytes) -> None:
    """Cut off, continued, or never one."""
    with pytest.raises(InvalidCallError, match="chunk"):
        piece_of(chunk)


@PATIENTLY
@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    """No bytes do anything but be refused, packed or not."""
    with pytest.raises(InvalidCallError, match="chunk"):
        piece_of(data)
    for piece in (data, GOLDEN_PIECE[:2] + data):
        _read_all(piece)


@PATIENTLY
@given(st.integers(0, 8 * len(GOLDEN_PIECE) - 1), st.integers(0, len(GOLDEN_PIECE)))
def test_a_flipped_bit_is_refused_or_read(bit: int, end: int) -> None:
    """Whatever it makes of a session, no other error comes of it; wherever the piece ends."""
    flipped = bytearray(GOLDEN_PIECE)
    flipped[bit // 8] ^= 1 << bit % 8
    _read_all(bytes(flipped))
    _read_all(bytes(flipped[:end]))


def _read_all(piece: bytes) -> None:
    """Read a piece and check its sessions; only what is raised on purpose is."""
    try:
        count_in(piece)
        split(piece, lambda key: (0,))
        for key, state in sessions_in(piece):
            try:
                checked_state(key, state, Limits())
            except InvalidInputError:
                continue
    except InvalidCallError as error:
        assert error.field == "chunk"
