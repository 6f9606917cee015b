"""Deploying, finding and ending a router."""

from __future__ import annotations

import os
import pickle
import signal
from typing import Any

import pytest
import ray

from ray_router import (
    ConfigMismatchError,
    InvalidConfigError,
    Route,
    RouterConfig,
    RouterError,
    RouterHandle,
    RouterNotFoundError,
    connect,
    deploy,
    shutdown,
)
from ray_router.runtime import deployment, partitions
from ray_router.runtime.fleet import DeploymentError
from ray_router.testing import wait_until

from .actors import SHARED, actor_of, has_ended, names_in, pids_of

pytestmark = pytest.mark.ray
HOME = Route("home")


def changed(router: RouterHandle, **changes: Any) -> RouterConfig:
    """A router's config but for these fields."""
    return RouterConfig(**{**router.config.model_dump(), **changes})


def test_deploying_again_finds_the_running_router(shared_router: RouterHandle) -> None:
    """The same config gives the same actors, with what they hold."""
    shared_router.set("tg:again:room", HOME).result()
    again = deploy(changed(shared_router), namespace=SHARED.namespace)
    assert again.config == shared_router.config
    assert pids_of(again) == pids_of(shared_router)
    assert again.resolve("tg:again:room").result().route == HOME


def test_another_config_is_refused(shared_router: RouterHandle) -> None:
    """Every differing field is named with both values, no other; the running router goes on."""
    pids = pids_of(shared_router)
    with pytest.raises(ConfigMismatchError) as caught:
        deploy(changed(shared_router, partitions=3, ttl_s=None), namespace=SHARED.namespace)
    assert caught.value.name == SHARED.name
    assert caught.value.fields == ("partitions is 2, not 3", "ttl_s is 1800.0, not None")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert len(names_in(SHARED.namespace)) == SHARED.partitions
    assert pids_of(shared_router) == pids


def test_namespaces_are_apart(shared_router: RouterHandle, namespace: str) -> None:
    """A router is found in its namespace only."""
    assert connect(SHARED.name, namespace=SHARED.namespace).config.name == SHARED.name
    for find in (connect, shutdown):
        with pytest.raises(RouterNotFoundError, match=f"no router '{SHARED.name}' .* '{namespace}'"):
            find(SHARED.name, namespace=namespace)
        with pytest.raises(RouterNotFoundError):
            find("nobody", namespace=SHARED.namespace)


def test_connecting_is_one_look_up(shared_router: RouterHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """One name is looked up, no list is asked for, and the partitions' actors come with the answer."""
    looked_up: list[str] = []
    get_actor = ray.get_actor

    def counted(name: str, **options: Any) -> Any:
        looked_up.append(name)
        return get_actor(name, **options)

    monkeypatch.setattr(ray, "get_actor", counted)
    monkeypatch.setattr(ray.util, "list_named_actors", lambda **_: pytest.fail("asked for a list"))
    router = connect(SHARED.name, namespace=SHARED.namespace)
    answers = router.resolve_many([f"tg:bot:{number}" for number in range(50)]).result()
    assert {answer.partition for answer in answers} == set(range(SHARED.partitions))
    assert looked_up == [f"ray_router:{SHARED.name}:0"]


def test_shutdown_leaves_nothing(ray_cluster: str, namespace: str) -> None:
    """Names are free when it returns, processes end, and the next router of the name begins empty."""
    config = RouterConfig(name="brief", partitions=2)
    router = deploy(config, namespace=namespace)
    router.set("tg:bot:room", HOME).result()
    pids = pids_of(router)
    shutdown("brief", namespace=namespace)
    assert names_in(namespace) == []
    wait_until(lambda: all(map(has_ended, pids)))
    for find in (connect, shutdown):
        with pytest.raises(RouterNotFoundError):
            find("brief", namespace=namespace)

    again = deploy(config, namespace=namespace)
    assert set(pids_of(again)).isdisjoint(pids)
    assert again.resolve("tg:bot:room").result().route is None
    shutdown("brief", namespace=namespace)


def test_what_is_left_of_a_router_is_ended_too(ray_cluster: str, namespace: str) -> None:
    """A router whose first partition is gone for good can be found by the others, and ended."""
    router = deploy(RouterConfig(name="torso", partitions=2), namespace=namespace)
    ray.kill(actor_of(router_place(namespace), 0))
    wait_until(lambda: len(names_in(namespace)) == 1)
    assert connect("torso", namespace=namespace).config == router.config
    shutdown("torso", namespace=namespace)
    assert names_in(namespace) == []


def router_place(namespace: str) -> Any:
    """Where the torso is."""
    return SHARED._replace(name="torso", namespace=namespace)


def test_a_lost_partition_is_deployed_again(ray_cluster: str, namespace: str) -> None:
    """Deploying makes a router whole; the new partition knows the defaults, and old handles find it."""
    router = deploy(RouterConfig(name="torso", partitions=2), namespace=namespace)
    router.set("tg:*:*", HOME).result()
    ray.kill(actor_of(router_place(namespace), 1))
    wait_until(lambda: len(names_in(namespace)) == 1)
    whole = deploy(router.config, namespace=namespace)
    keys = [f"tg:bot:{number}" for number in range(50)]
    for handle in (whole, router):
        answers = handle.resolve_many(keys, widest_scope=3).result()  # type: ignore[arg-type]
        assert {(answer.partition, answer.route) for answer in answers} == {(0, HOME), (1, HOME)}
    shutdown("torso", namespace=namespace)


def test_a_router_that_cannot_be_placed_fails_in_time(ray_cluster: str, namespace: str) -> None:
    """It says which partitions, and leaves neither what was placed nor what still waits for its place."""
    config = RouterConfig(name="big", partitions=2, num_cpus=5, deploy_timeout_s=3)
    # The second never fits; a machine too slow to start the first within the time has another reason.
    with pytest.raises(DeploymentError, match=r"partitions \[[01]\] could not be placed in time") as caught:
        deploy(config, namespace=namespace)
    assert isinstance(caught.value, RouterError)
    assert names_in(namespace) == []
    nowhere = RouterConfig(name="far", partitions=1, resources={"moon": 1}, deploy_timeout_s=0.1)
    with pytest.raises(DeploymentError, match=r"partitions \[0\] could not be placed in time"):
        deploy(nowhere, namespace=namespace)
    assert names_in(namespace) == []


def test_a_partition_that_cannot_start_says_why(
    ray_cluster: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node where the package does not import fails a deployment at once, with its reason."""

    class Unborn:
        def __init__(self, *arguments: object) -> None:
            raise ModuleNotFoundError("No module named 'ray_router'")

        @ray.method(concurrency_group="control")
        def hello(self) -> None:
            """Never says it."""

    monkeypatch.setattr(partitions, "PartitionActor", Unborn)
    with pytest.raises(
        DeploymentError, match="partition 0 could not be deployed: ModuleNotFoundError: No mod"
    ):
        deploy(RouterConfig(name="unborn", partitions=2), namespace=namespace)
    assert names_in(namespace) == []


def test_a_failing_latecomer_ends_nothing_of_others(
    shared_router: RouterHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment that fails ends the actors that it created, not those that another created meanwhile."""
    pids = pids_of(shared_router)

    def fails(*_: object) -> None:
        raise InvalidConfigError("hash_strategy", "fails here")

    monkeypatch.setattr(deployment, "deployed_partitions", lambda name, namespace: [])  # it looked before
    monkeypatch.setattr(deployment, "_check_strategy", fails)
    with pytest.raises(InvalidConfigError, match="fails here"):
        deploy(shared_router.config, namespace=SHARED.namespace)
    assert pids_of(shared_router) == pids


def test_a_frozen_router_can_be_ended(ray_cluster: str, namespace: str) -> None:
    """Shutdown does not depend on the partitions' help."""
    router = deploy(RouterConfig(name="ice", partitions=1), namespace=namespace)
    (pid,) = pids_of(router)
    os.kill(pid, signal.SIGSTOP)
    shutdown("ice", namespace=namespace)
    assert names_in(namespace) == []
    os.kill(pid, signal.SIGCONT)  # ended at once by what waits for it
    wait_until(lambda: has_ended(pid))
