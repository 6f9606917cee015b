"""Parcels as bytes."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.candidates import Deferral, Mark, Observation, SessionState
from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, Parcel, Stage, packed, unpacked
from ray_router.errors import InvalidCallError
from ray_router.wire_parcels import pack_parcel, unpack_parcel

STATE = SessionState(
    (Observation(2, 5.0, 1.0, "R"),), (Mark(4.0, "S"),), (Mark(3.0, "R"),), (Deferral(2.0, "T", 1.0),), 1.0
)
PARCEL = Parcel(
    1,
    3,
    (2, 0),
    {1: Life(3, 1, 2, "node")},
    7,
    Contents(8, (("tg:bot:room", packed(STATE)),), ((2**64 - 1, 5.0),), (), Stage.ITS_OWN),
    float("inf"),
    None,
)


def test_a_parcel_travels() -> None:
    """What is read is what was written."""
    assert unpack_parcel(pack_parcel(PARCEL)) == PARCEL
    assert unpacked(packed(STATE)) == STATE
    bare = PARCEL._replace(contents=None)
    assert unpack_parcel(pack_parcel(bare)) == bare


@pytest.mark.parametrize(
    "data", [None, "text", b"", b"\xc1", msgpack.packb(7), msgpack.packb([1]), msgpack.packb([2, *range(8)])]
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
