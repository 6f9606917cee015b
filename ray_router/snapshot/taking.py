"""Taking a snapshot: partitions give their pages side by side, its taker writes them, the manifest last.

The pages come packed, so whoever takes it does no more than pass them on, and holds a few of them at most.
Nothing waits for it: the state that a page tells is that of the moment in which it was read.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from uuid import uuid4

from ray_router.core.reading import Place
from ray_router.core.slots import SLOTS
from ray_router.errors import SnapshotError
from ray_router.model import Snapshot, SnapshotProgress
from ray_router.snapshot.errand import Dismissed, Errand, out_of_service
from ray_router.snapshot.folder import Folder, folder_at
from ray_router.snapshot.manifest import FILE, ChunkEntry, Manifest, new_id, pack_manifest, remove_older
from ray_router.transport import Directory, Fault, Page, ReadPage, Transport

_SIDE_BY_SIDE = 8  # partitions
_ATTEMPTS = 5  # while slots move from one partition to another
_OPENS_WITHIN_S = 30.0
_MOST_AGAIN = 10  # pages of slots that were read before

Tell = Callable[[SnapshotProgress], None]


class SlotsMovedError(Exception):
    """Slots went to other partitions meanwhile, so some may have been asked of nobody who had them."""


def take_snapshot(
    transport: Transport, uri: str, *, keep: int | None = None, tell: Tell | None = None
) -> Snapshot:
    """Write all that a router holds into a new snapshot in a folder.

    Args:
        uri: path of the folder, or its URI for fsspec.
        keep: remove what is older than the newest ``keep`` complete snapshots, this one included; None
            removes nothing.
        tell: told of the progress, from this thread.

    Raises:
        SnapshotError: it could not be completed; what there is of it is removed, where that is possible, and
            is never restored.
    """
    folder = folder_at(uri)
    for _ in range(_ATTEMPTS):
        taking = _Taking(transport, folder, tell)
        try:
            taken = taking.run()
        except (SlotsMovedError, Dismissed):
            taking.discard()
            continue
        except Fault as fault:
            taking.discard()
            raise SnapshotError(folder.shown, f"a partition gave no answer: {fault}") from None
        except BaseException:
            taking.discard()
            raise
        if keep is not None:
            remove_older(folder, keep)
        return taken
    raise SnapshotError(folder.shown, "slots moved between partitions all the time; try again later")


class _Taking:
    """One attempt."""

    def __init__(self, transport: Transport, folder: Folder, tell: Tell | None) -> None:
        self._transport = transport
        self._folder = folder
        self._tell = tell
        self._began_at = time.time()
        self._id = new_id(self._began_at)
        self._reading = uuid4().hex
        self._chunks: list[ChunkEntry] = []
        self._again = 0
        self._sessions = 0
        self._defaults = 0

    def run(self) -> Snapshot:
        directory = self._transport.open().wait(_OPENS_WITHIN_S)
        began = time.monotonic()
        partitions = _asked(self._transport, directory)
        self._collect(partitions, directory.topology.epoch)
        manifest = Manifest(
            id=self._id,
            router=directory.config.name,
            hash_strategy=directory.config.hash_strategy,
            partitions=len(directory.topology.partitions),
            taken_at=self._began_at,
            took_s=time.monotonic() - began,
            sessions=self._sessions - self._defaults,
            defaults=self._defaults,
            chunks=self._chunks,
        )
        self._folder.write(self._id, FILE, pack_manifest(manifest))
        return manifest.described(self._folder.shown)

    def discard(self) -> None:
        """Leave nothing behind, where that is possible."""
        try:
            self._folder.remove(self._id)
        except SnapshotError:
            return  # without a manifest it is none, and goes when it is older than those that are kept

    def _collect(self, partitions: list[int], epoch: int) -> None:
        waiting, done = deque(partitions), 0.0
        under_way: deque[tuple[int, Place, Errand[Page]]] = deque()
        while waiting or under_way:
            while waiting and len(under_way) < _SIDE_BY_SIDE:
                under_way.append(self._ask(waiting.popleft(), Place()))
            partition, place, errand = under_way.popleft()
            page = errand.result()
            if page.epoch != epoch:
                raise SlotsMovedError
            if page.after is not None:
                self._see_progress(place, page.after)
                under_way.append(self._ask(partition, page.after))  # read while this one is written
            self._write(page, place)
            done += ((SLOTS if page.after is None else page.after.slot) - place.slot) / SLOTS
            if self._tell is not None:
                self._tell(SnapshotProgress(self._sessions, min(1.0, done / len(partitions))))

    def _see_progress(self, place: Place, after: Place) -> None:
        """A partition that forgot the reading goes through a slot again, but not for ever."""
        self._again += after <= place
        if self._again > _MOST_AGAIN:
            raise SnapshotError(self._folder.shown, "too many are taken at once; try again later")

    def _ask(self, partition: int, place: Place) -> tuple[int, Place, Errand[Page]]:
        return partition, place, Errand(self._transport, partition, ReadPage(self._reading, place), Page)

    def _write(self, page: Page, place: Place) -> None:
        if not page.sessions:
            return
        entry = ChunkEntry(
            name=f"{len(self._chunks):06d}.chunk",
            size=len(page.chunk),
            sha256=sha256(page.chunk).hexdigest(),
            sessions=page.sessions,
            slots=[place.slot, SLOTS - 1 if page.after is None else page.after.slot],
        )
        self._folder.write(self._id, entry.name, page.chunk)
        self._chunks.append(entry)
        self._sessions += page.sessions
        self._defaults += page.defaults


def _asked(transport: Transport, directory: Directory) -> list[int]:
    """The partitions to be asked: all but those whose part others take."""
    partitions = directory.topology.partitions
    out = out_of_service(transport, partitions) if directory.config.replicas else frozenset()
    return [each for each in partitions if each not in out]
