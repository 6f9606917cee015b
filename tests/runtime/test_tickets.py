"""Tickets: a Ray call under way, waited for in a thread or announced."""

from __future__ import annotations

import threading

import pytest
import ray

from ray_router import RouterHandle
from ray_router.runtime.transport import RayTicket, RayTransport
from ray_router.testing import wait_until
from ray_router.transport import Control, NotYet, PartitionBroken, PartitionGone, Pulse

from .actors import SHARED, actor_of, data_lane_held

pytestmark = pytest.mark.ray


def test_a_ticket_settles_once_for_all_who_wait(shared_router: RouterHandle) -> None:
    """Before that it says "not yet", to whoever waits, however it is waited for."""
    announced = threading.Event()
    with data_lane_held(actor_of(SHARED, 1)) as holding:
        ticket = RayTicket(holding, str.upper)
        other = RayTicket(holding, str.upper)
        for each in (ticket, other):
            with pytest.raises(NotYet, match="it has not answered yet"):
                each.wait(0)
        ticket.on_done(announced.set)
        with pytest.raises(NotYet, match="it has not answered yet"):
            ticket.wait(0.001)
        assert not announced.is_set()
    assert ticket.wait(30) == other.wait(30) == ticket.wait(0) == "HELD"
    wait_until(announced.is_set)
    late = threading.Event()
    ticket.on_done(late.set)
    other.on_done(late.set)
    wait_until(late.is_set)


def test_a_partitions_own_trouble_is_its_answer(shared_router: RouterHandle) -> None:
    """A timeout that the partition raised is a failure, not a reason to go on waiting."""

    def fail(partition: object) -> None:
        raise TimeoutError("the disk is slow")

    ticket = RayTicket(actor_of(SHARED, 1).__ray_call__.remote(fail), str)
    for _ in range(2):
        with pytest.raises(PartitionBroken, match=r"^it failed with TimeoutError\('the disk is slow'\)$"):
            ticket.wait(30)
        ticket.on_done(lambda: None)


def test_without_ray_a_ticket_says_so(shared_router: RouterHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray has been shut down, nobody asks it: that would start a cluster."""
    transport = RayTransport(SHARED.name, SHARED.namespace)
    ticket = transport.ask(0, Control.PING)
    assert isinstance(ticket.wait(30), Pulse)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(PartitionBroken, match=r"call ray\.init\(\)"):
        ticket.wait(30)
    with pytest.raises(PartitionBroken, match=r"call ray\.init\(\)"):
        transport.ask(0, Control.PING)
    assert not transport.relocate(0)


def test_an_actor_that_cannot_be_called_is_gone(
    shared_router: RouterHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Ray raises at the call itself, a handle of another cluster say, is a reason to look again."""

    class Foreign:
        @property
        def answer(self) -> object:
            raise ValueError("actor handle of another cluster")

    transport = RayTransport(SHARED.name, SHARED.namespace, {0: Foreign()})  # type: ignore[dict-item]
    with pytest.raises(PartitionGone, match="it cannot be called: actor handle of another cluster"):
        transport.ask(0, Control.PING)
    assert transport.relocate(0)
    assert isinstance(transport.ask(0, Control.PING).wait(30), Pulse)
