"""The partitions of a router as a fleet of actors: what they are called, and what Ray is told of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.config import RouterConfig
from ray_router.runtime.actor import CONCURRENCY_GROUPS, PartitionActor
from ray_router.runtime.fleet import Fleet
from ray_router.runtime.naming import actor_name, partition_of

CLOSE_WITHIN_S = 2.0


def fleet_of(name: str, namespace: str) -> Fleet:
    """The partitions of a router, wherever they are."""
    return Fleet(
        noun="partition",
        of=f"router {name!r}",
        namespace=namespace,
        name_of=partial(actor_name, name),
        number_of=partial(partition_of, router=name),
        needs="enough free CPU and the resources that the config asks for",
    )


def find_or_create(
    index: int, config: RouterConfig, fleet: Fleet, *, joins: bool
) -> tuple[ActorHandle[Any], bool]:
    """A partition's actor, and whether this call created it.

    Args:
        joins: other partitions were deployed before it, and may know what it should.
    """
    actor_class = ray.remote(concurrency_groups=CONCURRENCY_GROUPS)(PartitionActor)  # type: ignore[call-overload]
    options = {
        "max_task_retries": 0,  # the handle knows better which calls to repeat, and when
        "num_cpus": config.num_cpus,
        "resources": config.resources or None,
        "scheduling_strategy": "SPREAD" if config.placement == "spread" else "DEFAULT",
    }
    return fleet.find_or_create(index, actor_class, options, index, config, fleet.namespace, joins)
