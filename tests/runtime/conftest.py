"""The router that the tests share: processes are dear."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ray_router import RouterConfig, RouterHandle, deploy, shutdown
from ray_router.testing import wait_until

from .actors import SHARED, living_nodes, own_environment
from .prey import PREY, PREY_CONFIG, Prey


@pytest.fixture(scope="package")
def shared_router(ray_cluster: str) -> Iterator[RouterHandle]:
    """A router that no test may end, kill or fill."""
    config = RouterConfig(name=SHARED.name, partitions=SHARED.partitions, call_timeout_s=30)
    yield deploy(config, namespace=SHARED.namespace)
    shutdown(SHARED.name, namespace=SHARED.namespace)


@pytest.fixture(scope="package")
def prey_deployed(ray_cluster: str) -> Iterator[None]:
    """A router whose partitions may be killed and frozen, by tests that leave them serving."""
    deploy(PREY_CONFIG, namespace=PREY.namespace)
    yield
    shutdown(PREY.name, namespace=PREY.namespace)


@pytest.fixture
def prey(prey_deployed: None) -> Prey:
    """That router, whole, with a session on each partition."""
    return Prey()


@pytest.fixture
def second_node(ray_cluster: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another node of the cluster, until it ends; it has a resource of its own."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "2"]
    before = living_nodes()
    with subprocess.Popen(
        [*command, "--resources", '{"second": 1}', "--address", ray_cluster],
        env=own_environment(),
        stdout=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: len(living_nodes()) == len(before) + 1)
        yield process
        process.send_signal(signal.SIGTERM)
    wait_until(lambda: living_nodes() == before)
