"""Snapshots in files: what a router holds, where its processes' end does not reach it."""

from ray_router.snapshot.restoring import restore_snapshot
from ray_router.snapshot.taking import take_snapshot

__all__ = ["restore_snapshot", "take_snapshot"]
