"""``ReuseSample``: how long after a write its session is asked for again, from a bounded sample of writes.

A sampled write is watched until its session is written again, and every ask in between is noted with two
numbers: its *age* (seconds since the write), which a TTL must reach, and its *interval* (the longest run of
the partition's uses, resolves and writes together, for which the session lay unused meanwhile), which a
capacity must outlast. Both are properties of the traffic and of no setting, so one sample shows what every
TTL and every capacity would have answered; ``curve`` turns intervals into capacities.

Random sampling of references, each watched forward to its next use, goes back to StatCache (Berg and
Hagersten, ISPASS 2004) and RDX (Wang et al., HPCA 2019). Sampling sessions by a hash, as SHARDS does
(Waldspurger et al., FAST 2015), takes or leaves a busy session with all its messages, and must know the
past of whatever it takes; a write that is watched forward needs no past. The rate may therefore rise and
fall at any time: a watch carries the weight 1/rate that it was begun with.

Bounds, by SHARDS' rule for a fixed size: at ``MOST_WATCHED`` every second watch is dropped, what stays
weighs double, and writes are sampled half as often. The same is done when the sample took
``MOST_A_SECOND`` steps, of two microseconds each, within a second; in quiet times the rate rises again.

Keys that are not watched are passed over by a look into one dict, which no Python code sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from random import Random
from typing import NamedTuple

from ray_router.core.insight.scale import AGES, INTERVALS
from ray_router.model import AskAge, ReuseCounts

MOST_WATCHED = 16_384
MOST_A_SECOND = 1_000
SHOWN_AGES_S = (1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0, 86_400.0, 604_800.0, inf)
GROUPS = 16
"""Sampled writes go to so many groups, a stretch of them to each in turn: how much these differ says how far
a figure may be trusted, with the bursts that neighbours share counted as what they are."""

_STRETCH = 64  # sampled writes
_MOST_STRIDE = 1 << 30
_FADES_AT = 1 << 18  # sampled writes, after which all that was counted counts half


class _Watch(NamedTuple):
    wrote_at: float
    used: int  # the use of the partition that was the session's last
    longest: int
    weight: float
    group: int


class ReuseSample:
    """A sample of one partition's writes and of the asks that came after them.

    Args:
        noticed: called with every sampled key, of an ask or of a write, and with how many it stands for.
        seed: of the choice.
    """

    def __init__(self, noticed: Callable[[str, float], None], seed: int = 0) -> None:
        self._noticed = noticed
        self._random = Random(seed)
        self._watched: dict[str, _Watch] = {}
        self._stride = 1
        self._skip = 0  # uses until the next that is sampled
        self._uses = 0
        self._work, self._second = 0, 0.0
        self._samples = 0
        self._asks = self._writes = 0.0
        self._touches = 0.0
        self._first_at: float | None = None
        self.last_at = 0.0
        """When the last use was, the present one included; epoch seconds."""
        self._cells: dict[int, float] = {}
        self._intervals = [0.0] * INTERVALS.classes
        self._started = [0.0] * GROUPS
        self._ages = [[0.0] * AGES.classes for _ in range(GROUPS)]

    def asked(self, keys: Sequence[str], now: float) -> None:
        """These sessions were resolved."""
        self._asks += len(keys)
        self._pass(keys, now, wrote=False)

    def wrote(self, keys: Sequence[str], now: float) -> None:
        """These sessions were written."""
        self._writes += len(keys)
        self._pass(keys, now, wrote=True)

    def ask_ages(self) -> tuple[AskAge, ...]:
        """How old sessions' routes were when they were asked for, estimated."""
        totals = [sum(group[age] for group in self._ages) for age in range(AGES.classes)]
        ages, begin = [], 0
        for up_to_s in SHOWN_AGES_S:
            end = AGES.class_of(up_to_s) + 1
            ages.append(AskAge(up_to_s, sum(totals[begin:end])))
            begin = end
        return tuple(ages)

    def counts(self) -> ReuseCounts:
        """What was seen so far, in few enough numbers to be sent."""
        width = INTERVALS.classes
        return ReuseCounts(
            span_s=0.0 if self._first_at is None else max(0.0, self.last_at - self._first_at),
            uses=self._uses,
            asks=self._asks,
            writes=self._writes,
            watched=len(self._watched),
            stride=self._stride,
            touches=self._touches,
            cells=tuple((*divmod(cell, width), weight) for cell, weight in self._cells.items()),
            intervals=tuple(self._intervals),
            open=tuple(self._open()),
            started=tuple(self._started),
            ages=tuple(tuple(ages) for ages in self._ages),
        )

    def _open(self) -> list[float]:
        weights = [0.0] * INTERVALS.classes
        for watch in self._watched.values():
            weights[INTERVALS.class_of(self._uses - watch.used)] += watch.weight
        return weights

    def _pass(self, keys: Sequence[str], now: float, *, wrote: bool) -> None:
        if self._first_at is None:
            self._first_at = now
        if abs(now - self._second) >= 1.0:
            self._begin_second(now)
        self.last_at = now
        size, begin = len(keys), 0
        while True:
            end = min(size, begin + self._skip)
            if begin < end:
                passed = keys if end - begin == size else keys[begin:end]
                place = begin - 1
                for key in filter(self._watched.__contains__, passed):
                    place = keys.index(key, place + 1)
                    self._meet(key, self._uses + place, now, wrote)
                self._skip -= end - begin
            if end == size:
                break
            self._sample(keys[end], self._uses + end, now, wrote)
            begin = end + 1
        self._uses += size

    def _sample(self, key: str, use: int, now: float, wrote: bool) -> None:
        if key in self._watched:
            self._meet(key, use, now, wrote)
        weight = float(self._stride)
        self._noticed(key, weight)
        if wrote:
            group = self._samples // _STRETCH % GROUPS
            self._watched[key] = _Watch(now, use, 0, weight, group)
            self._started[group] += weight
            self._touches += weight
            self._samples += 1
            if len(self._watched) > MOST_WATCHED:
                self._thin()
            if self._samples == _FADES_AT:
                self._fade()
        self._worked()
        self._skip = self._random.randrange(2 * self._stride - 1)  # no rhythm: resolves and writes have one

    def _meet(self, key: str, use: int, now: float, wrote: bool) -> None:
        """A watched session is used: an ask is noted, and a write ends the watch."""
        wrote_at, used, longest, weight, group = self._watched[key]
        longest = max(longest, use - used)
        self._intervals[INTERVALS.class_of(use - used)] += weight
        if wrote:
            del self._watched[key]
        else:
            age = AGES.class_of(now - wrote_at)
            cell = age * INTERVALS.classes + INTERVALS.class_of(longest)
            self._cells[cell] = self._cells.get(cell, 0.0) + weight
            self._ages[group][age] += weight
            self._touches += weight
            self._watched[key] = _Watch(wrote_at, use, longest, weight, group)
        self._worked()

    def _worked(self) -> None:
        self._work += 1
        if self._work > MOST_A_SECOND:
            self._work = 0
            self._thin()

    def _begin_second(self, now: float) -> None:
        if self._work < MOST_A_SECOND // 8 and len(self._watched) < MOST_WATCHED // 4 and self._stride > 1:
            self._stride //= 2
        self._work, self._second = 0, now

    def _thin(self) -> None:
        kept = list(self._watched.items())[self._random.randrange(2) :: 2]
        self._watched.clear()
        for key, watch in kept:
            self._watched[key] = watch._replace(weight=2 * watch.weight)
        self._stride = min(_MOST_STRIDE, 2 * self._stride)

    def _fade(self) -> None:
        """Let what was counted count half, so that traffic of long ago is forgotten in the end."""
        self._samples //= 2
        self._asks, self._writes, self._touches = self._asks / 2, self._writes / 2, self._touches / 2
        self._cells = {cell: weight / 2 for cell, weight in self._cells.items()}
        self._intervals = [weight / 2 for weight in self._intervals]
        self._started = [weight / 2 for weight in self._started]
        self._ages = [[weight / 2 for weight in ages] for ages in self._ages]
        for key, watch in self._watched.items():
            self._watched[key] = watch._replace(weight=watch.weight / 2)
