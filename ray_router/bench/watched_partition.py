"""``WatchedPartition``: a partition as it is deployed, watched from inside its process."""

from __future__ import annotations

import time

from ray_router.bench.watched import Watched
from ray_router.config import RouterConfig
from ray_router.core.slots import Topology
from ray_router.runtime.actor import PartitionActor
from ray_router.transport import PartitionShell


class WatchedPartition(PartitionActor, Watched):
    """The actor of a router's only partition."""

    def __init__(self, index: int, config: RouterConfig, namespace: str, joins: bool) -> None:
        super().__init__(index, config, namespace, joins)
        self._ahead_s = 0.0
        self._shell = PartitionShell(index, config, Topology.balanced(1), clock=self._now)

    def move_on(self, seconds: float) -> None:
        """From now on it is so much later."""
        self._ahead_s += seconds

    def _now(self) -> float:
        return time.time() + self._ahead_s
