"""Deploying, finding and ending a router's actors."""

from __future__ import annotations

import time
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.config import RouterConfig
from ray_router.core.lives import Life
from ray_router.errors import ConfigMismatchError, InvalidConfigError, RouterNotFoundError
from ray_router.handle import RouterHandle
from ray_router.runtime.actor import Hello, sample_slots
from ray_router.runtime.controller import end_controller, start_controller
from ray_router.runtime.fleet import end
from ray_router.runtime.hiring import HiringTransport
from ray_router.runtime.partitions import CLOSE_WITHIN_S, find_or_create, fleet_of
from ray_router.runtime.snapshots import restore_newest
from ray_router.runtime.transport import deployed_partitions, require_ray


def deploy(config: RouterConfig, *, namespace: str = "ray_router") -> RouterHandle:
    """Deploy a router, or find the one that runs with this config already.

    Blocks until every partition has answered, and the newest snapshot in ``snapshot_uri`` is restored. Two
    drivers that deploy the same config at once get the same router.

    Raises:
        ConfigMismatchError: a router of this name runs with another config.
        InvalidConfigError: the hash strategy does not work in the actors, or not as it does here.
        SnapshotError: the newest snapshot in ``snapshot_uri`` cannot be restored; nothing is left.
        RouterError: Ray is not initialised, or not all partitions could be placed within
            ``deploy_timeout_s``; nothing that this call created is left.
    """
    require_ray()
    deadline = time.monotonic() + config.deploy_timeout_s
    before = set(deployed_partitions(config.name, namespace))
    fleet = fleet_of(config.name, namespace)
    actors: dict[int, ActorHandle[Any]] = {}
    lives: dict[int, Life] = {}
    created: list[ActorHandle[Any]] = []  # by this call; what another driver created a moment ago is not ours
    try:
        # The first partition decides: its config is the router's, and who else there is; the others are
        # created with it.
        partitions: tuple[int, ...] = (0,)
        while len(actors) < len(partitions):
            indices = [index for index in partitions if index not in actors]
            for index in indices:
                actors[index], is_new = find_or_create(index, config, fleet, joins=bool(before))
                created += [actors[index]] if is_new else []
            for index, hello in fleet.greet({each: actors[each] for each in indices}, deadline).items():
                if differences := config.differences(hello.directory.config):
                    raise ConfigMismatchError(config.name, differences)
                _check_strategy(index, hello, config)
                lives[index] = hello.life
                if index == 0:
                    partitions = hello.directory.topology.members
        if config.replicas and len({life.node for life in lives.values()}) > 1:
            ray.get([actor.meet.remote(lives) for actor in actors.values()])  # they choose standbys by it
        handle = RouterHandle(HiringTransport(config.name, namespace, actors))
        handle.connect()
        if config.autoscaling is not None:
            controller, is_new = start_controller(config, namespace)
            created += [controller] if is_new else []
        if config.snapshot_uri is not None:
            if not before:
                restore_newest(handle, config.snapshot_uri)
            ray.get(actors[0].keep_snapshots.remote())
    except BaseException:  # an interrupted deployment leaves nothing behind either
        end(created)
        raise
    return handle


def connect(name: str = "default", *, namespace: str = "ray_router") -> RouterHandle:
    """Find a deployed router from any process of the cluster.

    One look-up by name, and one call to learn the rest; in an event loop the call is left for later.

    Raises:
        RouterNotFoundError: there is no such router.
        RouterError: Ray is not initialised.
    """
    handle = RouterHandle(HiringTransport(name, namespace))
    handle.connect()
    return handle


def shutdown(name: str = "default", *, namespace: str = "ray_router") -> None:
    """End a router: each partition is told, then its actor is ended; blocks until their names are free.

    Raises:
        RouterNotFoundError: there is no such router.
        RouterError: Ray is not initialised, or an actor did not end.
    """
    require_ray()
    end_controller(name, namespace)
    indices = deployed_partitions(name, namespace)
    if not indices:
        raise RouterNotFoundError(f"no router {name!r} is deployed in namespace {namespace!r}")
    fleet_of(name, namespace).close(indices, CLOSE_WITHIN_S)


def _check_strategy(index: int, hello: Hello, config: RouterConfig) -> None:
    if hello.problem is not None:
        raise hello.problem
    if hello.sample_slots != sample_slots(config.hash_strategy):
        raise InvalidConfigError(
            "hash_strategy", f"{config.hash_strategy!r} gives other slots in partition {index} than here"
        )
