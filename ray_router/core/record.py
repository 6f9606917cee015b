"""Records: the text of a plain session, which is stored, sent and answered as it is.

Most sessions have one route, said by users and perhaps confirmed, and nothing else. Such a session is
kept as one text: five fields joined by U+001D, the route last, so that it may hold anything::

    observed_at  ttl_s  origin  confirmed_at  route

Times are the shortest decimals that read back as the same floats. A field is empty where it says what is
usual: the router's own TTL, an inbound origin, no confirmation. A text is what Python's garbage collector
never visits: a table of a million sessions as tuples of tuples costs it 400 ms, as texts nothing; and
what is sent needs no encoding. Whatever is not plain is a ``SessionState``.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from ray_router.core.candidates import Mark, Observation, SessionState
from ray_router.model import Origin

FIELD = "\x1d"
BETWEEN = "\x1c"
"""Joins the records of many sessions into one text; no plain session's route holds it."""

_INBOUND = Origin.INBOUND.value


class Record(NamedTuple):
    """A plain session. ``confirmed_at`` is -inf for one that was never confirmed."""

    observed_at: float
    ttl_s: float
    origin: int
    confirmed_at: float
    route: str

    @property
    def lives_until(self) -> float:
        """The last moment at which its route is fresh."""
        return max(self.observed_at, self.confirmed_at) + self.ttl_s


class RecordFormat:
    """Reads and writes records, for a router with this TTL."""

    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s

    def write(self, observed_at: float, ttl_s: float, origin: int, confirmed_at: float, route: str) -> str:
        """The record of a plain session."""
        ttl = "" if ttl_s == self._ttl_s else repr(ttl_s)
        who = "" if origin == Origin.INBOUND else str(int(origin))
        confirmed = "" if confirmed_at == -inf else repr(confirmed_at)
        return f"{observed_at!r}\x1d{ttl}\x1d{who}\x1d{confirmed}\x1d{route}"

    def read(self, text: str) -> Record:
        """What a record says."""
        observed_at, ttl, who, confirmed, route = text.split(FIELD, 4)
        if not (ttl or who or confirmed):
            return Record(float(observed_at), self._ttl_s, _INBOUND, -inf, route)
        return Record(
            float(observed_at),
            float(ttl) if ttl else self._ttl_s,
            int(who) if who else _INBOUND,
            float(confirmed) if confirmed else -inf,
            route,
        )

    @staticmethod
    def route(text: str) -> str:
        """The route alone of a record."""
        return text.split(FIELD, 4)[4]

    def record(self, state: SessionState) -> str | None:
        """The record of a session, if it is plain."""
        observations, failed, confirmed, deferred, deleted_at = state
        if len(observations) != 1 or failed or deferred or deleted_at != -inf:
            return None
        origin, observed_at, ttl_s, route = observations[0]
        confirmed_at = -inf
        if confirmed:
            if len(confirmed) > 1 or confirmed[0].route != route:
                return None
            confirmed_at = confirmed[0].at
        if BETWEEN in route:
            return None
        return self.write(observed_at, ttl_s, origin, confirmed_at, route)

    def state(self, text: str) -> SessionState:
        """All that is known of the session of a record."""
        observed_at, ttl_s, origin, confirmed_at, route = self.read(text)
        confirmed = () if confirmed_at == -inf else (Mark(confirmed_at, route),)
        return SessionState((Observation(origin, observed_at, ttl_s, route),), confirmed=confirmed)
