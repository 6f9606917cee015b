"""``HitCurve``: the share of asks that any TTL and any capacity would have answered, read off a sample.

An ask is answered by its session's own route when its age is within the TTL and when the session was not
evicted in between. Under LRU a session outlives an interval of ``n`` uses if fewer sessions than the
capacity are used in it. How many that are follows from the intervals alone: a use adds a session to those
used within the last ``n`` exactly if its session is not used again within these, so their number is the sum
of P(interval > x) over x from 0 to n (the average eviction time of Hu et al., "Fast miss ratio curve
modeling for storage cache", ACM TOS 2018; the same as the footprint of Xiang et al., ASPLOS 2013). Since
every write renews both its session's place and its time, the two conditions hold or fail apart from each
other: who expired would have been evicted before any who live.

Against exact stack distances it is within 0.1 points from 30 sessions upward on the chat logs of the tests,
and within 4 on a database trace that is read in loops.

What never came back within the time seen counts as it does in a simulation from an empty table: as asked
once. So a sample knows nothing of TTLs longer than the time it covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

from ray_router.core.insight.scale import AGES, INTERVALS
from ray_router.model import PartitionInsight, ReuseCounts

_EXACT_UP_TO = 16  # uses, up to which intervals are whole numbers and not a continuum


class HitCurve:
    """Hit ratios of one partition."""

    def __init__(self, counts: ReuseCounts) -> None:
        self._counts = counts
        started = sum(counts.started)
        asks_a_write = counts.asks / counts.writes if counts.writes else 0.0
        self._share_of_one = 1.0 / (started * asks_a_write) if started and asks_a_write else 0.0
        self._sessions = _sessions_within(counts)

    def hit_ratio(self, ttl_s: float, capacity: float) -> float:
        """Share of asks answered with this TTL (seconds) and this many live sessions; either may be inf."""
        outlasts = self._outlasts(capacity)
        within = [AGES.share_below(ttl_s, age) for age in range(AGES.classes)]
        kept = [INTERVALS.share_below(outlasts, interval) for interval in range(INTERVALS.classes)]
        answered = sum(within[age] * kept[interval] * weight for age, interval, weight in self._counts.cells)
        return min(1.0, answered * self._share_of_one)

    def error(self, ttl_s: float) -> float:
        """Standard error of the hit ratio with this TTL, from how much stretches of the traffic differ.

        The jackknife over groups of neighbours (Künsch, "The jackknife and the bootstrap for general
        stationary observations", Annals of Statistics 1989): messages come in bursts that are alike, so
        that their number alone would say too much of how much is known.
        """
        counts = self._counts
        within = [AGES.share_below(ttl_s, age) for age in range(AGES.classes)]
        answered = [sum(map(float.__mul__, within, ages)) for ages in counts.ages]
        all_answered, all_started = sum(answered), sum(counts.started)
        if not all_started or not self._share_of_one:
            return 0.0
        others = [
            (all_answered - some) / (all_started - started)
            for some, started in zip(answered, counts.started, strict=True)
            if all_started > started
        ]
        mean = sum(others) / len(others) if others else 0.0
        variance = sum((each - mean) ** 2 for each in others) * (len(others) - 1) / max(1, len(others))
        return sqrt(variance) * all_started * self._share_of_one

    def _outlasts(self, capacity: float) -> float:
        """The longest interval, in uses, that a session outlives with this capacity."""
        if not self._sessions or capacity >= self._sessions[-1]:
            return inf
        number = next(each for each, sessions in enumerate(self._sessions) if sessions > capacity)
        low, high = (
            (self._sessions[number - 1], self._sessions[number]) if number else (0.0, self._sessions[0])
        )
        begins = INTERVALS.upper_end(number - 1) if number else 0.0
        return begins + (INTERVALS.upper_end(number) - begins) * (capacity - low) / (high - low)


class RouterCurve:
    """Hit ratios of a whole router: those of its partitions, each by its share of the asks."""

    def __init__(self, insights: Sequence[PartitionInsight]) -> None:
        counts = [each.reuse for each in insights if each.reuse.asks and each.reuse.writes]
        asks = [each.uses * each.asks / (each.asks + each.writes) for each in counts]
        self._parts = [(HitCurve(each), share / sum(asks)) for each, share in zip(counts, asks, strict=True)]

    def hit_ratio(self, ttl_s: float, capacity: float) -> float:
        """Share of asks answered with this TTL (seconds) and this many live sessions *on each partition*."""
        return sum(share * curve.hit_ratio(ttl_s, capacity) for curve, share in self._parts)

    def error(self, ttl_s: float) -> float:
        """Standard error of the hit ratio with this TTL."""
        return sqrt(sum((share * curve.error(ttl_s)) ** 2 for curve, share in self._parts))


def _sessions_within(counts: ReuseCounts) -> list[float]:
    """How many sessions are used in a run of uses as long as each class's upper end.

    What has not ended yet says only that it is longer than it has been so far (Kaplan and Meier, 1958).
    """
    uses = counts.asks + counts.writes
    if not counts.touches or not uses:
        return []
    density = counts.touches / uses  # an ask for a session never written uses nothing
    sessions: list[float] = []
    total, begins, going_on, known = 0.0, 0.0, 1.0, counts.touches
    for number, (weight, still_open) in enumerate(zip(counts.intervals, counts.open, strict=True)):
        ends = INTERVALS.upper_end(number)
        still_going_on = going_on * max(0.0, 1.0 - weight / known) if known > 0 else going_on
        known -= weight + still_open
        mean = going_on if ends <= _EXACT_UP_TO else (going_on + still_going_on) / 2
        total += density * (ends - begins) * mean
        sessions.append(total)
        if ends >= counts.uses:
            break
        begins, going_on = ends, still_going_on
    return sessions
