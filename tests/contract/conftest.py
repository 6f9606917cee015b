"""The transports that the contract is tested on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from ray_router import SessionKey

from .subjects import RayDeployments, Routers, in_process

_numbers = itertools.count(1)
_DAY_S = 86_400.0


@pytest.fixture(scope="session")
def ray_deployments(ray_cluster: str) -> Iterator[RayDeployments]:
    """Routers on Ray that the tests share."""
    deployments = RayDeployments(namespace="contract", most=2)
    yield deployments
    deployments.end()


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)], scope="session")
def routers(request: pytest.FixtureRequest) -> Routers:
    """Routers over each transport in turn."""
    if request.param == "local":
        return Routers(in_process)
    return Routers(request.getfixturevalue("ray_deployments"))


@pytest.fixture
def channel() -> str:
    """A channel that no other test uses."""
    return f"channel_{next(_numbers)}"


@pytest.fixture
def room(channel: str) -> SessionKey:
    """A room that no other test uses."""
    return SessionKey(channel, "bot", "room")


@pytest.fixture
def start() -> float:
    """An event time, epoch seconds, later than that of every test before."""
    return 1_700_000_000.0 + 100 * _DAY_S * next(_numbers)
