"""The manifest of a snapshot, version 1: written last, it says that the snapshot is complete, and what of.

::

    manifest   one line of JSON, as ``Manifest`` has it, and on the next the SHA-256 of the first in hex

A snapshot is a folder: its chunks (see ``wire_snapshot``) and this. Reading a manifest is bounded by its
size; names are of one form, so none leads out of the folder.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timezone
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ray_router.errors import SnapshotError, SnapshotNotFoundError
from ray_router.model import Snapshot
from ray_router.snapshot.folder import Folder
from ray_router.wire_snapshot import MOST_CHUNK_BYTES

VERSION = 1
FILE = "manifest.json"

_ID = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}", re.ASCII)
_MOST_BYTES = 8 * 1024 * 1024  # 50,000 chunks, which hold 500,000,000 sessions
_VERSION_IN = re.compile(rb'\{"format":"ray_router snapshot","version":(\d{1,9})[,}]')
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Time = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ChunkEntry(_Strict):
    """One chunk: its file, the size and digest of that, and how many sessions and defaults it holds.

    ``slots``: the first and the last slot that they are of.
    """

    name: Annotated[str, Field(pattern=r"^[0-9]{6,9}\.chunk$")]
    size: Annotated[int, Field(ge=1, le=MOST_CHUNK_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sessions: _Count
    slots: Annotated[list[_Count], Field(min_length=2, max_length=2)]


class Manifest(_Strict):
    """What a snapshot is of, and what it is in."""

    format: Literal["ray_router snapshot"] = "ray_router snapshot"
    version: Literal[1] = 1  # VERSION
    id: Annotated[str, Field(pattern=rf"^{_ID.pattern}$")]
    router: Annotated[str, Field(max_length=64)]
    hash_strategy: Annotated[str, Field(max_length=1_024)]
    partitions: Annotated[int, Field(ge=1, le=65_536)]
    taken_at: _Time
    took_s: _Time
    sessions: _Count
    defaults: _Count
    chunks: list[ChunkEntry]

    def described(self, uri: str) -> Snapshot:
        """As whoever asked for it is told."""
        return Snapshot(
            uri=uri,
            id=self.id,
            router=self.router,
            taken_at=self.taken_at,
            partitions=self.partitions,
            sessions=self.sessions,
            defaults=self.defaults,
            chunks=len(self.chunks),
            size=sum(chunk.size for chunk in self.chunks),
            took_s=self.took_s,
        )


def new_id(at: float) -> str:
    """A name for a snapshot that is begun at ``at`` (epoch seconds); names sort by time."""
    began = datetime.fromtimestamp(at, timezone.utc)
    return f"{began:%Y%m%dT%H%M%S}{began.microsecond // 1_000:03d}Z-{secrets.token_hex(4)}"


def pack_manifest(manifest: Manifest) -> bytes:
    """A manifest as its file holds it."""
    text = manifest.model_dump_json().encode()
    return text + b"\n" + sha256(text).hexdigest().encode() + b"\n"


def unpack_manifest(data: bytes) -> Manifest:
    """The manifest that a file holds.

    Raises:
        ValueError: it holds none that is whole, or of a version that is not read here; says what is wrong.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError(f"its manifest is longer than {_MOST_BYTES:,} bytes")
    text, _, digest = data.partition(b"\n")
    if digest != sha256(text).hexdigest().encode() + b"\n":
        raise ValueError("its manifest is damaged: the checksum is another")
    version = _VERSION_IN.match(text)
    if version is not None and int(version[1]) != VERSION:
        raise ValueError(f"it is of version {int(version[1])}; this side reads {VERSION}")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "text"
        raise ValueError(f"its manifest cannot be read: {where}: {first['msg']}") from None
    names = {chunk.name for chunk in manifest.chunks}
    if len(names) != len(manifest.chunks):
        raise ValueError("its manifest names a chunk twice")
    if sum(chunk.sessions for chunk in manifest.chunks) != manifest.sessions + manifest.defaults:
        raise ValueError("its manifest counts other sessions than its chunks hold")
    return manifest


def find_manifest(folder: Folder, wanted: str | None) -> Manifest:
    """The manifest of a snapshot of a folder, of the newest complete one unless another is wanted.

    Raises:
        SnapshotNotFoundError: there is none.
        SnapshotError: it is damaged.
    """
    if wanted is not None and not _ID.fullmatch(wanted):
        raise SnapshotNotFoundError(folder.shown, f"{wanted!r} is no name of a snapshot")
    for each in [wanted] if wanted is not None else sorted(ids_in(folder), reverse=True):
        data = folder.read(each, FILE, _MOST_BYTES + 1)
        if data is not None:
            return _checked(folder, each, data)
    raise SnapshotNotFoundError(
        folder.shown, "there is no complete one" if wanted is None else f"there is no complete {wanted}"
    )


def remove_older(folder: Folder, keep: int) -> None:
    """Remove all that is older than the newest ``keep`` complete snapshots, complete or not.

    Raises:
        SnapshotError: the file system failed.
    """
    complete = 0
    for each in sorted(ids_in(folder), reverse=True):
        if complete >= keep:
            folder.remove(each)
        elif folder.read(each, FILE, 1):
            complete += 1


def ids_in(folder: Folder) -> list[str]:
    """The names of all snapshots in a folder, of those that never became complete as well."""
    return [name for name in folder.children() if _ID.fullmatch(name)]


def _checked(folder: Folder, name: str, data: bytes) -> Manifest:
    try:
        manifest = unpack_manifest(data)
    except ValueError as error:
        raise SnapshotError(f"{folder.shown}/{name}", str(error)) from None
    if manifest.id != name:
        raise SnapshotError(f"{folder.shown}/{name}", "its manifest is that of another snapshot")
    return manifest
