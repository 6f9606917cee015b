"""``Event``: a message came in. All that a router learns from it."""

from __future__ import annotations

from typing import NamedTuple

from ray_router.model import Route, SessionKey


class Event(NamedTuple):
    """A message came in at ``at`` (epoch seconds, as the log has it) for the session ``key``.

    ``route`` leads back to where it came from.
    """

    at: float
    key: SessionKey | str
    route: Route
