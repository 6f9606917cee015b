"""A router's actors as Ray shows them: names, processes, nodes, and what goes on inside."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ray_router import RouterHandle
from ray_router.runtime.transport import RayTransport
from ray_router.testing import wait_until
from ray_router.transport import Batch, Response, Ticket


class Place(NamedTuple):
    """Where a router is found."""

    name: str
    namespace: str
    partitions: int


SHARED = Place("shared", "runtime_tests", 2)


class CountingTransport(RayTransport):
    """The way to a router's actors, with the batches counted that each is sent."""

    def __init__(self, name: str, namespace: str) -> None:
        super().__init__(name, namespace)
        self.batches: Counter[int] = Counter()

    def submit(self, partition: int, batch: Batch) -> Ticket[Response]:  # type: ignore[override]
        """Count, and send."""
        self.batches[partition] += 1
        return super().submit(partition, batch)


def actor_of(place: Place, partition: int) -> Any:
    """A partition's actor."""
    import ray

    return ray.get_actor(f"ray_router:{place.name}:{partition}", namespace=place.namespace)


def inside(actor: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function makes of the actor's own object, in its process, past all its lanes."""
    import ray

    return ray.get(actor.__ray_call__.remote(function, *arguments))


def names_in(namespace: str) -> list[str]:
    """The named actors of a namespace."""
    import ray

    named = ray.util.list_named_actors(all_namespaces=True)
    return sorted(each["name"] for each in named if each["namespace"] == namespace)


def pids_of(router: RouterHandle) -> list[int]:
    """The processes of a router's partitions."""
    return [each.pid for each in router.stats().result().partitions]


def key_on(router: RouterHandle, partition: int, channel: str = "tg") -> str:
    """A session of a partition."""
    keys = [f"{channel}:bot:room_{number}" for number in range(200)]
    answers = router.resolve_many(keys).result()
    return next(str(answer.key) for answer in answers if answer.partition == partition)


def has_ended(pid: int) -> bool:
    """Whether a process is no more; one that its parent has yet to bury has ended as well."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextmanager
def data_lane_held(actor: Any) -> Iterator[Any]:
    """A partition that is busy: its data lane does nothing else meanwhile. The call that holds it."""

    def hold(partition: Any) -> str:
        partition.let_go = threading.Event()
        partition.let_go.wait()
        return "held"

    def is_held(partition: Any) -> bool:
        return hasattr(partition, "let_go")

    def let_go(partition: Any) -> None:
        partition.let_go.set()
        del partition.let_go

    holding = actor.__ray_call__.options(concurrency_group="data").remote(hold)
    wait_until(lambda: bool(inside(actor, is_held)))
    try:
        yield holding
    finally:
        inside(actor, let_go)


def living_nodes() -> set[str]:
    """The nodes of the cluster."""
    import ray

    nodes: Any = ray.nodes  # untyped
    return {node["NodeID"] for node in nodes() if node["Alive"]}


def own_environment() -> dict[str, str]:
    """The environment of a driver of its own."""
    return {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_enable_metrics_collection": "0"}
