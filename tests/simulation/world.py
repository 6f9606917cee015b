"""``World``: virtual time, and a network that delays, loses and repeats, all from one seed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random
from typing import NamedTuple

EPOCH = 1_700_000_000.0
_LOOKS_EVERY_S = 0.05


class Weather(NamedTuple):
    """How the network behaves: delays in seconds, chances from 0 to 1."""

    usual_s: float = 0.002
    slow_s: float = 0.4
    slow: float = 0.02
    lost: float = 0.02
    repeated: float = 0.02


class World:
    """What happens next, and when; nothing happens between."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.random = Random(seed)
        self.now = EPOCH
        self.weather = weather
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        heapq.heappush(self._agenda, (self.now + delay_s, next(self._order), what))

    def send(self, deliver: Callable[[], None]) -> None:
        """Let the network carry a message: late, twice, or not at all."""
        chance, weather = self.random.random, self.weather
        if chance() < weather.lost:
            return
        for _ in range(2 if chance() < weather.repeated else 1):
            slow = chance() < weather.slow
            self.after(self.random.expovariate(1 / (weather.slow_s if slow else weather.usual_s)), deliver)

    def run(self, until: Callable[[], bool], *, at_most_s: float) -> bool:
        """Let time pass until something holds, looked at now and then; whether it does so in time."""
        end = self.now + at_most_s
        while not until():
            look_at = min(end, self.now + _LOOKS_EVERY_S)
            while self._agenda and self._agenda[0][0] <= look_at:
                self.now, _, what = heapq.heappop(self._agenda)
                what()
            if look_at == end or not self._agenda:
                return until()
            self.now = look_at
        return True
