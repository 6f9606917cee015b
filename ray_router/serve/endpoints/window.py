"""``Window``: signed timestamps that are too old, too new, or were here before."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import TTLCache

from ray_router.serve.endpoints.arrival import NotAuthenticError

_MOST_DIGITS = 12
_MOST_SIGNATURES = 100_000


class Window:
    """For how long a signature counts, and that it counts once.

    What it remembers is this object's alone: where several replicas receive, a delivery that is replayed
    within the window may reach another one, where it is known by its message id no better. What is older
    than the window is refused by all.

    Args:
        length_s: seconds that a timestamp may lie in the past or in the future.
        clock: epoch seconds; ages what is remembered.
    """

    def __init__(self, length_s: float, clock: Callable[[], float]) -> None:
        self._length_s = length_s
        # A timestamp from the future is acceptable for twice as long.
        self._seen: TTLCache[str, None] = TTLCache(_MOST_SIGNATURES, 2 * length_s, timer=clock)

    def check_time(self, timestamp: str, now: float) -> None:
        """Epoch seconds as decimal text.

        Raises:
            NotAuthenticError: no timestamp, or outside the window.
        """
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _MOST_DIGITS):
            raise NotAuthenticError("timestamp")
        if abs(now - int(timestamp)) > self._length_s:
            raise NotAuthenticError("replayed")

    def check_first(self, signature: str) -> None:
        """A signature that was found to be good.

        Raises:
            NotAuthenticError: it was here before.
        """
        if signature in self._seen:
            raise NotAuthenticError("replayed")
        self._seen[signature] = None
