"""``Watch``: a router looked at again and again; what changed between two looks is remembered, for a while.

It looks when somebody asks, at most about once a second however many do, so that a page that nobody has
open costs the router nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from ray_router.config import RouterConfig
from ray_router.dashboard.standing import Standing, news_of, standing_of
from ray_router.errors import RouterError
from ray_router.handle import RouterHandle
from ray_router.model import PartitionStats, RouterStats

_HOLDS_FOR_S: Final = 0.8  # the page asks once a second
_GIVES_UP_AFTER_S = 10.0  # the page does not wait much longer
_MOST_POINTS: Final = 600
_MOST_NEWS: Final = 60


class Point(NamedTuple):
    """What was answered between two looks; ``at``, epoch seconds, is the later one."""

    at: float
    seconds: float
    resolves: int
    exact: int
    fallbacks: int
    writes: int


class News(NamedTuple):
    """Something that changed; of one partition, or of the router when that is None."""

    at: float
    partition: int | None
    what: str


class Known(NamedTuple):
    """A partition: how it stands since when, and what it said last."""

    standing: Standing
    since: float
    stats: PartitionStats
    said_at: float | None = None
    resolves_per_s: float | None = None
    writes_per_s: float | None = None


class Watch:
    """What is known of a router.

    ``problem``: why it does not answer, None while some of it does; ``stats`` are then the last there were.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, router: RouterHandle, clock: Callable[[], float]) -> None:
        self._router = router
        self._clock = clock
        self._looking = asyncio.Lock()
        self.looked_at = -1.0
        self.answered_at: float | None = None
        self.problem: str | None = None
        self.config: RouterConfig | None = None
        self.stats: RouterStats | None = None
        self.partitions: dict[int, Known] = {}
        self.points: deque[Point] = deque(maxlen=_MOST_POINTS)
        self.news: deque[News] = deque(maxlen=_MOST_NEWS)

    async def look(self) -> None:
        """Look, unless somebody did a moment ago."""
        async with self._looking:
            if 0 <= self._clock() - self.looked_at < _HOLDS_FOR_S:
                return
            try:
                stats = await asyncio.wait_for(_stats_of(self._router), _GIVES_UP_AFTER_S)
            except asyncio.TimeoutError:
                self._seen(None, f"no answer within {_GIVES_UP_AFTER_S:g} s")
                return
            except RouterError as error:
                self._seen(None, str(error))
                return
            self.config = self._router.config
            silent = all(not each.available for each in stats.partitions)
            self._seen(stats, "none of its partitions answers" if silent else None)

    def _seen(self, stats: RouterStats | None, problem: str | None) -> None:
        now = self._clock()
        if problem is not None and self.problem is None:
            self._tell(now, None, "the router does not answer")
        elif problem is None and self.problem is not None:
            self._tell(now, None, "the router answers again")
        if stats is not None:
            before = self.partitions
            self.partitions = {
                each.partition: self._learned(each, stats.out, now) for each in stats.partitions
            }
            if problem is None:
                self._count(before, now)
                self.answered_at = now
            if problem is None or self.stats is None:
                self.stats = stats
        self.problem, self.looked_at = problem, now

    def _learned(self, stats: PartitionStats, out: tuple[int, ...], now: float) -> Known:
        """What is known of a partition from here on."""
        before = self.partitions.get(stats.partition)
        standing = standing_of(stats, out)
        since = now if before is None or before.standing is not standing else before.since
        if before is not None:
            for what in news_of(before.standing, before.stats, standing, stats, now - before.since):
                self._tell(now, stats.partition, what)
        elif standing is not Standing.UP:
            self._tell(now, stats.partition, f"partition {stats.partition} is {standing.value}")
        if not stats.available:
            return Known(
                standing, since, stats if before is None else before.stats, before and before.said_at
            )
        if before is None or before.said_at is None or before.stats.incarnation != stats.incarnation:
            return Known(standing, since, stats, now)
        seconds = max(1e-3, now - before.said_at)
        then, traffic = before.stats.traffic, stats.traffic
        resolves, writes = traffic.resolves - then.resolves, traffic.sets - then.sets
        return Known(standing, since, stats, now, resolves / seconds, writes / seconds)

    def _count(self, before: dict[int, Known], now: float) -> None:
        """One more point: of the partitions that went on counting from one look to the next."""
        seconds = now - self.looked_at
        if self.looked_at < 0 or seconds <= 0:
            return
        resolves = exact = fallbacks = writes = 0
        for index, each in self.partitions.items():
            then = before.get(index)
            if then is None or (then.said_at, each.said_at) != (self.looked_at, now):
                continue
            if then.stats.incarnation != each.stats.incarnation:
                continue
            resolves += each.stats.traffic.resolves - then.stats.traffic.resolves
            exact += each.stats.traffic.exact - then.stats.traffic.exact
            fallbacks += each.stats.traffic.fallbacks - then.stats.traffic.fallbacks
            writes += each.stats.traffic.sets - then.stats.traffic.sets
        self.points.append(Point(now, seconds, resolves, exact, fallbacks, writes))

    def _tell(self, at: float, partition: int | None, what: str) -> None:
        self.news.append(News(at, partition, what))


async def _stats_of(router: RouterHandle) -> RouterStats:
    return await router.stats()
