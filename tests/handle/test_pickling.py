"""Handles travel to tasks and actors: what arrives is the same router, with nothing of the sender's state."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from ray_router import InvalidCallError, LocalTransport, Route, RouterConfig, RouterHandle
from ray_router.testing import FaultyTransport, ManualClock

from .scene import AWAY, HOME

KEY = "tg:bot:room"
_DEPLOYED: dict[str, LocalTransport] = {}


class Named(FaultyTransport):
    """A transport that finds its partitions by name, as the one over Ray does."""

    def __init__(self, name: str) -> None:
        super().__init__(_DEPLOYED[name])
        self.name = name

    def __reduce__(self) -> tuple[type[Named], tuple[str]]:
        return Named, (self.name,)


@pytest.fixture(params=["wall", "event"])
def handle(request: pytest.FixtureRequest) -> RouterHandle:
    """A handle of a router that can be found by name; on an event clock, at a time."""
    name: str = request.param
    _DEPLOYED[name] = LocalTransport(RouterConfig(name=name, clock=request.param), clock=ManualClock(1_000.0))
    router = RouterHandle(Named(name))
    return router.at(1_000.0) if name == "event" else router


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_handle_pickles(handle: RouterHandle, protocol: int) -> None:
    """Before it is connected and after, and what is written through one is read through the other."""
    early: RouterHandle = pickle.loads(pickle.dumps(handle, protocol))
    handle.set(KEY, HOME).result()
    late: RouterHandle = pickle.loads(pickle.dumps(handle, protocol))
    assert early.resolve(KEY).result().route == HOME
    late.set(KEY, AWAY, observed_at=999.0).result()
    assert handle.get(KEY).result() == early.get(KEY).result()
    assert late.config == handle.config


def test_a_handle_copies(handle: RouterHandle) -> None:
    """A copy is a handle of the same router, with a way of its own."""
    handle.set(KEY, HOME).result()
    for another in (copy.copy(handle), copy.deepcopy(handle)):
        assert another is not handle
        assert another.resolve(KEY).result().route == HOME


def test_a_handle_with_calls_under_way_pickles(handle: RouterHandle) -> None:
    """What the sender waits for stays with the sender."""
    transport: Any = handle._transport
    transport.freeze(0)
    reply = handle.set_many([(f"tg:bot:room_{number}", Route(str(number))) for number in range(20)])
    another = pickle.loads(pickle.dumps(handle))
    assert another.get("tg:bot:elsewhere").result() is None
    transport.thaw(0)
    assert len(reply.result()) == 20


def test_a_handle_at_a_time_stays_there() -> None:
    """The time of a handle travels with it; a handle without one arrives without one."""
    _DEPLOYED["times"] = LocalTransport(RouterConfig(name="times", clock="event"))
    router = RouterHandle(Named("times"))
    router.at(500.0).set(KEY, HOME).result()
    then: RouterHandle = pickle.loads(pickle.dumps(router.at(530.0)))
    record = then.get(KEY).result()
    assert record is not None
    assert record.age_s == 30
    with pytest.raises(InvalidCallError, match=r"handle\.at\(now\)"):
        pickle.loads(pickle.dumps(router)).get(KEY)


def test_an_in_process_router_does_not_pickle() -> None:
    """A router that lives in this process says so, instead of arriving empty."""
    with pytest.raises(TypeError, match="an in-process router does not pickle"):
        pickle.dumps(RouterHandle(LocalTransport(RouterConfig())))


def test_a_reply_does_not_pickle(handle: RouterHandle) -> None:
    """A reply belongs to the process that submitted; its answer pickles."""
    reply = handle.resolve(KEY, [HOME])
    with pytest.raises(TypeError):
        pickle.dumps(reply)
    assert pickle.loads(pickle.dumps(reply.result())) == reply.result()
