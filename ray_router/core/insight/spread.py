"""How many partitions the load wants, and what spreads it unevenly."""

from __future__ import annotations

from collections.abc import Sequence

from ray_router.core.insight.words import percent
from ray_router.core.slots import SLOTS
from ray_router.model import PartitionInsight, RouterStats, Suggestion

_BUSY_MOST = 0.5  # of the time of the busiest partition: half is left for bursts, and for a peer's load
_COUNTS = tuple(sorted({base << power for base in (1, 3) for power in range(13)}))  # 1, 2, 3, 4, 6, 8, 12 ...


def busiest_share(slots: Sequence[tuple[int, float]], partitions: int) -> float:
    """The share of the load, 0 to 1, on the busiest of so many partitions, slots being dealt out in turn."""
    loads: dict[int, float] = {}
    for slot, uses in slots:
        owner = slot % partitions
        loads[owner] = loads.get(owner, 0.0) + uses
    total = sum(loads.values())
    return max(loads.values()) / total if total else 0.0


def advise_partitions(
    partitions: int, stats: RouterStats, insights: Sequence[PartitionInsight], event_clock: bool
) -> tuple[Suggestion, tuple[str, ...]]:
    """How many partitions to have, and what there is to say of how the load lies on them."""
    slots = [each for insight in insights for each in insight.load.slots]
    share, fewest = busiest_share(slots, partitions), _least_share(slots)
    busy = max((window.busy for window in stats.windows), default=0.0)

    def suggestion(suggested: int, why: str) -> tuple[Suggestion, tuple[str, ...]]:
        return Suggestion("partitions", partitions, suggested, why), stats.findings

    if event_clock:
        return suggestion(partitions, "on a clock of events, how busy partitions are cannot be told")
    if not slots:
        return suggestion(partitions, "nothing was asked or written yet")
    load = f"the busiest of {partitions} spends {percent(share * busy)} of its time on calls"
    if share * busy <= _BUSY_MOST:
        return suggestion(partitions, f"{load}, and {percent(_BUSY_MOST)} is the most that leaves room")
    more = [each for each in _COUNTS if partitions < each <= SLOTS]
    enough = next((each for each in more if busiest_share(slots, each) * busy <= _BUSY_MOST), None)
    if enough is not None:
        left = percent(busiest_share(slots, enough) * busy)
        return suggestion(enough, f"{load}; of {enough} the busiest would spend {left}")
    return suggestion(
        partitions,
        f"{load}, but one slot has {percent(fewest)} of the load, which no number of partitions divides",
    )


def _least_share(slots: Sequence[tuple[int, float]]) -> float:
    """The share of the hottest slot, which is the least that a busiest partition can have."""
    total = sum(uses for _, uses in slots)
    return max((uses for _, uses in slots), default=0.0) / total if total else 0.0
