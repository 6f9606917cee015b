"""Actors that know what they cost: their process's memory, and how long its collections of garbage take."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ray_router.bench.machine import resident_bytes


class CollectionWatch:
    """Notes how long each collection of garbage takes, in seconds, while it is in ``gc.callbacks``."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self._began_at = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began_at = time.perf_counter()
        else:
            self.pauses_s.append(time.perf_counter() - self._began_at)

    @property
    def longest_ms(self) -> float:
        """The longest so far."""
        return max(self.pauses_s, default=0.0) * 1e3


@contextmanager
def collections_watched() -> Iterator[CollectionWatch]:
    """Watch the collections of this process meanwhile."""
    watch = CollectionWatch()
    gc.callbacks.append(watch)
    try:
        yield watch
    finally:
        gc.callbacks.remove(watch)


class Watched:
    """What an actor can say of its own process."""

    _watch: CollectionWatch | None = None

    def resident_bytes(self) -> int:
        """Its resident memory, without garbage."""
        gc.collect()
        return resident_bytes()

    def watch_collections(self) -> None:
        """Note, from now on, how long each takes."""
        self._watch = CollectionWatch()
        gc.callbacks.append(self._watch)

    def longest_collection_ms(self) -> float:
        """The longest since then."""
        return 0.0 if self._watch is None else self._watch.longest_ms

    def collect_ms(self) -> float:
        """How long a collection of everything takes."""
        began = time.perf_counter()
        gc.collect()
        return (time.perf_counter() - began) * 1e3
