"""A cluster that starts and releases nodes by itself: ``python autoscaling.py``, in namespaces of its own.

Each node is a process of this machine, started by Ray's own autoscaler and its provider for tests. Says what
it saw in JSON. Ray's class ends every Ray that it sees, before it starts and when it ends: it must see none.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import AutoscalingCluster

from cluster.launching import loopback
from ray_router import (
    AutoscalingConfig,
    AutoscalingStats,
    Route,
    RouterConfig,
    RouterHandle,
    deploy,
    shutdown,
)
from ray_router.testing import wait_until

PATIENT_S = 60.0
ALLOWED_S = 180.0
ROOMS = [f"tg:bot:room_{each}" for each in range(350)]
STAYING = 50
ROUTER = RouterConfig(
    name="scaled",
    partitions=2,
    call_timeout_s=PATIENT_S,
    deploy_timeout_s=ALLOWED_S,
    stale_retention_s=0.1,
    tombstone_retention_s=0.1,
    cleanup_interval_s=0.1,
    resources={"seat": 1},
    autoscaling=AutoscalingConfig(
        min_partitions=2,
        max_partitions=4,
        target_entries=100,
        target_calls_per_s=1e9,
        upscale_delay_s=1.0,
        downscale_delay_s=2.0,
        interval_s=0.5,
    ),
)


class Nodes(AutoscalingCluster):
    """Two seats on each node, and a node is released after six seconds without anybody.

    Ray's wheel lacks the file that its class takes its settings from.
    """

    def _generate_config(
        self, head_resources: Any, worker_node_types: Any, autoscaler_v2: Any = False, **config_kwargs: Any
    ) -> dict[str, Any]:
        head = {"resources": head_resources, "node_config": {}, "max_workers": 0}
        return {
            "cluster_name": "seats",
            "max_workers": 4,
            "idle_timeout_minutes": 0.1,
            "upscaling_speed": 100.0,
            "provider": {
                "type": "fake_multinode",
                "use_node_id_as_ip": True,
                "disable_node_updaters": True,
                "disable_launch_config_check": True,
            },
            "available_node_types": worker_node_types | {"ray.head.default": head},
            "head_node_type": "ray.head.default",
            "docker": {},
            "auth": {},
            "file_mounts": {},
            "cluster_synced_files": [],
            "file_mounts_sync_continuously": False,
            "rsync_exclude": [],
            "rsync_filter": [],
            "initialization_commands": [],
            "setup_commands": [],
            "head_setup_commands": [],
            "worker_setup_commands": [],
            "head_start_ray_commands": [],
            "worker_start_ray_commands": [],
        }


class Asking:
    """Asks for rooms again and again, and remembers what was not answered as it should be."""

    def __init__(self, router: RouterHandle) -> None:
        self._router = router
        self._over = threading.Event()
        self.asked = 0
        self.lost: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            room = ROOMS[self.asked * 7 % STAYING]
            try:
                answer = self._router.resolve(room).result()
            except Exception as error:  # nothing may be raised, whatever it is
                self.lost.append(f"{room}: {error}")
            else:
                self.lost += [] if answer.route == Route(room) else [str(answer)]
            self.asked += 1


def living() -> int:
    """How many nodes there are."""
    nodes: Any = ray.nodes  # untyped
    return sum(node["Alive"] for node in nodes())


def said(router: RouterHandle) -> AutoscalingStats:
    """What the controller says of itself."""
    stats = router.stats().result().autoscaling
    return AutoscalingStats() if stats is None else stats


def look() -> dict[str, Any]:
    """What became of nodes and partitions as the load rose and fell."""
    seen: dict[str, Any] = {"nodes": [], "partitions": [], "reasons": []}
    router = deploy(ROUTER)

    def sizes() -> tuple[int, int]:
        owners = [each for each in router.stats().result().partitions if each.slots]
        return living(), len(owners)

    def note(nodes: int, partitions: int) -> None:
        try:
            wait_until(lambda: sizes() == (nodes, partitions), within_s=ALLOWED_S)
        except TimeoutError:
            print(sizes(), said(router), file=sys.stderr, flush=True)
            raise
        last = said(router).last
        seen["nodes"].append(nodes)
        seen["partitions"].append(partitions)
        seen["reasons"].append(None if last is None else last.reason.value)

    router.set_many([(room, Route(room)) for room in ROOMS[:STAYING]]).result()
    with Asking(router) as asking:
        note(2, 2)
        router.set_many([(room, Route(room)) for room in ROOMS[STAYING:]]).result()
        note(3, 4)
        answers = router.resolve_many(ROOMS).result()
        seen["lost"] = [room for room, each in zip(ROOMS, answers, strict=True) if each.route != Route(room)]
        for room in ROOMS[STAYING:]:
            router.delete(room).result()
        note(2, 2)
    seen["asked"] = asking.asked
    seen["lost"] += asking.lost
    shutdown(ROUTER.name)
    return seen


def main() -> None:
    """Start the cluster, look, and end it."""
    assert os.getpid() == 1, "in a process namespace of its own, where `ray stop` meets nobody else's Ray"
    loopback()
    Path("/tmp/ray").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp/ray"], check=True)  # in this namespace alone
    node = {"resources": {"CPU": 1, "seat": 2}, "node_config": {}, "min_workers": 0, "max_workers": 4}
    nodes = Nodes({"CPU": 1, "object_store_memory": 100_000_000}, {"seats": node})
    nodes.start()
    try:
        ray.init("auto", namespace="ray_router", log_to_driver=False, logging_level=logging.ERROR)
        seen = look()
        ray.shutdown()
    finally:
        nodes.shutdown()  # type: ignore[no-untyped-call]
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
