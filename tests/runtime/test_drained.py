"""A node is drained under a router: its partitions' slots leave before it does, and nobody notices."""

from __future__ import annotations

import subprocess
import threading
import time
from typing import Any

import pytest
import ray

from ray_router import (
    AutoscalingConfig,
    PartitionStats,
    Route,
    RouterConfig,
    RouterHandle,
    ScalingReason,
    connect,
    deploy,
    shutdown,
)
from ray_router.testing import wait_until

from .actors import living_nodes

pytestmark = [pytest.mark.ray, pytest.mark.chaos]  # a node is started, and drained, for this alone
_ALLOWED_S = 120.0
ROOMS = [f"tg:bot:room_{each}" for each in range(240)]
CONFIG = RouterConfig(
    name="drained",
    partitions=4,
    replicas=1,
    durability="sync",
    call_timeout_s=60.0,
    hedge_after_s=60.0,  # a standby answers for who is down, and for nobody who is only late
    frozen_after_s=60.0,
    autoscaling=AutoscalingConfig(min_partitions=4, max_partitions=4, interval_s=0.5),
)


class Asking:
    """Asks for every room again and again, over a handle of its own, and keeps the books."""

    def __init__(self, router: RouterHandle) -> None:
        self._router = router
        self._over = threading.Event()
        self.rounds = self.by_standby = 0
        self.wrong: list[Any] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._once()
            except Exception as error:  # nothing may be raised, whatever it is
                self.wrong.append(error)
            self.rounds += 1

    def _once(self) -> None:
        for room in (ROOMS[self.rounds % len(ROOMS)], ROOMS[7 * self.rounds % len(ROOMS)]):
            self._router.set(room, Route(room)).result()
        for room, answer in zip(ROOMS, self._router.resolve_many(ROOMS).result(), strict=True):
            self.by_standby += answer.served_by_standby
            if answer.route != Route(room) or answer.reason:
                self.wrong.append(answer)


def drain(node: str, address: str) -> None:
    """Announce that a node is about to leave, as clouds and Ray's own autoscaler do."""
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # it is compiled
    from ray.core.generated import autoscaler_pb2

    reasons: Any = autoscaler_pb2
    reason = reasons.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline_ms = int((time.time() + 600) * 1_000)
    accepted, problem = GcsClient(address=address).drain_node(node, reason, "reclaimed", deadline_ms)
    assert accepted, problem


class Guest:
    """Something else that lives on a node, and keeps it from leaving at once when it is drained."""

    def ready(self) -> None:
        """It is there."""


def test_slots_leave_before_the_node_does(
    second_node: subprocess.Popen[bytes], ray_cluster: str, namespace: str
) -> None:
    """While the drained node still lives all its slots are elsewhere, and its partitions a moment later.

    At no time did a standby have to answer, or was an answer missing.
    """
    here: str = ray.get_runtime_context().get_node_id()
    (there,) = living_nodes() - {here}
    guest: Any = ray.remote(Guest).options(num_cpus=0, resources={"second": 1}).remote()  # untyped
    ray.get(guest.ready.remote())
    router = deploy(CONFIG, namespace=namespace)

    def partitions() -> tuple[PartitionStats, ...]:
        return router.stats().result().partitions

    def on(node: str) -> list[int]:
        return [each.partition for each in partitions() if each.node == node and each.slots]

    try:
        router.set_many([(room, Route(room)) for room in ROOMS]).result()
        assert (len(on(here)), len(on(there))) == (2, 2)
        with Asking(connect("drained", namespace=namespace)) as asking:
            wait_until(lambda: asking.rounds > 5, within_s=_ALLOWED_S)
            drain(there, ray_cluster)
            wait_until(lambda: on(there) == [], within_s=_ALLOWED_S)
            assert there in living_nodes()
            wait_until(lambda: len(on(here)) == 4, within_s=_ALLOWED_S)
            assert there in living_nodes()
            said = router.stats().result().autoscaling
            assert said is not None
            assert said.last is not None
            assert (said.last.after, said.last.reason, said.blind) == (4, ScalingReason.BACK, "")
            ray.kill(guest)
            wait_until(lambda: there not in living_nodes(), within_s=_ALLOWED_S)
            after = asking.rounds + 5
            wait_until(lambda: asking.rounds > after, within_s=_ALLOWED_S)
        assert (asking.by_standby, asking.wrong) == (0, [])
        assert sorted(each.restarts for each in partitions()) == [0, 0, 1, 1]
    finally:
        shutdown("drained", namespace=namespace)
