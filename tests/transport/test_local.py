"""``LocalTransport``: a whole router in this process, by the same rules."""

from __future__ import annotations

import pickle

import pytest

from ray_router import InvalidCallError, LocalTransport, Route, RouterConfig, RouterHandle, SessionKey
from ray_router.core.slots import SLOTS
from ray_router.testing import ManualClock
from ray_router.transport import (
    Control,
    Fault,
    NotYet,
    PartitionBroken,
    PartitionGone,
    PartitionLost,
    Pulse,
)

HOME = Route("home")
KEY = "tg:bot:room"


def test_the_directory_says_what_it_is() -> None:
    """Config and topology, at once and always the same."""
    config = RouterConfig(partitions=3)
    transport = LocalTransport(config)
    directory = transport.open().wait(0)
    assert directory.config is config
    assert (directory.topology.epoch, directory.topology.partitions) == (1, (0, 1, 2))
    assert sum(directory.topology.shares.values()) == SLOTS


def test_a_settled_ticket_calls_back_at_once() -> None:
    """Nothing is under way here: whoever asks to be told is told in the asking."""
    heard: list[str] = []
    LocalTransport(RouterConfig()).ask(0, Control.PING).on_done(lambda: heard.append("done"))
    assert heard == ["done"]


def test_each_partition_answers_control_calls() -> None:
    """Pings, stats and pruning, each partition for itself; what is no request is refused."""
    clock = ManualClock()
    transport = LocalTransport(RouterConfig(partitions=2), clock=clock)
    router = RouterHandle(transport, clock=clock)
    written = router.set(KEY, HOME).result().partition
    assert transport.ask(written, Control.PING).wait(0) == Pulse(epoch=1, incarnation=1)
    clock.advance(1_801)
    assert [transport.ask(index, Control.PRUNE).wait(0) for index in (written, 1 - written)] == [1, 0]
    stats = router.stats().result().partitions[written]
    assert (stats.slots, stats.incarnation, stats.epoch, stats.holdings.stale) == (SLOTS // 2, 1, 1, 1)
    assert stats.uptime_s >= 0
    with pytest.raises(InvalidCallError, match="request"):
        transport.ask(0, "dance")  # type: ignore[arg-type]


def test_pruning_moves_on_all_that_is_due() -> None:
    """However many entries are due, one call to prune moves them all."""
    clock = ManualClock()
    router = RouterHandle(LocalTransport(RouterConfig(partitions=1), clock=clock), clock=clock)
    router.set_many([(f"tg:bot:room_{number}", HOME) for number in range(1_000)]).result()
    clock.advance(1_801)
    assert router.prune().result().pruned == 1_000
    assert router.prune().result().pruned == 0


def test_a_restarted_partition_has_the_defaults_of_a_peer() -> None:
    """Its sessions are gone, the defaults of instances and channels are not."""
    transport = LocalTransport(RouterConfig(partitions=2))
    router = RouterHandle(transport)
    instance = SessionKey("tg", "bot")
    router.set(instance, HOME).result()
    for partition in (0, 1):
        transport.restart(partition)
        assert transport.ask(partition, Control.PING).wait(0) == Pulse(epoch=1, incarnation=2)
    assert router.get(instance).result() is not None
    alone = LocalTransport(RouterConfig(partitions=1))
    RouterHandle(alone).set(instance, HOME).result()
    alone.restart(0, anew=True)
    assert RouterHandle(alone).get(instance).result() is None
    assert alone.ask(0, Control.PING).wait(0) == Pulse(epoch=1, incarnation=1)


def test_a_router_deployed_anew_is_another() -> None:
    """A handle that knows the router's former config is told to connect again."""

    class Redeployed(LocalTransport):
        """Its partitions have another config than it says."""

        def open(self):  # type: ignore[no-untyped-def]  # as the class that it extends
            return LocalTransport(RouterConfig(ttl_s=1.0)).open()

    router = RouterHandle(Redeployed(RouterConfig()))
    with pytest.raises(Exception, match="deployed anew with another config: connect again"):
        router.get(KEY).result()


@pytest.mark.parametrize("kind", [Fault, PartitionLost, PartitionGone, PartitionBroken, NotYet])
def test_faults_pickle(kind: type[Fault]) -> None:
    """A fault arrives in another process as what it was."""
    arrived = pickle.loads(pickle.dumps(kind("what was seen")))
    assert type(arrived) is kind
    assert str(arrived) == "what was seen"
