"""Parcels as bytes."""

from __future__ import annotations

import sys
import zlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.candidates import Deferral, Mark, Observation, SessionState
from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, Parcel, Stage, packed, unpacked
from ray_router.core.slots import Topology
from ray_router.errors import InvalidCallError
from ray_router.wire_parcels import pack_parcel, unpack_parcel

STATE = SessionState(
    (Observation(2, 5.0, 1.0, "R"),), (Mark(4.0, "S"),), (Mark(3.0, "R"),), (Deferral(2.0, "T", 1.0),), 1.0
)
PARCEL = Parcel(
    1,
    3,
    (2, 17, 0),
    {1: Life(3, 1, 2, "node")},
    7,
    Contents(8, (("tg:bot:room", packed(STATE)),), ((2**64 - 1, 5.0),), (), Stage.ITS_OWN),
    float("inf"),
    None,
    4,
    17,
    Topology.balanced(3).heading_for(Topology.balanced(4).owners),
)


def test_a_parcel_travels() -> None:
    """What is read is what was written."""
    assert unpack_parcel(pack_parcel(PARCEL)) == PARCEL
    assert unpacked(packed(STATE)) == STATE
    bare = PARCEL._replace(contents=None, decree=None)
    assert unpack_parcel(pack_parcel(bare)) == bare


@pytest.mark.parametrize(
    "data", [None, "text", b"", b"\xc1", msgpack.packb(7), msgpack.packb([1]), msgpack.packb([3, *range(11)])]
)
def test_what_is_no_parcel_is_refused(data: object) -> None:
    """By name, whatever it is."""
    with pytest.raises(InvalidCallError, match="parcel"):
        unpack_parcel(data)


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    """No bytes do anything but be refused."""
    with pytest.raises(InvalidCallError, match="parcel"):
        unpack_parcel(data)


def test_a_decree_of_another_size_is_refused() -> None:
    """Neither fewer slots than there are, nor so many that they would not fit in memory."""
    for size in (0, 10, 2**15 - 2, 2**15 + 2, 2**26):
        fields = list(msgpack.unpackb(pack_parcel(PARCEL), use_list=False, strict_map_key=False))
        since, _, heirs = fields[-1]
        fields[-1] = (since, zlib.compress(bytes(size)), heirs)
        with pytest.raises(InvalidCallError, match="parcel"):
            unpack_parcel(msgpack.packb(fields))


def test_slots_are_little_endian_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of the other kind turns each number around."""
    monkeypatch.setattr(sys, "byteorder", "big")
    assert unpack_parcel(pack_parcel(PARCEL)) == PARCEL
