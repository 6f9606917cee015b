"""``LedgerLoad``: what it enters, what it finds wrong, and what it calls lost."""

from __future__ import annotations

import pytest

from ray_router import RouterConfig, RouterHandle
from ray_router.testing import FaultyTransport, ManualClock, wait_until
from ray_router.transport import LocalTransport
from ray_router.workload import LedgerLoad, lost


@pytest.fixture
def transport() -> FaultyTransport:
    """One partition without a standby: what dies with it is lost."""
    return FaultyTransport(LocalTransport(RouterConfig(partitions=1, call_timeout_s=0.3)))


@pytest.fixture
def router(transport: FaultyTransport) -> RouterHandle:
    """A handle of it."""
    return RouterHandle(transport)


def test_what_is_acknowledged_is_entered_and_found(router: RouterHandle) -> None:
    """In calls of one and of many, whoever else has a ledger."""
    loads = [LedgerLoad(router, number, sessions=50, clock=ManualClock(7.0)) for number in range(2)]
    for load in loads:
        for _ in range(40):
            load.take_turn()
    for load in loads:
        assert load.acknowledged > len(load.promised) > 40
        assert {promise.at for promise in load.promised.values()} == {7.0}
        assert len(load.took_s) > 30
        assert (load.unanswered, load.wrong, load.by_standby) == ([], [], 0)
    assert lost(router, loads) == []


def test_what_is_forgotten_is_lost_and_answered_wrong(
    transport: FaultyTransport, router: RouterHandle
) -> None:
    """Each answer that is not as promised is kept with the promise."""
    load = LedgerLoad(router, 1, sessions=1_000)
    for _ in range(20):
        load.take_turn()
    promised = list(load.promised.values())
    transport.kill(0)
    transport.revive(0)
    assert lost(router, [load]) == promised
    for _ in range(20):
        load.take_turn()
    assert load.wrong
    assert all(answer.route is None for _, answer in load.wrong)


def test_what_is_not_answered_is_counted_and_in_doubt(
    transport: FaultyTransport, router: RouterHandle
) -> None:
    """A write that nobody acknowledged may stand or not: its session is not looked for in the end."""
    load = LedgerLoad(router, 1, sessions=1_000)
    for _ in range(40):
        load.take_turn()
    promised = set(load.promised)
    transport.kill(0)
    for _ in range(20):
        load.take_turn()
    said = "\n".join(load.unanswered)
    assert "PartitionUnavailableError" in said
    assert "an item of set_many was not acknowledged" in said
    assert "a key of resolve_many was not answered" in said
    assert set(load.promised) < promised


def test_it_goes_on_until_it_is_told_to_stop(router: RouterHandle) -> None:
    """In a thread of its own."""
    with LedgerLoad(router, 1) as load:
        wait_until(lambda: load.acknowledged > 50)
    acknowledged = load.acknowledged
    assert lost(router, [load]) == []
    assert load.acknowledged == acknowledged
