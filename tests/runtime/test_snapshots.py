"""A router that keeps snapshots of its own, on Ray."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ray_router import Route, RouterConfig, RouterNotFoundError, SnapshotError, connect, deploy, shutdown
from ray_router.core.events import KeptSnapshot
from ray_router.runtime.snapshots import snapshot_regularly
from ray_router.snapshot.manifest import FILE
from ray_router.testing import RecordingObserver, local_router, wait_until


def complete(folder: Path) -> list[str]:
    """The snapshots in a folder that can be restored."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))


def test_each_that_is_due_is_told_of_whether_it_was_written(tmp_path: Path) -> None:
    """One that failed is an event as well, and the next one is tried all the same."""
    folder, told, closing = tmp_path / "folder", RecordingObserver(), threading.Event()
    config = RouterConfig(partitions=1, snapshot_uri=str(folder), snapshot_interval_s=0.01)
    folder.write_text("in the way")
    snapshot_regularly(local_router(config), config, 0, closing, told)
    try:
        wait_until(lambda: told.events.count(KeptSnapshot(0, written=False)) > 1)
        folder.unlink()
        wait_until(lambda: KeptSnapshot(0, written=True) in told.events)
    finally:
        closing.set()
    assert complete(folder)


def test_it_begins_where_the_last_one_ended(ray_cluster: str, namespace: str, tmp_path: Path) -> None:
    """Snapshots are written by themselves, and the next deployment restores the newest."""
    key, route = "tg:bot:room", Route("there")
    settings: Any = {
        "name": "kept",
        "snapshot_uri": str(tmp_path),
        "snapshot_interval_s": 0.05,
        "snapshot_keep": 2,
    }
    settings["snapshot_interval_s"] = 0.05
    router = deploy(RouterConfig(partitions=1, **settings), namespace=namespace)
    router.set(key, route).result()
    known = complete(tmp_path)
    wait_until(lambda: len(set(complete(tmp_path)) - set(known)) == 2)  # one was begun after the write
    assert len(complete(tmp_path)) <= 3
    shutdown("kept", namespace=namespace)

    router = deploy(RouterConfig(partitions=2, **settings), namespace=namespace)
    assert router.resolve(key).result().route == route
    newer = Route("newer")
    router.set(key, newer).result()
    again = deploy(RouterConfig(partitions=2, **settings), namespace=namespace)
    assert again.resolve(key).result().route == newer
    shutdown("kept", namespace=namespace)

    for path in tmp_path.glob(f"*/{FILE}"):
        path.write_text("nonsense")
    with pytest.raises(SnapshotError, match="damaged"):
        deploy(RouterConfig(partitions=2, **settings), namespace=namespace)
    with pytest.raises(RouterNotFoundError):
        connect("kept", namespace=namespace)


def test_a_folder_that_cannot_be_written_stops_nothing(
    ray_cluster: str, namespace: str, tmp_path: Path
) -> None:
    """The router serves, and the next snapshot may succeed."""
    folder = tmp_path / "folder"
    config = RouterConfig(name="stuck", partitions=1, snapshot_uri=str(folder), snapshot_interval_s=0.05)
    router = deploy(config, namespace=namespace)
    wait_until(lambda: bool(complete(folder)))
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink(missing_ok=True)
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("in the way")
    assert router.set("tg:bot:room", Route("there")).result().partition == 0
    folder.unlink()
    wait_until(lambda: bool(complete(folder)))
    shutdown("stuck", namespace=namespace)
