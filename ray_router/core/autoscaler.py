"""``Autoscaler``: how many partitions a router should have, by what it holds and how often it is asked. Pure.

In the manner of Ray Serve's autoscaler: more are wanted as soon as a partition would be over a target on
average, and had after that was so at every look for ``upscale_delay_s``; fewer are wanted while the rest
would stay below ``_ROOM`` of every target, and are taken after ``downscale_delay_s``. So going down never
makes going up necessary, nor the other way round, as long as the load stays as it is. One step at most
doubles the partitions, or takes away a quarter of them: up fast, and down slowly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from ray_router.model import ScalingReason, ScalingWish

_LOOK_BACK_S = 30.0  # what is asked of a router comes in bursts: calls are averaged over this time
_ROOM = 0.8
_MOST_TIMES_MORE = 2
_LEAST_PART_FEWER = 4
_ROUNDING = 1e-9  # 0.3 / 0.1 is not 3


class ScalingSettings(NamedTuple):
    """What decides; times in seconds.

    Args:
        least: partitions at least.
        most: partitions at most.
        target_entries: sessions of every state that a partition is to hold on average.
        target_calls_per_s: resolves and writes that a partition is to answer each second on average.
    """

    least: int
    most: int
    target_entries: float
    target_calls_per_s: float
    upscale_delay_s: float
    downscale_delay_s: float


class Seen(NamedTuple):
    """One partition at one look.

    Args:
        calls: resolves and writes that it has answered in this life.
    """

    incarnation: int
    entries: int
    calls: int


class ScalingLook(NamedTuple):
    """What one look came to.

    Args:
        partitions: how many there are to be from now on.
        reason: why, where that is another number than there are.
        wish: the other number that is waited with, until it has been wanted for long enough.
        calls_per_s: of all partitions; None while that is not known.
    """

    partitions: int
    reason: ScalingReason | None
    wish: ScalingWish | None
    entries: int
    calls_per_s: float | None


class Autoscaler:
    """Looks at a router now and then, and says how many partitions it should have.

    It remembers since when it has wanted another number, and the calls counted at the last looks. Should it
    be lost, another one begins to count anew, and goes on with the wish that it is given.

    Args:
        wish: what the former one waited with.
    """

    def __init__(self, settings: ScalingSettings, wish: ScalingWish | None = None) -> None:
        self._settings = settings
        self._wish = wish
        self._partitions: int | None = None
        self._counts: deque[tuple[float, Mapping[int, Seen]]] = deque()

    def look(self, partitions: int, seen: Mapping[int, Seen | None], now: float) -> ScalingLook:
        """Decide, by what each partition holds and has counted.

        Args:
            partitions: how many there are.
            seen: those that own slots; None for one that did not answer: nothing is decided without it.
            now: seconds, by any clock that does not go back.
        """
        if self._partitions not in (None, partitions):
            self._wish = None  # what was wanted was another number than there was
        self._partitions = partitions
        answered = {index: each for index, each in seen.items() if each is not None}
        entries = sum(each.entries for each in answered.values())
        if len(answered) < len(seen):
            self._wish = None
            self._counts.clear()
            return ScalingLook(partitions, None, None, entries, None)
        calls_per_s = self._calls_per_s(answered, now)
        wanted, reason = self._wanted(partitions, entries, calls_per_s)
        self._wish = self._wished(partitions, wanted, reason, now)
        if self._wish is None or now < self.due_at(self._wish, partitions) - _ROUNDING:
            return ScalingLook(partitions, None, self._wish, entries, calls_per_s)
        decided, self._wish = self._wish, None
        return ScalingLook(decided.partitions, decided.reason, None, entries, calls_per_s)

    def due_at(self, wish: ScalingWish, partitions: int) -> float:
        """When a wish has been waited with for long enough."""
        more = wish.partitions > partitions
        return wish.since + (self._settings.upscale_delay_s if more else self._settings.downscale_delay_s)

    def _wished(
        self, partitions: int, wanted: int, reason: ScalingReason | None, now: float
    ) -> ScalingWish | None:
        """What is waited with from now on: the former wish goes on while it goes the same way."""
        if reason is None:
            return None
        before = self._wish
        if before is None or (before.partitions > partitions) != (wanted > partitions):
            return ScalingWish(wanted, reason, now)
        if wanted < partitions:  # as few as were enough all the time
            wanted = max(wanted, before.partitions)
        return ScalingWish(wanted, reason, before.since)

    def _wanted(
        self, partitions: int, entries: int, calls_per_s: float | None
    ) -> tuple[int, ScalingReason | None]:
        """The number that would do for this load, in one step, and why if it is another."""
        least, most, target_entries, target_calls_per_s, _, _ = self._settings
        if not least <= partitions <= most:
            return min(max(partitions, least), most), ScalingReason.BOUNDS

        def enough(share: float) -> dict[ScalingReason, int]:
            return {
                ScalingReason.ENTRIES: _parts(entries, target_entries * share),
                ScalingReason.CALLS: partitions
                if calls_per_s is None
                else _parts(calls_per_s, target_calls_per_s * share),
            }

        needs = enough(1.0)
        reason = max(needs, key=lambda each: needs[each])
        needed = min(needs[reason], partitions * _MOST_TIMES_MORE, most)
        if needed > partitions:
            return needed, reason
        fewer = partitions - max(1, partitions // _LEAST_PART_FEWER)
        spared = max(*enough(_ROOM).values(), fewer, least)
        return (spared, ScalingReason.IDLE) if spared < partitions else (partitions, None)

    def _calls_per_s(self, seen: Mapping[int, Seen], now: float) -> float | None:
        """Calls a second since half a minute ago, or since a partition was added, lost or restarted.

        What a partition counted is gone with it, so that only the counts of the same ones compare.
        """
        counts = self._counts
        if counts and _lives(counts[-1][1]) != _lives(seen):
            counts.clear()
        counts.append((now, seen))
        while len(counts) > 2 and now - counts[1][0] >= _LOOK_BACK_S:
            counts.popleft()
        then, before = counts[0]
        if now <= then:
            return None
        return sum(seen[index].calls - before[index].calls for index in seen) / (now - then)


def _parts(load: float, target: float) -> int:
    """How many share a load so that none has more than its target."""
    return max(1, ceil(load / target - _ROUNDING))


def _lives(seen: Mapping[int, Seen]) -> dict[int, int]:
    return {index: each.incarnation for index, each in seen.items()}
