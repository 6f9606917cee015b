"""Parcels as bytes."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import RouterConfig
from ray_router.core.candidates import Deferral, Mark, Observation, SessionState
from ray_router.core.lives import Life
from ray_router.core.parcels import Contents, Parcel, Stage, packed, unpacked
from ray_router.core.slots import Topology
from ray_router.errors import InvalidCallError
from ray_router.transport import PartitionShell
from ray_router.wire_parcels import pack_parcel, unpack_parcel

STATE = SessionState(
    (Observation(2, 5.0, 1.0, "R"),), (Mark(4.0, "S"),), (Mark(3.0, "R"),), (Deferral(2.0, "T", 1.0),), 1.0
)
TOPOLOGY = Topology.balanced(3)
KEY = "tg:bot:room"
CONFIG = RouterConfig(partitions=3, replicas=1)
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


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda some: st.one_of(st.lists(some, max_size=3), st.dictionaries(LEAVES, some, max_size=2)),
    max_leaves=5,
)


def places(value: object, way: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to everything that is in a value."""
    yield way
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*way, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*way, index))


def with_another(value: Any, way: tuple[Any, ...], other: object) -> Any:
    """A value with something else in one place of it."""
    if not way:
        return other
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[way[0]] = with_another(value[way[0]], way[1:], other)
    return changed


FIELDS = msgpack.unpackb(pack_parcel(PARCEL), strict_map_key=False)
PLACES = list(places(FIELDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=2))
def test_a_letter_that_is_almost_one_stops_nobody(changes: list[tuple[tuple[Any, ...], object]]) -> None:
    """It is refused by name, or taken in whole; then the partition answers, and hears what is true."""
    fields = FIELDS
    for way, other in changes:
        with suppress(
            LookupError, TypeError
        ):  # the first change may have taken away where the second was to be
            fields = with_another(fields, way, other)
    shell = PartitionShell(0, CONFIG, TOPOLOGY, insight=False)
    with suppress(InvalidCallError):
        shell.answer_letter(msgpack.packb(fields))
    honest = PARCEL._replace(contents=Contents(1, ((KEY, packed(STATE)),)), to=(1, 17, 0), decree=None)
    assert shell.read_letter(pack_parcel(honest)) == 1
    assert shell.stats().available
    assert unpack_parcel(shell.letter_to(1)).sender == 0
    shell.put_in_order()


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
