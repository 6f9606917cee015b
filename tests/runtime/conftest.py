"""The router that the tests share: processes are dear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ray_router import RouterConfig, RouterHandle, deploy, shutdown

from .actors import SHARED


@pytest.fixture(scope="package")
def shared_router(ray_cluster: str) -> Iterator[RouterHandle]:
    """A router that no test may end, kill or fill."""
    config = RouterConfig(name=SHARED.name, partitions=SHARED.partitions, call_timeout_s=30)
    yield deploy(config, namespace=SHARED.namespace)
    shutdown(SHARED.name, namespace=SHARED.namespace)
