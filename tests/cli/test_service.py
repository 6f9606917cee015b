"""A partition that died too often: how ``status`` shows it, and how ``revive`` brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ray_router import Route, RouterConfig, RouterHandle
from ray_router.cli import lifecycle, watching
from ray_router.transport import LocalTransport

from .commands import run


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> RouterHandle:
    """A router in this process, which the commands find; its partition 1 is out of service."""
    transport = LocalTransport(RouterConfig(name="chat", partitions=3, replicas=1, max_restarts_in_window=2))
    handle = RouterHandle(transport)
    handle.set_many([(f"tg:bot:{number}", Route("home")) for number in range(50)]).result()
    for _ in range(3):
        transport.restart(1)

    @contextmanager
    def found(*_: object) -> Iterator[RouterHandle]:
        yield handle

    for module in (lifecycle, watching):
        monkeypatch.setattr(module, "connected", found)
    return handle


def test_status_shows_who_is_out_of_service(router: RouterHandle) -> None:
    """Its sessions are there all the same."""
    assert "out" in run("status", "--name", "chat").output
    assert run("status", "--name", "chat", "--json").json["out"] == [1]
    assert all(router.resolve_many([f"tg:bot:{number}" for number in range(50)]).result())


def test_revive_brings_it_back(router: RouterHandle) -> None:
    """Once; whoever is in service is said to be, with the code of a no."""
    ran = run("revive", 1, "--name", "chat", "--json")
    assert (ran.exit_code, ran.json) == (0, {"partition": 1, "revived": True})
    assert run("status", "--name", "chat", "--json").json["out"] == []
    again = run("revive", 1, "--name", "chat")
    assert (again.exit_code, again.output.strip()) == (1, "partition 1 was not out of service")
