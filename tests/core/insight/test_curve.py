"""Hit ratios read off a sample, against the truth."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.insight.curve import HitCurve, RouterCurve
from ray_router.core.insight.scale import INTERVALS
from ray_router.model import Load, PartitionInsight, ReuseCounts

from .stack import reuses, true_hit_ratio
from .traffic import chats, in_batches, sampled

EVENTS = chats(20_000, 1_500)


@pytest.fixture(scope="module")
def curve() -> HitCurve:
    """Of made-up traffic, of which nothing was left out."""
    return HitCurve(sampled(EVENTS).counts())


@pytest.mark.parametrize("ttl_s", [30.0, 300.0, 3_000.0, 30_000.0, inf])
@pytest.mark.parametrize("capacity", [5, 20, 100, 500, inf])
def test_it_is_within_a_point_of_the_truth(curve: HitCurve, ttl_s: float, capacity: float) -> None:
    """For any TTL with any capacity."""
    truth = true_hit_ratio(reuses(EVENTS), ttl_s, capacity)
    assert curve.hit_ratio(ttl_s, capacity) == pytest.approx(truth, abs=0.01)


@settings(deadline=None, max_examples=40)
@given(
    ttls_s=st.tuples(st.floats(0.1, 1e6), st.floats(0.1, 1e6)).map(sorted),
    capacities=st.tuples(st.integers(1, 3_000), st.integers(1, 3_000)).map(sorted),
)
def test_more_of_either_gives_no_less(curve: HitCurve, ttls_s: list[float], capacities: list[int]) -> None:
    """A hit ratio grows with the TTL and with the capacity, and never beyond what neither limits."""
    least = curve.hit_ratio(ttls_s[0], capacities[0])
    assert least <= curve.hit_ratio(ttls_s[1], capacities[0]) + 1e-9
    assert least <= curve.hit_ratio(ttls_s[0], capacities[1]) + 1e-9
    assert 0.0 <= least <= curve.hit_ratio(inf, inf) + 1e-9


def test_asks_that_outnumber_writes_are_all_counted() -> None:
    """Each ask is answered or not, whoever writes."""
    sample = in_batches([], 1)
    for at in range(0, 1_000, 10):
        sample.wrote(("a",), float(at))
        sample.asked(("a",), at + 1.0)
        sample.asked(("a",), at + 8.0)
        sample.asked(("b",), at + 9.0)
    found = HitCurve(sample.counts())
    assert found.hit_ratio(2.0, inf) == pytest.approx(1 / 3)
    assert found.hit_ratio(inf, inf) == pytest.approx(2 / 3)


def test_its_error_shrinks_with_what_is_known() -> None:
    """And is none where there is nothing to err about."""
    few, many = HitCurve(sampled(EVENTS[:2_000]).counts()), HitCurve(sampled(EVENTS).counts())
    assert 0.0 < many.error(300.0) < few.error(300.0) < 0.1
    assert HitCurve(ReuseCounts()).error(300.0) == 0.0


def test_nothing_seen_is_no_hit() -> None:
    """Neither on a partition nor on a router."""
    assert HitCurve(ReuseCounts()).hit_ratio(inf, inf) == 0.0
    assert RouterCurve([]).hit_ratio(inf, inf) == 0.0
    assert RouterCurve([]).error(inf) == 0.0


def test_a_capacity_beyond_the_longest_interval_evicts_nobody() -> None:
    """Uses without number, more than any class of intervals holds: the last class is the end of it."""
    counts = ReuseCounts(
        uses=2**50,
        asks=1.0,
        writes=1.0,
        touches=1.0,
        cells=((0, 0, 1.0),),
        intervals=(1.0,) + (0.0,) * (INTERVALS.classes - 1),
        open=(0.0,) * INTERVALS.classes,
        started=(1.0,),
    )
    assert HitCurve(counts).hit_ratio(inf, inf) == HitCurve(counts).hit_ratio(inf, 2.0**50) == 1.0


def test_partitions_count_by_their_asks() -> None:
    """A router's hit ratio is that of all its asks."""
    parts = [sampled(EVENTS[:15_000]).counts(), sampled(EVENTS[15_000:]).counts()]
    insights = [PartitionInsight(number, counts, Load()) for number, counts in enumerate(parts)]
    both = RouterCurve(insights).hit_ratio(300.0, 100)
    each = [HitCurve(counts).hit_ratio(300.0, 100) for counts in parts]
    assert both == pytest.approx(0.75 * each[0] + 0.25 * each[1])
