"""Partitions to read gauges from."""

from __future__ import annotations

from collections.abc import Callable

from ray_router import PartitionStats, RouterConfig
from ray_router.core.slots import Topology
from ray_router.transport import PartitionShell


def stats_of(config: RouterConfig, partition: int = 0, incarnation: int = 1) -> Callable[[], PartitionStats]:
    """The stats of a partition of its own."""
    topology = Topology.balanced(config.partitions)
    return PartitionShell(partition, config, topology, incarnation=incarnation).stats
