"""``advise``: from what partitions learnt to settings, with reasons. It changes nothing.

The suggestion is the smallest TTL whose hit ratio, without a limit of capacity, is within ``within`` of what
no expiry would give; and then the smallest capacity with which that TTL is still within it. Both are rounded
up to numbers of two digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

from ray_router.core.insight.curve import RouterCurve
from ray_router.core.insight.scale import AGES
from ray_router.core.insight.spread import advise_partitions
from ray_router.core.insight.words import duration, percent, round_up_s
from ray_router.model import (
    Advice,
    CurvePoint,
    Expected,
    Losses,
    PartitionInsight,
    RouterStats,
    Settings,
    Suggestion,
)

_SURE = 1.96  # standard errors: 95 % of a normal distribution
_LEAST_ASKS = 200  # with fewer, nothing is suggested
_MOST_ENTRIES = 1 << 30
_CURVE_TTLS_S = (60, 300, 900, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200, 604_800, 2_592_000)
_CURVE_SHARES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of the capacity suggested


class Situation(NamedTuple):
    """The router as it is: its settings, and whether its clock is that of the events."""

    name: str
    settings: Settings
    event_clock: bool


def advise(now: Situation, stats: RouterStats, insights: Sequence[PartitionInsight], within: float) -> Advice:
    """Settings for the traffic that was seen.

    Args:
        now: what the router is set to.
        stats: what its partitions counted.
        insights: what they learnt; those of partitions that did not answer are missing.
        within: how much of the hit ratio may be given up, 0 to 1.
    """
    curve, settings = RouterCurve(insights), now.settings
    asks = sum(each.reuse.asks for each in insights)
    ttl_s, capacity = settings.ttl_s or inf, float(settings.max_entries_per_partition)
    measured, modelled = stats.traffic.hit_ratio, curve.hit_ratio(ttl_s, capacity)
    limit = curve.hit_ratio(inf, inf)
    in_time = curve.hit_ratio(ttl_s, inf)
    span_s = max((each.reuse.span_s for each in insights), default=0.0)

    def expected(hit_ratio: float, of_ttl_s: float) -> Expected:
        """What the sample does not know, and what the model was seen to get wrong."""
        return Expected(hit_ratio, _SURE * curve.error(of_ttl_s) + abs(measured - modelled))

    enough = asks >= _LEAST_ASKS and limit > 0
    best_ttl_s = _least_ttl_s(curve, limit - within) if enough else ttl_s
    best_capacity = _least_capacity(curve, best_ttl_s, limit - within) if enough else int(capacity)
    partitions, findings = advise_partitions(settings.partitions, stats, insights, now.event_clock)
    best = Settings(None if best_ttl_s == inf else best_ttl_s, best_capacity, int(partitions.suggested or 1))
    best_hits = curve.hit_ratio(best_ttl_s, best_capacity)
    if not enough:
        why = f"only {asks:,.0f} asks were seen: too few to say"
        advice_ttl = Suggestion("ttl_s", settings.ttl_s, settings.ttl_s, why)
        entries = settings.max_entries_per_partition
        advice_capacity = Suggestion("max_entries_per_partition", entries, entries, why)
    else:
        advice_ttl = _ttl(settings, best, curve, limit, within)
        advice_capacity = _capacity(settings, best, curve, within)
    if enough and best_ttl_s > span_s / 2:
        findings = (
            *findings,
            f"only {duration(span_s)} of traffic were seen, which says little of TTLs beyond half of that: "
            "ask again later, the TTL suggested can only grow",
        )
    return Advice(
        name=now.name,
        span_s=span_s,
        asks=stats.traffic.resolves,
        within=within,
        current=settings,
        measured=measured,
        expected_now=expected(modelled, ttl_s),
        limit=expected(limit, inf),
        losses=Losses(max(0.0, in_time - modelled), max(0.0, limit - in_time), max(0.0, 1.0 - limit)),
        suggested=best,
        expected=expected(best_hits, best_ttl_s),
        suggestions=(advice_ttl, advice_capacity, partitions),
        findings=findings,
        ttl_curve=_ttl_curve(curve, span_s),
        capacity_curve=_capacity_curve(curve, best_ttl_s, best_capacity),
    )


def _least_ttl_s(curve: RouterCurve, least_hits: float) -> float:
    """The smallest TTL that gives this hit ratio without a limit of capacity, rounded up."""
    enough = _first(AGES.classes, lambda age: curve.hit_ratio(AGES.upper_end(age), inf) >= least_hits)
    return (
        inf
        if enough is None
        else _refined(
            AGES.upper_end(enough - 1) if enough else 0.0,
            AGES.upper_end(enough),
            lambda ttl_s: curve.hit_ratio(ttl_s, inf) >= least_hits,
        )
    )


def _refined(low: float, high: float, is_enough: Callable[[float], bool]) -> float:
    """The smallest rounded number of an interval that is enough, where its upper end is."""
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return round_up_s(high)


def _least_capacity(curve: RouterCurve, ttl_s: float, least_hits: float) -> int:
    """The smallest number of entries on each partition that gives this hit ratio, rounded up."""
    low, high = 0, 1
    while high < _MOST_ENTRIES and curve.hit_ratio(ttl_s, high) < least_hits:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if curve.hit_ratio(ttl_s, middle) >= least_hits else (middle, high)
    unit = int(10 ** max(0, len(str(high)) - 2))
    return -(-high // unit) * unit


def _first(count: int, holds: Callable[[int], bool]) -> int | None:
    """The first of so many for which it holds, where it then holds for all that follow."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low if low < count else None


def _ttl(now: Settings, best: Settings, curve: RouterCurve, limit: float, within: float) -> Suggestion:
    hits_now = curve.hit_ratio(now.ttl_s or inf, inf)
    hits_best = curve.hit_ratio(best.ttl_s or inf, inf)
    why = (
        f"{percent(limit - hits_now)} of asks come back after {duration(now.ttl_s)}; within "
        f"{duration(best.ttl_s)} all but {percent(limit - hits_best)} do, and a longer TTL would add no more "
        f"than that"
    )
    if now.ttl_s is None:
        why = (
            f"all but {percent(limit - hits_best)} of asks that come back do so within "
            f"{duration(best.ttl_s)}; routes that never expire are kept for the rest alone"
        )
    return Suggestion("ttl_s", now.ttl_s, best.ttl_s, f"{why} (allowed: {percent(within)})")


def _capacity(now: Settings, best: Settings, curve: RouterCurve, within: float) -> Suggestion:
    entries, ttl_s = best.max_entries_per_partition, best.ttl_s or inf
    lost = curve.hit_ratio(ttl_s, inf) - curve.hit_ratio(ttl_s, now.max_entries_per_partition)
    if entries > now.max_entries_per_partition:
        why = (
            f"with a TTL of {duration(best.ttl_s)}, {now.max_entries_per_partition:,} entries would lose "
            f"{percent(lost)} of asks to eviction; {entries:,} keep the whole within {percent(within)} of no "
            f"limit at all"
        )
    else:
        why = (
            f"{entries:,} entries would do: more add no hits beyond the {percent(within)} allowed, and only "
            f"hold sessions that do not come back"
        )
    return Suggestion("max_entries_per_partition", now.max_entries_per_partition, entries, why)


def _ttl_curve(curve: RouterCurve, span_s: float) -> tuple[CurvePoint, ...]:
    judged = [float(ttl_s) for ttl_s in _CURVE_TTLS_S if ttl_s <= max(span_s, _CURVE_TTLS_S[0])]
    points = [CurvePoint(ttl_s, curve.hit_ratio(ttl_s, inf)) for ttl_s in judged]
    return (*points, CurvePoint(None, curve.hit_ratio(inf, inf)))


def _capacity_curve(curve: RouterCurve, ttl_s: float, capacity: int) -> tuple[CurvePoint, ...]:
    entries = sorted({max(1, round(share * capacity)) for share in _CURVE_SHARES})
    points = [CurvePoint(float(each), curve.hit_ratio(ttl_s, each)) for each in entries]
    return (*points, CurvePoint(None, curve.hit_ratio(ttl_s, inf)))
