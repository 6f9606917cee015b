"""Restoring a snapshot: all of it is checked, then each session is merged where it belongs by now.

Nothing is merged unless every chunk is there and whole. A partition is known by the hash of a key alone, so
it does not matter how many partitions there were, nor by which strategy; merging twice changes nothing, so
what was interrupted is done again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from ray_router.core.keytext import scope_of
from ray_router.core.slots import SlotOf, slot_function
from ray_router.errors import InvalidCallError, InvalidInputError, SnapshotError
from ray_router.model import Restored, Scope, SnapshotProgress
from ray_router.snapshot.errand import Dismissed, Errand, out_of_service
from ray_router.snapshot.folder import Folder, folder_at
from ray_router.snapshot.manifest import ChunkEntry, Manifest, find_manifest
from ray_router.transport import Directory, Fault, TakeIn, TakenIn, Transport
from ray_router.wire_snapshot import count_in, piece_of, split

_MOST_UNDER_WAY = 16 * 1024 * 1024  # bytes of pieces
_OPENS_WITHIN_S = 30.0
_ATTEMPTS = 5  # while slots move from one partition to another
_CHECKING = 0.2  # of the time, about

Tell = Callable[[SnapshotProgress], None]


def restore_snapshot(
    transport: Transport, uri: str, *, snapshot: str | None = None, tell: Tell | None = None
) -> Restored:
    """Merge a snapshot into a router, of whatever number of partitions.

    Args:
        uri: path of the folder that it lies in, or its URI for fsspec.
        snapshot: its name there; the newest complete one when left out.
        tell: told of the progress, from this thread.

    Raises:
        SnapshotNotFoundError: there is none.
        SnapshotError: it is damaged or of another version, and nothing was merged; or a partition does not
            answer, and it may be restored again.
    """
    began = time.monotonic()
    folder = folder_at(uri)
    manifest = find_manifest(folder, snapshot)
    chunks = _Chunks(folder, manifest)
    total = max(1, manifest.sessions + manifest.defaults)

    def told(done: int, from_share: float, to_share: float) -> None:
        if tell is not None:
            tell(SnapshotProgress(done, from_share + (to_share - from_share) * done / total))

    checked = 0
    for entry, piece in chunks:
        chunks.check(entry, piece)
        checked += entry.sessions
        told(checked, 0.0, _CHECKING)
    try:
        for _ in range(_ATTEMPTS):
            directory = transport.open().wait(_OPENS_WITHIN_S)
            restoring = _Restoring(transport, directory)
            merged = 0
            for entry, piece in chunks:
                restoring.take(piece)
                merged += entry.sessions
                told(merged, _CHECKING, 1.0)
            restoring.finish()
            if not restoring.moved:
                return Restored(
                    manifest.described(folder.shown),
                    restoring.refused,
                    restoring.evicted,
                    len(directory.topology.partitions),
                    time.monotonic() - began,
                )
    except Fault as fault:
        raise SnapshotError(folder.shown, f"a partition gave no answer: {fault}; restore it again") from None
    raise SnapshotError(folder.shown, "slots moved between partitions all the time; restore it again later")


class _Chunks:
    """The chunks of a snapshot, read and checked each time they are gone through, one in memory at a time."""

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest

    def __iter__(self) -> Iterator[tuple[ChunkEntry, bytes]]:
        for entry in self._manifest.chunks:
            yield entry, self._read(entry)

    def check(self, entry: ChunkEntry, piece: bytes) -> None:
        """See that every session of a chunk can be told from the next."""
        try:
            found = count_in(piece)
        except InvalidCallError as error:
            raise self._damaged(entry, error.problem) from None
        if found != entry.sessions:
            raise self._damaged(entry, "it holds another number of sessions than the manifest says")

    def _damaged(self, entry: ChunkEntry, problem: str) -> SnapshotError:
        where = f"{self._folder.shown}/{self._manifest.id}"
        return SnapshotError(where, f"{entry.name} is damaged: {problem}")

    def _read(self, entry: ChunkEntry) -> bytes:
        data = self._folder.read(self._manifest.id, entry.name, entry.size + 1)
        if data is None:
            raise self._damaged(entry, "it is not there")
        if len(data) != entry.size:
            raise self._damaged(entry, f"it is not {entry.size:,} bytes long")
        if sha256(data).hexdigest() != entry.sha256:
            raise self._damaged(entry, "the checksum is another")
        try:
            return piece_of(data)
        except InvalidCallError as error:
            raise self._damaged(entry, error.problem) from None


class _Restoring:
    """Sends pieces to partitions, some of them at a time."""

    def __init__(self, transport: Transport, directory: Directory) -> None:
        self._transport = transport
        self._topology = directory.topology
        self._slot_of: SlotOf = slot_function(directory.config.hash_strategy)
        partitions = self._topology.partitions
        out = out_of_service(transport, partitions) if directory.config.replicas else frozenset()
        self._in_service = {each: None for each in partitions if each not in out} or dict.fromkeys(partitions)
        self._first = next(iter(self._in_service))
        self._under_way: deque[tuple[int, int, Errand[TakenIn]]] = deque()
        self._bytes_under_way = 0
        self.refused = 0
        self.evicted = 0
        self.moved = False

    def take(self, piece: bytes) -> None:
        """Send each partition its share of a piece, when there is room for that."""
        for partition, share in split(piece, self._homes).items():
            while self._under_way and self._bytes_under_way + len(share) > _MOST_UNDER_WAY:
                self._collect_one()
            errand = Errand(self._transport, partition, TakeIn(share), TakenIn)
            self._under_way.append((partition, len(share), errand))
            self._bytes_under_way += len(share)

    def finish(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            self._collect_one()

    def _collect_one(self) -> None:
        partition, size, errand = self._under_way.popleft()
        self._bytes_under_way -= size
        try:
            taken = errand.result()
        except Dismissed:
            self.moved = True
            return
        self.refused += taken.refused + (taken.refused_defaults if partition == self._first else 0)
        self.evicted += taken.evicted
        self.moved = self.moved or taken.epoch != self._topology.epoch

    def _homes(self, key: str) -> Iterable[int]:
        """Every partition keeps the defaults; what is no key is refused by the first."""
        try:
            order = self._topology.orders[self._slot_of(key)]
        except InvalidInputError:
            return (self._first,)
        if scope_of(key) >= Scope.INSTANCE:
            return self._in_service
        return (next((each for each in order if each in self._in_service), order[0]),)
