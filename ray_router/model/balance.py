"""How evenly work is spread, and what spreads it unevenly: in numbers, and in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ray_router.model.insight import HotRoom, Load

_NAMED_FROM = 0.1  # of all uses: a room with less than this is no news
_UNEVEN_FROM = 1.25  # the largest load over the mean


def imbalance_of(loads: Sequence[float]) -> float:
    """The largest load over the mean; 1.0 is perfectly even."""
    return max(loads) * len(loads) / sum(loads) if sum(loads) > 0 else 1.0


def hot_rooms(load: Load) -> tuple[HotRoom, ...]:
    """The rooms that certainly have a tenth of all uses or more, the hottest first."""
    return tuple(each for each in load.rooms if load.share(each.uses - each.over) >= _NAMED_FROM)


def explained(loads: Mapping[int, float], load: Load, owner: Mapping[str, int]) -> tuple[str, ...]:
    """What there is to say of how a load lies on partitions, a sentence each; nothing when it is even.

    Args:
        loads: of each partition.
        load: of all of them together, by room.
        owner: the partition of each room in it.
    """
    hot = hot_rooms(load)
    found = [
        f"room {each.room} has {load.share(each.uses):.0%} of the traffic, on partition {owner[each.room]}"
        for each in hot
    ]
    imbalance = imbalance_of(list(loads.values()))
    if len(loads) > 1 and imbalance >= _UNEVEN_FROM:
        busiest = max(loads, key=lambda each: loads[each])
        share = loads[busiest] / sum(loads.values())
        found.append(
            f"partition {busiest} has {share:.0%} of the load, {imbalance:.1f} times the mean of {len(loads)}"
        )
        if hot and owner[hot[0].room] == busiest:
            found.append(
                f"that is because of {hot[0].room}: the sessions of a room share a slot, and so a partition, "
                f"however many there are"
            )
    return tuple(found)
