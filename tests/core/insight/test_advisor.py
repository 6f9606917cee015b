"""Advice: what it suggests, and what it says of it."""

from __future__ import annotations

from math import inf

from ray_router import Traffic
from ray_router.core.insight.advisor import Situation, advise
from ray_router.model import Load, PartitionInsight, PartitionStats, RouterStats, Settings

from .traffic import chats, sampled


def situation(ttl_s: float | None, entries: int) -> Situation:
    """A router on one partition."""
    return Situation("chat", Settings(ttl_s, entries, 1), True)


def stats_of(asks: int, hits: int) -> RouterStats:
    """What a router counted."""
    return RouterStats("chat", 1, (PartitionStats(0, traffic=Traffic(resolves=asks, exact=hits)),))


def insight_of(events: list[tuple[float, str]]) -> PartitionInsight:
    """What one partition learnt of these."""
    return PartitionInsight(0, sampled(events).counts(), Load())


def test_settings_that_are_generous_are_said_to_be() -> None:
    """Less would do."""
    events = chats(20_000, 300)
    advice = advise(situation(None, 100_000), stats_of(20_000, 19_000), [insight_of(events)], 0.01)
    ttl, capacity, _ = advice.suggestions
    assert ttl.suggested is not None
    assert "for the rest alone" in ttl.why
    assert capacity.suggested is not None
    assert capacity.suggested <= 300
    assert "would do" in capacity.why
    assert advice.losses.evicted == advice.losses.expired == 0.0


def test_allowing_nothing_asks_for_all_that_was_seen() -> None:
    """And allowing more asks for less."""
    events = chats(5_000, 300)
    found = [
        advise(situation(60.0, 10), stats_of(5_000, 100), [insight_of(events)], within).suggested
        for within in (0.0, 0.01, 0.1)
    ]
    ttls_s = [each.ttl_s or inf for each in found]
    entries = [each.max_entries_per_partition for each in found]
    assert ttls_s == sorted(ttls_s, reverse=True)
    assert entries == sorted(entries, reverse=True)
    assert ttls_s[0] > ttls_s[2]
    assert entries[0] > entries[2]


def test_a_short_look_is_said_to_be_one() -> None:
    """When the TTL suggested is long against the time that was seen."""
    events = [(float(at), f"a:b:{at % 500}") for at in range(1_000)]
    advice = advise(situation(60.0, 10), stats_of(1_000, 0), [insight_of(events)], 0.01)
    assert any("ask again later" in finding for finding in advice.findings)


def test_what_the_model_gets_wrong_is_part_of_the_uncertainty() -> None:
    """A measured hit ratio far from the modelled one is not passed over."""
    events = chats(5_000, 300)
    honest = advise(situation(60.0, 1_000), stats_of(5_000, 0), [insight_of(events)], 0.01)
    assert honest.expected.uncertainty >= honest.expected_now.hit_ratio - honest.measured


def test_curves_end_without_a_limit() -> None:
    """And rise."""
    advice = advise(situation(60.0, 10), stats_of(5_000, 0), [insight_of(chats(5_000, 300))], 0.01)
    for points in (advice.ttl_curve, advice.capacity_curve):
        assert points[-1].value is None
        ratios = [each.hit_ratio for each in points]
        assert ratios == sorted(ratios)
    assert advice.ttl_curve[-1].hit_ratio == advice.limit.hit_ratio


def test_nothing_seen_is_nothing_said() -> None:
    """Not even by a router without partitions that answered."""
    advice = advise(situation(60.0, 10), stats_of(0, 0), [], 0.01)
    assert advice.suggested == advice.current
    assert advice.losses.unknown == 1.0
