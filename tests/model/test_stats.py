"""Stats: how counts add up, and the ratios read from them."""

from __future__ import annotations

import pickle

from ray_router.model import Holdings, PartitionStats, PressureLevel, RouterStats, Traffic

BUSY = PartitionStats(
    partition=0,
    incarnation=3,
    level=PressureLevel.DEGRADED,
    holdings=Holdings(live=5, stale=2, tombstones=1, defaults=7),
    traffic=Traffic(resolves=30, exact=12, alternate=1, scope=2, provided=3, stale_answers=4, misses=8),
)
CALM = PartitionStats(
    partition=1,
    incarnation=1,
    holdings=Holdings(live=1, defaults=6),
    traffic=Traffic(resolves=10, exact=10),
)
LOST = PartitionStats(partition=2, available=False)


def test_traffic_adds_up_field_by_field() -> None:
    """The sum of two partitions' traffic is the sum of each count."""
    once = Traffic(*range(1, len(Traffic.__slots__) + 1))
    assert once + once == Traffic(*range(2, 2 * len(Traffic.__slots__) + 1, 2))
    assert once + Traffic() == once


def test_sets_are_counted_whatever_became_of_them() -> None:
    """``sets`` counts writes of every outcome."""
    assert Traffic(stored=1, refreshed=2, superseded=4, shed=8).sets == 15


def test_evictions_count_sessions_with_a_route() -> None:
    """``evicted`` leaves tombstones out."""
    assert Traffic(evicted_live=1, evicted_stale=2, evicted_tombstones=4).evicted == 3


def test_ratios() -> None:
    """Hits and fallbacks are shares of all resolves."""
    assert BUSY.traffic.fallbacks == 10
    assert BUSY.traffic.hit_ratio == 0.4
    assert BUSY.traffic.fallback_ratio == 10 / 30


def test_ratios_of_nothing_are_zero() -> None:
    """An idle router has no ratio to divide."""
    assert Traffic().hit_ratio == Traffic().fallback_ratio == 0.0


def test_holdings_add_up_and_defaults_are_no_entries() -> None:
    """Entries of all phases count against the bound; defaults do not."""
    total = BUSY.holdings + CALM.holdings
    assert total == Holdings(live=6, stale=2, tombstones=1, defaults=13)
    assert total.entries == 9


def test_a_router_adds_its_partitions_up() -> None:
    """A router's totals are its partitions', with each default counted once."""
    router = RouterStats("chat", 1, (BUSY, CALM, LOST))
    assert router.holdings == Holdings(live=6, stale=2, tombstones=1, defaults=7)
    assert router.traffic == BUSY.traffic + CALM.traffic
    assert router.level is PressureLevel.DEGRADED
    assert router.down == (2,)


def test_imbalance_is_the_largest_load_over_the_mean() -> None:
    """A partition with thirty of forty resolves carries one and a half times the mean of two."""
    assert RouterStats("chat", 1, (BUSY, CALM, LOST)).imbalance == 1.5


def test_a_router_of_nothing() -> None:
    """A router that nobody asked is even, calm and empty."""
    router = RouterStats("chat", 1, ())
    assert router.imbalance == 1.0
    assert router.level is PressureLevel.NORMAL
    assert router.holdings == Holdings()
    assert router.traffic == Traffic()


def test_restarts_are_lives_after_the_first() -> None:
    """The first life is no restart, nor is a partition that was never heard of."""
    assert (BUSY.restarts, CALM.restarts, LOST.restarts) == (2, 0, 0)


def test_stats_travel() -> None:
    """Stats pickle."""
    router = RouterStats("chat", 1, (BUSY, CALM, LOST))
    assert pickle.loads(pickle.dumps(router)) == router
