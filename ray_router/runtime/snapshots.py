"""A router's own snapshots: partition 0 writes one now and then, and a deployment begins with the newest."""

from __future__ import annotations

import logging
import threading

from ray_router.config import RouterConfig
from ray_router.core.events import KeptSnapshot, Observer
from ray_router.errors import SnapshotNotFoundError
from ray_router.handle import RouterHandle

_log = logging.getLogger(__name__)


def snapshot_regularly(
    router: RouterHandle, config: RouterConfig, partition: int, closing: threading.Event, tell: Observer
) -> None:
    """Write a snapshot of the whole router every ``snapshot_interval_s``, in a thread, until ``closing``.

    The process that it runs in is a caller like any other: partitions pack their own pages.

    Args:
        partition: whose process this is.
        tell: told of each snapshot, whether it was written or failed.
    """
    uri = config.snapshot_uri
    assert uri is not None, "it is written somewhere"

    def run() -> None:
        while not closing.wait(config.snapshot_interval_s):
            try:
                taken = router.snapshot(uri, keep=config.snapshot_keep).result()
            except Exception as error:  # the next one may succeed, and the last one is still there
                _log.warning("router %s could not be written to a snapshot: %s", config.name, error)
                tell(KeptSnapshot(partition, written=False))
            else:
                tell(KeptSnapshot(partition, written=True))
                _log.info(
                    "router %s is in snapshot %s: %d sessions, %.1f s",
                    config.name,
                    taken.id,
                    taken.sessions,
                    taken.took_s,
                )

    threading.Thread(target=run, name="ray-router-snapshots", daemon=True).start()


def restore_newest(router: RouterHandle, uri: str) -> None:
    """Begin with what the newest snapshot knows, if there is one.

    Raises:
        SnapshotError: there is one, and it cannot be restored.
    """
    try:
        restored = router.restore(uri).result()
    except SnapshotNotFoundError:
        return  # the first deployment
    _log.info("restored %d sessions of snapshot %s", restored.snapshot.sessions, restored.snapshot.id)
