"""Where partitions run, and what Ray reserves for them."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from typing import Any

import pytest
import ray

from ray_router import Route, RouterConfig, deploy, shutdown
from ray_router.testing import wait_until

from .actors import Place, actor_of, inside

pytestmark = pytest.mark.ray
HEAD = "node:__internal_head__"  # a custom resource that every cluster has: one head's worth


def reserved(router: str, namespace: str, partition: int) -> dict[str, float]:
    """What Ray has set aside for a partition."""

    def assigned(partition: Any) -> dict[str, float]:
        context: Any = ray.get_runtime_context()  # untyped
        return dict(context.get_assigned_resources())

    found: dict[str, float] = inside(actor_of(Place(router, namespace, 1), partition), assigned)
    return found


def test_each_partition_reserves_what_the_config_says(ray_cluster: str, namespace: str) -> None:
    """CPUs and custom resources, until it is shut down."""
    config = RouterConfig(
        name="heavy", partitions=2, num_cpus=0.25, resources={HEAD: 0.125}, placement="pack"
    )
    deploy(config, namespace=namespace)
    try:
        for partition in range(2):
            assert reserved("heavy", namespace, partition) == {"CPU": 0.25, HEAD: 0.125}
        wait_until(lambda: left_of_the_head() == 0.75)
    finally:
        shutdown("heavy", namespace=namespace)
    wait_until(lambda: left_of_the_head() == 1.0)


def test_a_partition_may_reserve_nothing(ray_cluster: str, namespace: str) -> None:
    """Packed partitions run on a cluster that has no CPU to give."""
    deploy(RouterConfig(name="light", partitions=1, num_cpus=0, placement="pack"), namespace=namespace)
    assert reserved("light", namespace, 0) == {}
    shutdown("light", namespace=namespace)


def left_of_the_head() -> float:
    """What Ray has yet to give away of the head's resource, which nobody else asks for."""
    available: Any = ray.available_resources  # untyped
    left: float = round(available().get(HEAD, 0.0), 6)
    return left


def nodes_of(place: Place) -> Counter[str]:
    """How many of a router's partitions run on each node."""

    def node(partition: Any) -> str:
        return str(ray.get_runtime_context().get_node_id())

    return Counter(inside(actor_of(place, index), node) for index in range(place.partitions))


@pytest.mark.chaos
def test_spread_packed_and_moved(
    second_node: subprocess.Popen[bytes], ray_cluster: str, namespace: str
) -> None:
    """Spread partitions take turns over the nodes, packed ones share one; a lost node's go elsewhere."""
    packed, spread = Place("packed", namespace, 4), Place("spread", namespace, 4)
    for place, placement in ((packed, "pack"), (spread, "spread")):
        config = RouterConfig(name=place.name, partitions=4, placement=placement)  # type: ignore[arg-type]
        router = deploy(config, namespace=namespace)
    try:
        assert sorted(nodes_of(packed).values()) == [4]
        assert sorted(nodes_of(spread).values()) == [2, 2]
        router.set("tg:bot:*", Route("lobby")).result()
        second_node.send_signal(signal.SIGTERM)
        second_node.wait()

        def back() -> bool:
            stats = router.stats().result()
            return not stats.down and sum(each.restarts for each in stats.partitions) == 2

        wait_until(back)
        assert sorted(nodes_of(spread).values()) == [4]
        keys = [f"tg:bot:{number}" for number in range(50)]
        answers = router.resolve_many(keys, widest_scope=3).result()  # type: ignore[arg-type]
        assert {(answer.partition, answer.route) for answer in answers} == {
            (partition, Route("lobby")) for partition in range(4)
        }
    finally:
        for place in (packed, spread):
            shutdown(place.name, namespace=namespace)
