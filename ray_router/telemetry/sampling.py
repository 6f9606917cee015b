"""``OneInEight``: which of many durations are recorded.

A record costs OpenTelemetry's SDK 10 to 70 microseconds, a tenth of a small call; a distribution is as good
from one in eight. Counts are never sampled.
"""

from __future__ import annotations

from collections.abc import Hashable

_ONE_IN = 8


class OneInEight:
    """Says yes to the first of each kind, and to every eighth after it.

    Kinds are counted apart, or what takes turns would always be passed over.
    """

    def __init__(self) -> None:
        self._seen: dict[Hashable, int] = {}

    def __call__(self, kind: Hashable) -> bool:
        seen = self._seen.get(kind, 0)
        self._seen[kind] = seen + 1
        return seen % _ONE_IN == 0
