"""``Windows``: what was counted over the last minute, ten minutes and hour, with nothing to do for each call.

Running totals are kept anyway; a window is the difference to a copy of them that is as old as it is long.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import NamedTuple

from ray_router.model import Window

SPANS_S = (60.0, 600.0, 3_600.0)
_STEP_S = 10.0  # by which a window may be longer than it says


class Totals(NamedTuple):
    """Running totals; ``busy_s`` are seconds spent on calls."""

    resolves: int = 0
    exact: int = 0
    fallbacks: int = 0
    writes: int = 0
    busy_s: float = 0.0


class Windows:
    """Copies of running totals: one at the first call in every ten seconds, as they were just before it."""

    def __init__(self) -> None:
        self._copies: deque[tuple[float, Totals]] = deque(maxlen=int(SPANS_S[-1] / _STEP_S) + 2)
        self._began_at: float | None = None
        self._due_at = -inf

    def due(self, now: float) -> bool:
        """Whether a call at this time is the first in its ten seconds."""
        return now >= self._due_at

    def copy(self, totals: Totals, now: float) -> None:
        """Keep the totals as they are before the first call in the ten seconds that begin now."""
        if self._began_at is None:
            self._began_at = now
        self._copies.append((now, totals))
        self._due_at = now + _STEP_S

    def over(self, totals: Totals, now: float) -> tuple[Window, ...]:
        """The windows that end now; none is longer than the time since the first copy."""
        return tuple(self._window(totals, now, span_s) for span_s in SPANS_S)

    def _window(self, totals: Totals, now: float, span_s: float) -> Window:
        since, before = now, totals
        for at, copied in reversed(self._copies):
            if at <= now - span_s - _STEP_S:
                break
            since, before = at, copied
        known_s = 0.0 if self._began_at is None else max(0.0, now - self._began_at)
        return Window(
            span_s,
            covered_s=min(known_s, max(span_s, now - since)),
            resolves=totals.resolves - before.resolves,
            exact=totals.exact - before.exact,
            fallbacks=totals.fallbacks - before.fallbacks,
            writes=totals.writes - before.writes,
            busy_s=totals.busy_s - before.busy_s,
        )
