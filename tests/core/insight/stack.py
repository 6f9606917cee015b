"""The truth about reuse, computed the long way: every gap and every stack distance."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple


class Reuse(NamedTuple):
    """How long ago a session came last, seconds, and how many sessions came since, itself included."""

    gap_s: float
    distance: float


def reuses(events: Sequence[tuple[float, str]]) -> list[Reuse]:
    """Each event's reuse; infinite for the first of a session.

    Mattson et al., "Evaluation techniques for storage hierarchies" (IBM Systems Journal, 1970): under LRU an
    event finds its session exactly if the distance is within the capacity.
    """
    order: list[str] = []  # the session that came last is last
    last: dict[str, float] = {}
    found = []
    for at, key in events:
        if key in last:
            place = order.index(key)
            found.append(Reuse(at - last[key], len(order) - place))
            del order[place]
        else:
            found.append(Reuse(inf, inf))
        order.append(key)
        last[key] = at
    return found


def true_hit_ratio(found: Sequence[Reuse], ttl_s: float, capacity: float) -> float:
    """Share of events that a table of this TTL and capacity answers."""
    hits = sum(each.gap_s <= ttl_s and each.distance <= capacity and each.gap_s < inf for each in found)
    return hits / len(found)
