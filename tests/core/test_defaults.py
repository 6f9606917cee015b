"""Defaults of instances and channels: few, apart from the sessions, and shared among partitions."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.candidates import SessionState, deleted, failed, observed
from ray_router.core.defaults import Defaults
from ray_router.core.operations import Delete, Get, Operation, Written
from ray_router.core.partition import Partition
from ray_router.core.table import Retention
from ray_router.model import Origin, Scope, SetOutcome

from .consistency import validate
from .strategies import (
    CHANNEL,
    INSTANCE,
    LIMIT,
    ROOM,
    THREAD,
    ask,
    facts,
    holdings_of,
    partition_of,
    permanent,
    resolve,
    routes_of,
    steadily,
    write,
)

INSTANCES = tuple(f"tg:bot_{number}:*" for number in range(4))


def partition_with(max_defaults: int = 3, capacity: int = 100) -> Partition:
    """A partition with room for few defaults."""
    return partition_of(
        max_defaults=max_defaults,
        capacity=capacity,
        ttl_s=10.0,
        stale_retention_s=20.0,
        tombstone_retention_s=30.0,
    )


def test_defaults_do_not_compete_with_sessions() -> None:
    """Defaults neither count as sessions nor leave for one."""
    partition = partition_with(capacity=1)
    ask(partition, write(INSTANCE, "I", 0), write(CHANNEL, "C", 0), now=0)
    ask(partition, *(write(f"tg:bot:{number}", "R", 0) for number in range(5)), now=0)
    holdings = holdings_of(partition)
    assert (holdings.live, holdings.defaults, holdings.entries) == (1, 2, 1)
    assert partition.stats(0).traffic.new_sessions == 5
    assert (routes_of(partition, INSTANCE), routes_of(partition, CHANNEL)) == ({"I"}, {"C"})


def test_a_full_table_takes_no_new_default() -> None:
    """Over the bound a new default is refused, and the old ones are still written."""
    partition = partition_with(max_defaults=3)
    ask(partition, *(write(key, "I", 0) for key in INSTANCES[:3]), now=0)
    (refused,) = ask(partition, write(INSTANCES[3], "I", 0), now=0)
    assert refused.outcome is SetOutcome.SUPERSEDED
    assert ask(partition, Get(INSTANCES[3]), now=0) == (None,)
    (written,) = ask(partition, write(INSTANCES[0], "J", 1), now=1)
    assert written.outcome is SetOutcome.STORED
    assert holdings_of(partition).defaults == 3


@pytest.mark.parametrize(
    "dispensable",
    [write(INSTANCES[0], "I", 0, ttl_s=5), permanent(INSTANCES[0], "I", 0), Delete(INSTANCES[0], 0)],
    ids=["expired", "a mark alone", "deleted"],
)
def test_what_is_dispensable_makes_room(dispensable: Operation) -> None:
    """A full table first drops what has no route, and what is past its TTL."""
    partition = partition_with(max_defaults=2)
    ask(partition, dispensable, write(INSTANCES[1], "I", 0), now=0)
    assert holdings_of(partition).defaults == 2
    assert ask(partition, write(INSTANCES[2], "I", 6), now=6) == (Written(SetOutcome.STORED),)
    assert [key for key, _ in partition.defaults()] == [INSTANCES[1], INSTANCES[2]]
    validate(partition)


def test_a_default_as_old_as_its_ttl_is_not_dispensable() -> None:
    """What is still fresh, if only just, does not make room."""
    partition = partition_with(max_defaults=1)
    ask(partition, write(INSTANCES[0], "I", 0, ttl_s=5), now=0)
    assert ask(partition, write(INSTANCES[1], "I", 5), now=5) == (Written(SetOutcome.SUPERSEDED),)
    assert ask(partition, write(INSTANCES[1], "I", 6), now=6) == (Written(SetOutcome.STORED),)


def test_a_default_with_a_ttl_goes_the_way_of_a_session() -> None:
    """A default past its TTL is stale, then expired, then forgotten."""
    partition = partition_with()
    ask(partition, write(INSTANCE, "I", 0, ttl_s=10), now=0)
    for now, stale, kept in ((10, False, 1), (11, True, 1), (31, True, 1), (60, True, 1), (61, False, 0)):
        assert resolve(partition, INSTANCE, now=now).stale is stale
        assert holdings_of(partition).defaults == kept
    assert partition.stats(61).traffic.forgotten == 1


@pytest.mark.parametrize("trace", [permanent(INSTANCE, "I", 5), Delete(INSTANCE, 5)])
def test_a_default_without_a_route_is_forgotten(trace: Operation) -> None:
    """Marks and deletions of defaults are kept as long as a tombstone."""
    partition = partition_with()
    ask(partition, trace, now=5)
    for now, kept in ((35, 1), (36, 0)):
        partition.tidy(now, most=10)
        assert holdings_of(partition).defaults == kept


def test_a_default_without_a_ttl_is_never_forgotten() -> None:
    """What stands until further notice stands after any time."""
    partition = partition_with()
    ask(partition, write(INSTANCE, "I", 0), now=0)
    assert partition.tidy(1e12, most=10) == 0
    assert resolve(partition, THREAD, now=1e12, widest_scope=Scope.INSTANCE).route == "I"


def test_a_peer_gives_its_defaults() -> None:
    """A partition that takes a peer's defaults answers like it, and sessions are not passed on."""
    peer, born = partition_with(), partition_with()
    ask(peer, write(INSTANCE, "I", 0), write(CHANNEL, "C", 0), write(ROOM, "R", 0), now=0)
    ask(peer, Delete(INSTANCES[1], 0), now=0)
    born.merge_defaults(peer.defaults(), now=5)
    assert born.defaults() == peer.defaults()
    assert (holdings_of(born).live, holdings_of(born).defaults) == (0, 3)
    assert resolve(born, INSTANCE, now=5).route == "I"


def test_a_peers_stamps_are_taken_verbatim() -> None:
    """Merging a peer's defaults clamps nothing, though the peer's clock be far ahead."""
    peer, born = partition_with(), partition_with()
    ask(peer, write(INSTANCE, "I", 1000), now=1000)
    born.merge_defaults(peer.defaults(), now=5)
    assert dict(born.defaults()) == dict(peer.defaults())


@steadily(300)
@given(st.lists(st.tuples(st.sampled_from((INSTANCE, CHANNEL)), facts), max_size=12))
def test_peers_agree_whoever_hears_first(known: list[tuple[str, SessionState]]) -> None:
    """Two partitions that heard different halves know the same once each has merged the other's."""
    one, other = partition_with(), partition_with()
    one.merge_defaults(known[::2], now=8)
    other.merge_defaults(known[1::2], now=8)
    before = one.defaults()
    one.merge_defaults(other.defaults(), now=8)
    other.merge_defaults(before, now=8)
    assert dict(one.defaults()) == dict(other.defaults())
    validate(one)
    validate(other)


class CountingDefaults(Defaults):
    """Defaults that count how often they look at one to see when it is over."""

    looks = 0

    def _day(self, state: SessionState) -> int | None:
        self.looks += 1
        return super()._day(state)


@pytest.fixture
def defaults() -> CountingDefaults:
    """A hundred defaults that live for ever, and three that do not."""
    defaults = CountingDefaults(200, LIMIT, Retention(20.0, 30.0))
    for number in range(100):
        defaults.merge(f"tg:bot_{number}:*", observed("I", 0.0, inf, Origin.INBOUND), now=0)
    defaults.merge("a:*:*", observed("I", 0.0, 10.0, Origin.INBOUND), now=0)
    defaults.merge("b:*:*", failed("I", 0.0), now=0)
    defaults.merge("c:*:*", deleted(0.0), now=0)
    defaults.looks = 0
    return defaults


@pytest.mark.parametrize(("now", "most", "forgotten"), [(30, 9, 0), (31, 9, 2), (61, 9, 3), (61, 1, 1)])
def test_pruning_costs_what_it_forgets(
    defaults: CountingDefaults, now: float, most: int, forgotten: int
) -> None:
    """Pruning forgets what is over, at most so many, and looks at none of the rest."""
    assert defaults.prune(now, most) == forgotten
    assert len(defaults) == 103 - forgotten
    assert defaults.looks == forgotten


def test_a_merge_that_changes_nothing_changes_nothing(defaults: CountingDefaults) -> None:
    """What is known already is not even looked at."""
    change = defaults.merge("b:*:*", failed("I", 0.0), now=0)
    assert change.before == change.after == defaults.state("b:*:*")
    assert defaults.looks == 0
