"""``Archivist``: one partition's pages for snapshots, and what it takes in from them, a little at a time.

The partition is held for a millisecond at most, and whoever waits for it, or for the interpreter, goes first
between two steps: reading a million sessions takes seconds, and no call waits for more than a step of it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from ray_router.core.archive import Archive, checked_state
from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.keytext import scope_of
from ray_router.core.parcels import packed
from ray_router.core.reading import Place, Reading
from ray_router.core.settings import Limits
from ray_router.errors import InvalidInputError
from ray_router.model import Scope
from ray_router.transport.protocol import Page, PartitionLost, ReadPage, TakenIn
from ray_router.transport.turns import Turns
from ray_router.wire_snapshot import ChunkWriter, sessions_in

_AT_ONCE = 250  # sessions under one hold of the lock
_SORTED_AT_ONCE = 1_000  # keys
_READINGS = 4  # at once; more would mean that callers gave up, and what they listed is kept for nobody
_BREATH_S = 0.0005

T = TypeVar("T")


class Archivist:
    """Reads and restores one partition; one call at a time.

    Args:
        lock: held for each step.
        now: epoch seconds by which sessions expire.
        epoch: of who owns what.
    """

    def __init__(
        self,
        archive: Archive,
        limits: Limits,
        lock: Turns,
        now: Callable[[], float],
        epoch: Callable[[], int],
    ) -> None:
        self._archive = archive
        self._limits = limits
        self._lock = lock
        self._now = now
        self._epoch = epoch
        self._readings: OrderedDict[str, Reading] = OrderedDict()

    def read(self, request: ReadPage) -> Page:
        """The page that begins at a place.

        Raises:
            PartitionLost: this life does not hold yet what it should.
        """
        if not self._archive.ready:
            raise PartitionLost("it has been restarted, and does not hold its sessions yet")
        reading, at = self._reading(request)
        place: Place | None = at
        writer, defaults = ChunkWriter(), 0
        while place is not None and not writer.full:
            keys, place = reading.keys_from(place, _AT_ONCE)
            with self._lock:
                states = [(key, self._archive.state(key)) for key in keys]
            found = [(key, state) for key, state in states if state != NOTHING]
            writer.add((key, packed(state)) for key, state in found)
            defaults += sum(scope_of(key) >= Scope.INSTANCE for key, _ in found)
            time.sleep(_BREATH_S)
        if place is None:
            del self._readings[request.reading]
        return Page(writer.finish(), writer.sessions, defaults, place, self._epoch())

    def take_in(self, piece: bytes) -> TakenIn:
        """Merge what is in a piece; what this router does not take is left out and counted.

        Raises:
            InvalidCallError: it is no piece, or none that is read here; what came before that is merged.
        """
        refused = refused_defaults = evicted = 0
        for some in _several(sessions_in(piece)):
            checked = []
            for key, state in some:
                try:
                    checked.append((str(key), checked_state(key, state, self._limits)))
                except InvalidInputError:
                    is_default = isinstance(key, str) and scope_of(key) >= Scope.INSTANCE
                    refused, refused_defaults = refused + (not is_default), refused_defaults + is_default
            evicted += self._merge(checked)
            time.sleep(_BREATH_S)
        return TakenIn(refused, refused_defaults, evicted, self._epoch())

    def _merge(self, sessions: Iterable[tuple[str, SessionState]]) -> int:
        with self._lock:
            now = self._now()
            return sum([self._archive.take_in(key, state, now) for key, state in sessions])

    def _reading(self, request: ReadPage) -> tuple[Reading, Place]:
        known = self._readings.get(request.reading)
        if known is not None:
            self._readings.move_to_end(request.reading)
            return known, request.place
        with self._lock:
            begun = self._archive.begin()
        while begun.sort_some(_SORTED_AT_ONCE):
            time.sleep(_BREATH_S)
        self._readings[request.reading] = begun
        while len(self._readings) > _READINGS:
            self._readings.popitem(last=False)
        return begun, Place(request.place.slot)


def _several(items: Iterable[T]) -> Iterator[list[T]]:
    """The items, some at a time."""
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
