"""Damaged and made-up snapshots: refused with a reason, before anything of them is merged."""

from __future__ import annotations

import json
import os
import pickle
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ray_router import RouterHandle, SnapshotError, SnapshotNotFoundError
from ray_router.snapshot.manifest import FILE

from .scene import chunk_files, rooms, router_of, taken

PATIENTLY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def refused(folder: Path, why: str, kind: type[SnapshotError] = SnapshotError) -> None:
    """A restore says why it cannot be, and changes nothing."""
    router = router_of(3)
    with pytest.raises(kind, match=why):
        router.restore(str(folder)).result()
    assert holds_nothing(router)


def holds_nothing(router: RouterHandle) -> bool:
    """Whether nothing was merged."""
    holdings = router.stats().result().holdings
    return (holdings.entries, holdings.defaults) == (0, 0)


def with_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write the manifest anew, changed, and with a checksum that is right."""
    (path,) = folder.glob(f"*/{FILE}")
    manifest = json.loads(path.read_text().splitlines()[0])
    change(manifest)
    write_manifest(path, json.dumps(manifest, separators=(",", ":")).encode())


def write_manifest(path: Path, text: bytes) -> None:
    """Write anything as a manifest, with a checksum that is right."""
    path.write_bytes(text + b"\n" + sha256(text).hexdigest().encode() + b"\n")


def with_chunk(folder: Path, data: bytes, sessions: int = 1) -> None:
    """Make a snapshot hold this one chunk, with a checksum that is right."""
    (path, *others) = chunk_files(folder)
    for other in others:
        other.unlink()
    path.write_bytes(data)

    def change(manifest: dict[str, Any]) -> None:
        manifest["chunks"] = manifest["chunks"][:1]
        manifest["chunks"][0] |= {
            "size": len(data),
            "sha256": sha256(data).hexdigest(),
            "sessions": sessions,
        }
        manifest |= {"sessions": sessions, "defaults": 0}

    with_manifest(folder, change)


def test_without_a_manifest_it_is_none(tmp_path: Path) -> None:
    """A half snapshot is passed over for an older whole one, and never restored."""
    older, newer = taken(tmp_path, 5), taken(tmp_path, 9)
    (tmp_path / newer.id / FILE).unlink()
    assert router_of().restore(str(tmp_path)).result().snapshot.id == older.id
    (tmp_path / older.id / FILE).unlink()
    refused(tmp_path, "there is no complete one", SnapshotNotFoundError)
    refused(tmp_path / "nowhere", "there is no complete one", SnapshotNotFoundError)


def test_a_chunk_that_is_missing_or_cut_off(tmp_path: Path) -> None:
    """Is named, though all before it are whole."""
    taken(tmp_path, 40, partitions=4)
    last = chunk_files(tmp_path)[-1]
    data = last.read_bytes()
    last.write_bytes(data[:-1])
    refused(tmp_path, f"{last.name} is damaged: it is not {len(data)} bytes long")
    last.write_bytes(data + b"x")
    refused(tmp_path, f"{last.name} is damaged: it is not {len(data)} bytes long")
    last.unlink()
    refused(tmp_path, f"{last.name} is damaged: it is not there")


@PATIENTLY
@given(data=st.data())
def test_any_flipped_bit_is_found(tmp_path: Path, data: st.DataObject) -> None:
    """In a chunk or in the manifest: nothing of such a snapshot is restored."""
    if not chunk_files(tmp_path):
        taken(tmp_path)
    path = data.draw(st.sampled_from(sorted(tmp_path.glob("*/*"))))
    good = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bad)
    refused(tmp_path, "damaged")
    path.write_bytes(good)


@PATIENTLY
@given(noise=st.binary(max_size=200), packed=st.booleans(), sessions=st.integers(0, 3))
def test_noise_with_a_good_checksum(tmp_path: Path, noise: bytes, packed: bool, sessions: int) -> None:
    """Whoever made it up on purpose gets no further: refused, or sessions that are none, left out."""
    if not chunk_files(tmp_path):
        taken(tmp_path)
    with_chunk(tmp_path, zlib.compress(b"\x91\x01" + noise) if packed else noise + b"x", sessions)
    router = router_of(3)
    try:
        restored = router.restore(str(tmp_path)).result()
        assert restored.refused <= sessions
    except SnapshotError:
        pass
    assert holds_nothing(router)


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        (b"\x91\x02", "is of version 2; this side reads 1"),
        (b"\x91\x01\xa1k", "does not have the form of its version"),
        (b"\x91\x01\xa1k\xdd\xff\xff\xff\xff", "does not have the form of its version"),
        (b"\x91\x01" + pickle.dumps(os.system), "does not have the form of its version|another number"),
        (b"\x91\x01", "another number of sessions"),
        (b"", "does not have the form of its version"),
    ],
    ids=["version", "cut_off", "absurd_length", "pickle", "empty", "nothing"],
)
def test_a_made_up_chunk(tmp_path: Path, piece: bytes, why: str) -> None:
    """Its checksum is right, and it is refused all the same."""
    taken(tmp_path)
    with_chunk(tmp_path, zlib.compress(piece))
    refused(tmp_path, why)


def test_a_bomb_in_a_chunk(tmp_path: Path) -> None:
    """It is unpacked to the limit, and no further."""
    taken(tmp_path)
    packing = zlib.compressobj(9)
    bomb = b"".join(packing.compress(bytes(2**24)) for _ in range(9)) + packing.flush()
    with_chunk(tmp_path, bomb)
    refused(tmp_path, "holds more than 134,217,728 bytes")


def test_states_that_cannot_be(tmp_path: Path) -> None:
    """Are counted and left out, one by one."""
    taken(tmp_path)
    good: tuple[Any, ...] = (((2, 1e9, 1e9, "A"),), (), (), (), float("-inf"))
    sessions = [
        ("tg:bot:good", good),
        ("no key", good),
        ("tg:bot:*:thread", good),
        ("tg:bot:far", (((2, 1e300, 1.0, "A"),), (), (), (), float("-inf"))),
        ("tg:bot:void", None),
        ("tg:bot:long", (((2, 1e9, 1e9, "A" * 5_000),), (), (), (), float("-inf"))),
    ]
    piece = msgpack.packb((1,)) + b"".join(msgpack.packb(each) for pair in sessions for each in pair)
    with_chunk(tmp_path, zlib.compress(piece), len(sessions))
    router = router_of(3)
    assert router.restore(str(tmp_path)).result().refused == len(sessions) - 1
    assert router.stats().result().holdings.entries == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../secret",
        "/etc/passwd",
        "a/b.chunk",
        "..",
        "000000.chunk/..",
        "000000.chunk\n",
        "\uff1000000.chunk",
        "",
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """A chunk is named by a number."""
    taken(tmp_path)
    with_manifest(tmp_path, lambda manifest: manifest["chunks"][0].update(name=name))
    refused(tmp_path, r"chunks\.0\.name")


@pytest.mark.parametrize(
    "wanted", ["../..", "..", "20250101T000000000Z-0000000", "", "x/20250101T000000000Z-00000000"]
)
def test_no_wanted_name_leads_out_either(tmp_path: Path, wanted: str) -> None:
    """It is the name of a snapshot, or of none."""
    with pytest.raises(SnapshotNotFoundError, match="is no name of a snapshot"):
        router_of().restore(str(tmp_path), snapshot=wanted).result()
    with pytest.raises(SnapshotNotFoundError, match="there is no complete 20250101T000000000Z-00000000"):
        router_of().restore(str(tmp_path), snapshot="20250101T000000000Z-00000000").result()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": 2}, "it is of version 2; this side reads 1"),
        ({"format": "another"}, "format"),
        ({"id": "20250101T000000000Z-00000000"}, "is that of another snapshot"),
        ({"id": "../x"}, "id"),
        ({"sessions": 10**30}, "sessions"),
        ({"sessions": -1}, "sessions"),
        ({"sessions": 7}, "counts other sessions"),
        ({"taken_at": "NaN"}, "taken_at"),
        ({"chunks": None}, "chunks"),
        ({"command": "rm"}, "command"),
        ({"partitions": 0}, "partitions"),
    ],
)
def test_a_made_up_manifest(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    """Each field is what it must be; no other is taken."""
    taken(tmp_path)
    with_manifest(tmp_path, lambda manifest: manifest.update(changes))
    refused(tmp_path, why)


@pytest.mark.parametrize("size", [0, -1, 2**40, "1"])
def test_an_absurd_size_is_not_read(tmp_path: Path, size: object) -> None:
    """No more is read of a chunk than a chunk can be."""
    taken(tmp_path)
    with_manifest(tmp_path, lambda manifest: manifest["chunks"][0].update(size=size))
    refused(tmp_path, r"chunks\.0\.size")


def test_a_chunk_twice(tmp_path: Path) -> None:
    """Is one too many."""
    taken(tmp_path)
    with_manifest(tmp_path, lambda manifest: manifest["chunks"].append(manifest["chunks"][0]))
    refused(tmp_path, "names a chunk twice")


@pytest.mark.parametrize(
    "text",
    [b"", b"[" * 100_000, b"{}", b"7", b"\xff", b'{"format":"ray_router snapshot","version":1}', b"null"],
)
def test_what_is_no_manifest(tmp_path: Path, text: bytes) -> None:
    """With a checksum that is right."""
    snapshot = taken(tmp_path)
    write_manifest(tmp_path / snapshot.id / FILE, text)
    refused(tmp_path, "cannot be read")


def test_a_manifest_that_never_ends(tmp_path: Path) -> None:
    """Is read to the limit, and no further."""
    snapshot = taken(tmp_path)
    write_manifest(tmp_path / snapshot.id / FILE, b" " * (9 * 1024 * 1024))
    refused(tmp_path, "longer than 8,388,608 bytes")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe in the place of a chunk would be waited for, for ever."""
    taken(tmp_path)
    (path, *_) = chunk_files(tmp_path)
    path.unlink()
    os.mkfifo(path)
    refused(tmp_path, f"{path.name} is damaged: it is not there")


def test_the_rooms_are_real(tmp_path: Path) -> None:
    """What the tests above damage would have been restored."""
    taken(tmp_path)
    router = router_of()
    router.restore(str(tmp_path)).result()
    assert router.stats().result().holdings.live == len(rooms(20))
