"""A driver of its own, with a cluster of its own: one of two nodes with partitions is lost under load.

Says in JSON what it counted: ``python node_lost.py``.
"""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from typing import Any

import ray
from ray.cluster_utils import Cluster

from ray_router import RouterConfig, deploy
from ray_router.bench.killing import Hunter
from ray_router.testing import wait_until
from ray_router.workload import LedgerLoad, lost

SEAT = "ray_router_partition"
ALLOWED_S = 180.0


def main() -> dict[str, Any]:
    """Lose the node of partition 0."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=2, resources={SEAT: 4}) for _ in range(2)]
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    config = RouterConfig(
        name="nodes", replicas=1, durability="sync", call_timeout_s=60.0, resources={SEAT: 1}, num_cpus=0.01
    )
    router = deploy(config, namespace="nodes")
    hunter = Hunter(router, "nodes")
    before = hunter.wait_until_whole()
    homes = {each.node for each in before}
    with ExitStack() as running:
        loads = [running.enter_context(LedgerLoad(router, number)) for number in range(2)]
        wait_until(lambda: sum(load.acknowledged for load in loads) > 500, within_s=ALLOWED_S)
        victim = next(each for each in nodes if each.node_id == before[0].node)
        cluster.remove_node(victim, allow_graceful=False)

        def is_whole() -> bool:
            stats = router.stats().result()
            moved = {each.node for each in stats.partitions} == homes - {victim.node_id}
            return stats.recovered and moved

        wait_until(is_whole, within_s=ALLOWED_S)
    missing = lost(router, loads)
    found = {
        "nodes": len(homes),
        "moved": sum(each.node == victim.node_id for each in before),
        "acknowledged": sum(load.acknowledged for load in loads),
        "lost": [each.key for each in missing],
        "unanswered": [why for load in loads for why in load.unanswered],
        "slowest_s": max(took_s for load in loads for took_s in load.took_s),
    }
    ray.shutdown()
    cluster.shutdown()  # type: ignore[no-untyped-call]
    return found


if __name__ == "__main__":
    print(json.dumps(main()))
