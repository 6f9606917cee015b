"""What snapshots are, to whoever takes and restores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A complete snapshot.

    Args:
        uri: the folder that it lies in, without passwords.
        id: its name there.
        router: the name of the router that it is of.
        taken_at: epoch seconds when it was begun: whatever was acknowledged before is in it.
        partitions: how many there were.
        sessions: how many it holds, defaults not counted.
        defaults: of instances and channels.
        chunks: the files that they are in.
        size: the bytes of these.
        took_s: seconds it took.
    """

    uri: str
    id: str
    router: str
    taken_at: float
    partitions: int
    sessions: int
    defaults: int
    chunks: int
    size: int
    took_s: float


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of restoring a snapshot.

    Args:
        snapshot: the one that was restored.
        refused: sessions and defaults that this router does not take, such as routes longer than its limits.
        evicted: sessions with a route that left to make room for what was restored.
        partitions: how many there are.
        took_s: seconds it took.
    """

    snapshot: Snapshot
    refused: int
    evicted: int
    partitions: int
    took_s: float


class SnapshotProgress(NamedTuple):
    """How far a snapshot, or its restoring, is. ``share``: of the whole, 0 to 1, about."""

    sessions: int
    share: float
