"""Deploying, finding and ending a router's actors."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.config import RouterConfig
from ray_router.core.lives import Life
from ray_router.errors import ConfigMismatchError, InvalidConfigError, RouterError, RouterNotFoundError
from ray_router.handle import RouterHandle
from ray_router.runtime.actor import CONCURRENCY_GROUPS, Hello, PartitionActor, sample_slots
from ray_router.runtime.naming import actor_name
from ray_router.runtime.transport import RayTransport, deployed_partitions, require_ray

_CLOSE_WITHIN_S = 2.0
_GONE_WITHIN_S = 30.0
_LOOK_AGAIN_S = 0.02


class DeploymentError(RouterError):
    """The actors of a router could not be placed in time."""


def deploy(config: RouterConfig, *, namespace: str = "ray_router") -> RouterHandle:
    """Deploy a router, or find the one that runs with this config already.

    Blocks until every partition has answered. Two drivers that deploy the same config at once get the
    same router.

    Raises:
        ConfigMismatchError: a router of this name runs with another config.
        InvalidConfigError: the hash strategy does not work in the actors, or not as it does here.
        RouterError: Ray is not initialised, or not all partitions could be placed within
            ``deploy_timeout_s``; nothing that this call created is left.
    """
    require_ray()
    deadline = time.monotonic() + config.deploy_timeout_s
    before = set(deployed_partitions(config.name, namespace))
    actors: dict[int, ActorHandle[Any]] = {}
    lives: dict[int, Life] = {}
    created: list[ActorHandle[Any]] = []  # by this call; what another driver created a moment ago is not ours
    try:
        # The first partition decides: its config is the router's, and the others are created with it.
        for indices in (range(1), range(1, config.partitions)):
            for index in indices:
                actors[index], is_new = _find_or_create(index, config, namespace, joins=bool(before))
                created += [actors[index]] if is_new else []
            for index, hello in _greet(actors, deadline).items():
                if differences := config.differences(hello.directory.config):
                    raise ConfigMismatchError(config.name, differences)
                _check_strategy(index, hello, config)
                lives[index] = hello.life
        if config.replicas and len({life.node for life in lives.values()}) > 1:
            ray.get([actor.meet.remote(lives) for actor in actors.values()])  # they choose standbys by it
    except BaseException:  # an interrupted deployment leaves nothing behind either
        _end(created)
        raise
    transport = RayTransport(config.name, namespace, actors)
    handle = RouterHandle(transport)
    handle.connect()
    return handle


def connect(name: str = "default", *, namespace: str = "ray_router") -> RouterHandle:
    """Find a deployed router from any process of the cluster.

    One look-up by name, and one call to learn the rest; in an event loop the call is left for later.

    Raises:
        RouterNotFoundError: there is no such router.
        RouterError: Ray is not initialised.
    """
    handle = RouterHandle(RayTransport(name, namespace))
    handle.connect()
    return handle


def shutdown(name: str = "default", *, namespace: str = "ray_router") -> None:
    """End a router: each partition is told, then its actor is ended; blocks until their names are free.

    Raises:
        RouterNotFoundError: there is no such router.
        RouterError: Ray is not initialised, or an actor did not end.
    """
    require_ray()
    indices = deployed_partitions(name, namespace)
    if not indices:
        raise RouterNotFoundError(f"no router {name!r} is deployed in namespace {namespace!r}")
    actors = []
    for index in indices:
        try:
            actors.append(ray.get_actor(actor_name(name, index), namespace=namespace))
        except ValueError:
            continue  # ended by somebody else in the meantime
    if closing := [actor.close.remote() for actor in actors]:
        ray.wait(closing, num_returns=len(closing), timeout=_CLOSE_WITHIN_S)
    _end(actors)
    deadline = time.monotonic() + _GONE_WITHIN_S
    while left := deployed_partitions(name, namespace):
        if time.monotonic() > deadline:
            raise RouterError(f"partitions {left} of router {name!r} did not end")
        time.sleep(_LOOK_AGAIN_S)


def _find_or_create(
    index: int, config: RouterConfig, namespace: str, *, joins: bool
) -> tuple[ActorHandle[Any], bool]:
    """The actor of a partition, and whether this call created it; of several that race, one does."""
    name = actor_name(config.name, index)
    actor_class = ray.remote(concurrency_groups=CONCURRENCY_GROUPS)(PartitionActor)  # type: ignore[call-overload]
    options = actor_class.options(
        name=name,
        namespace=namespace,
        lifetime="detached",
        max_restarts=-1,
        max_task_retries=0,  # the handle knows better which calls to repeat, and when
        num_cpus=config.num_cpus,
        resources=config.resources or None,
        scheduling_strategy="SPREAD" if config.placement == "spread" else "DEFAULT",
    )
    try:
        return ray.get_actor(name, namespace=namespace), False
    except ValueError:
        try:
            return options.remote(index, config, namespace, joins), True
        except ray.exceptions.ActorAlreadyExistsError:
            return ray.get_actor(name, namespace=namespace), False


def _greet(actors: dict[int, ActorHandle[Any]], deadline: float) -> dict[int, Hello]:
    """Hear from every actor, again from one that is just restarting."""
    hellos: dict[int, Hello] = {}
    while True:
        calls = {actor.hello.remote(): index for index, actor in actors.items() if index not in hellos}
        remaining_s = max(0.0, deadline - time.monotonic())
        ready, _ = ray.wait(list(calls), num_returns=len(calls), timeout=remaining_s)
        for call in ready:
            try:
                hellos[calls[call]] = ray.get(call)
            except ray.exceptions.ActorUnavailableError:
                continue
            except ray.exceptions.RayError as error:  # dead for good: it could not start, or was ended
                why = str(error).strip().rpartition("\n")[2].strip()
                raise DeploymentError(f"partition {calls[call]} could not be deployed: {why}") from None
        if len(hellos) == len(actors):
            return hellos
        if time.monotonic() >= deadline:
            missing = [index for index in actors if index not in hellos]
            raise DeploymentError(
                f"partitions {missing} could not be placed in time: is there a node with enough free CPU "
                "and the resources that the config asks for?"
            )
        time.sleep(_LOOK_AGAIN_S)


def _check_strategy(index: int, hello: Hello, config: RouterConfig) -> None:
    if hello.problem is not None:
        raise hello.problem
    if hello.sample_slots != sample_slots(config.hash_strategy):
        raise InvalidConfigError(
            "hash_strategy", f"{config.hash_strategy!r} gives other slots in partition {index} than here"
        )


def _end(actors: Iterable[ActorHandle[Any]]) -> None:
    for actor in actors:
        ray.kill(actor, no_restart=True)
