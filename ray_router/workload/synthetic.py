"""``SyntheticTraffic``: made-up messages, the same for the same seed on every machine.

A few rooms, threads and users are busy and most are not (Zipf), as in every chat; messages come as a
Poisson process; and some are returns to the session that has been silent for longest, so that there
are always sessions that come back after their time.
"""

from __future__ import annotations

from bisect import bisect
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import accumulate
from math import log
from random import Random

from ray_router.errors import InvalidCallError
from ray_router.model import Route, SessionKey
from ray_router.workload.event import Event

PLATFORMS = (("telegram", "bot_1"), ("slack", "acme"), ("discord", "helpdesk"), ("whatsapp", "support"))


@dataclass(frozen=True, slots=True)
class SyntheticTraffic:
    """Made-up messages; iterate over it, as often as you like.

    Args:
        messages: how many.
        rooms, threads, users: group rooms; threads in each of them; users who write directly.
        skew: Zipf's exponent: the n-th busiest has 1/n**skew of the busiest one's messages; 0 is even.
        thread_share, direct_share: shares of messages in a thread of a room, and in a direct chat; the
            rest is in rooms.
        late_share: share of messages that return to the session that has been silent for longest, if
            that is at least ``late_after_s``.
        start, span_s: epoch seconds of the beginning, and how long it takes, on average.

    Raises:
        InvalidCallError: a number out of its range.
    """

    messages: int = 20_000
    seed: int = 0
    rooms: int = 300
    threads: int = 12
    users: int = 2_000
    skew: float = 1.1
    thread_share: float = 0.4
    direct_share: float = 0.25
    late_share: float = 0.05
    late_after_s: float = 3_600.0
    start: float = 1_700_000_000.0
    span_s: float = 86_400.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 1 if field.name in ("rooms", "threads", "users") else 0
            if field.name != "seed" and value < least:
                raise InvalidCallError(field.name, f"must be at least {least}, not {value}")
        if self.thread_share + self.direct_share > 1:
            raise InvalidCallError("thread_share", "and direct_share are shares: at most 1 together")
        if self.late_share > 1:
            raise InvalidCallError("late_share", f"is a share: at most 1, not {self.late_share}")

    def __len__(self) -> int:
        return self.messages

    def __iter__(self) -> Iterator[Event]:
        random = Random(self.seed)
        rooms, threads, users = (_zipf(count, self.skew) for count in (self.rooms, self.threads, self.users))
        silent: OrderedDict[SessionKey, float] = OrderedDict()  # by the time of their last message
        at = self.start
        for _ in range(self.messages):
            at -= log(1.0 - random.random()) * self.span_s / self.messages
            key = self._returning(random, silent, at)
            if key is None:
                kind = random.random()
                if kind < self.direct_share:
                    key = _direct(_draw(random, users))
                else:
                    room = _draw(random, rooms)
                    in_thread = kind < self.direct_share + self.thread_share
                    key = _room(room, _draw(random, threads) if in_thread else None)
            silent[key] = at
            silent.move_to_end(key)
            assert key.room is not None
            yield Event(at, key, Route(key.room, key.thread))

    def _returning(
        self, random: Random, silent: OrderedDict[SessionKey, float], at: float
    ) -> SessionKey | None:
        if random.random() >= self.late_share or not silent:
            return None
        key, last_at = next(iter(silent.items()))
        return key if at - last_at >= self.late_after_s else None


def _direct(user: int) -> SessionKey:
    return SessionKey(*PLATFORMS[user % len(PLATFORMS)], f"user_{user}")


def _room(room: int, thread: int | None) -> SessionKey:
    return SessionKey(
        *PLATFORMS[room % len(PLATFORMS)], f"room_{room}", None if thread is None else f"thread_{thread}"
    )


def _zipf(count: int, skew: float) -> list[float]:
    """Cumulative weights of ranks 1 to ``count``."""
    return list(accumulate((rank + 1) ** -skew for rank in range(count)))


def _draw(random: Random, weights: list[float]) -> int:
    return bisect(weights, random.random() * weights[-1], hi=len(weights) - 1)
