"""``FaultyTransport``: partitions that die, come back, freeze, thaw, or are gone for good."""

from __future__ import annotations

import threading

import pytest

from ray_router import PartitionUnavailableError, Route, RouterConfig, RouterHandle, SetOutcome
from ray_router.testing import FaultyTransport, HeldTicket, wait_until
from ray_router.transport import (
    Control,
    LocalTransport,
    NotYet,
    PartitionGone,
    PartitionLost,
    Pulse,
    Ticket,
)

KEY, HOME = "tg:bot:room", Route("home")


@pytest.fixture
def transport() -> FaultyTransport:
    """One partition."""
    return FaultyTransport(LocalTransport(RouterConfig(partitions=1)))


@pytest.fixture
def router(transport: FaultyTransport) -> RouterHandle:
    """A handle of it."""
    return RouterHandle(transport)


def pulse(ticket: Ticket[object]) -> Pulse:
    """The answer to a ping."""
    answer = ticket.wait(0)
    assert isinstance(answer, Pulse)
    return answer


def test_it_passes_everything_on(transport: FaultyTransport, router: RouterHandle) -> None:
    """Until told otherwise it is the transport that it wraps, and counts."""
    assert router.set(KEY, HOME).result().outcome is SetOutcome.STORED
    assert router.resolve(KEY).result().route == HOME
    assert router.stats().result().traffic.stored == 1
    assert (transport.sent, transport.asked, transport.looked_up) == ({0: 2}, {0: 1}, {})
    assert transport.relocate(0)
    assert transport.looked_up == {0: 1}


def test_the_dead_forget(transport: FaultyTransport, router: RouterHandle) -> None:
    """A dead partition answers nothing; its next life begins empty, and counts one more."""
    router.set(KEY, HOME).result()
    assert pulse(transport.ask(0, Control.PING)).incarnation == 1
    transport.kill(0)
    with pytest.raises(PartitionLost, match="killed by a test"):
        transport.ask(0, Control.PING)
    transport.revive(0)
    assert pulse(transport.ask(0, Control.PING)).incarnation == 2
    assert router.get(KEY).result() is None


def test_a_sudden_restart(transport: FaultyTransport, router: RouterHandle) -> None:
    """Reviving what lives ends its life and begins the next, without anyone having noticed."""
    router.set(KEY, HOME).result()
    transport.revive(0)
    assert router.get(KEY).result() is None


def test_the_frozen_answer_when_they_thaw(transport: FaultyTransport, router: RouterHandle) -> None:
    """What a frozen partition was sent is carried out when it thaws, in order, and not before."""
    transport.freeze(0)
    first, second = transport.ask(0, Control.PING), transport.ask(0, Control.STATS)
    reply = router.set(KEY, HOME)
    order: list[str] = []
    second.on_done(lambda: order.append("second"))
    first.on_done(lambda: order.append("first"))
    for ticket in (first, second):
        with pytest.raises(NotYet):
            ticket.wait(0)
    transport.freeze(0)  # it is frozen already: nothing is lost
    transport.thaw(0)
    assert order == ["first", "second"]
    assert pulse(first).incarnation == 1
    assert reply.result().outcome is SetOutcome.STORED
    transport.thaw(0)  # it is not frozen: nothing happens


def test_the_frozen_may_die(transport: FaultyTransport) -> None:
    """Killed or removed while it is frozen, a partition loses what it was sent, and is frozen no more."""
    for end, fault in ((transport.kill, PartitionLost), (transport.remove, PartitionGone)):
        transport.freeze(0)
        ticket = transport.ask(0, Control.PING)
        end(0)
        with pytest.raises(fault):
            ticket.wait(0)
        transport.revive(0)
        assert transport.relocate(0)
        assert pulse(transport.ask(0, Control.PING)).epoch == 1


def test_the_frozen_may_be_refused(transport: FaultyTransport, router: RouterHandle) -> None:
    """A batch that its partition refuses when it thaws fails as it would have before."""
    router.set(KEY, HOME).result()
    transport.revive(0)
    router.set(KEY, HOME).result()  # the handle knows of the second life
    transport.remove(0)
    transport.revive(0)  # whose successor counts anew
    transport.relocate(0)  # behind the handle's back
    transport.freeze(0)
    reply = router.set(KEY, HOME)
    transport.thaw(0)
    transport.revive(0)
    assert reply.result().outcome is SetOutcome.STORED


def test_what_is_gone_must_be_looked_up(transport: FaultyTransport, router: RouterHandle) -> None:
    """Nobody answers for a partition that is gone; another actor in its place is another life, the first."""
    transport.revive(0)
    transport.remove(0)
    assert not transport.relocate(0)
    with pytest.raises(PartitionGone, match="removed by a test"):
        transport.ask(0, Control.PING)
    with pytest.raises(PartitionUnavailableError):
        router.get(KEY).result()
    transport.revive(0)
    with pytest.raises(PartitionGone):
        transport.ask(0, Control.PING)
    assert transport.relocate(0)
    assert pulse(transport.ask(0, Control.PING)).incarnation == 1


def test_a_held_ticket_settles_on_demand() -> None:
    """It calls back whoever asked before and after, and gives its answer as often as it is asked."""
    ticket: HeldTicket[int] = HeldTicket()
    heard: list[str] = []
    ticket.on_done(lambda: heard.append("before"))
    with pytest.raises(NotYet, match="held by a test"):
        ticket.wait(0)
    settling = threading.Thread(target=ticket.settle, args=(7,))
    settling.start()
    assert ticket.wait(60) == 7
    settling.join()
    ticket.on_done(lambda: heard.append("after"))
    assert heard == ["before", "after"]
    assert ticket.wait(0) == 7


def test_a_held_ticket_may_fail() -> None:
    """A fault is raised at each wait."""
    ticket: HeldTicket[int] = HeldTicket()
    ticket.settle(PartitionLost("it died"))
    for _ in range(2):
        with pytest.raises(PartitionLost, match="it died"):
            ticket.wait(0)


def test_waiting_for_a_state() -> None:
    """``wait_until`` returns when the condition holds, and says so when it never does."""
    readings = iter([False, False, True])
    wait_until(lambda: next(readings))
    assert next(readings, None) is None
    with pytest.raises(TimeoutError, match=r"not so within 0\.01 s"):
        wait_until(lambda: False, within_s=0.01)
