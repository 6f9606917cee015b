"""``Lanes``: who may come in, and whose turn it is. One lane for each session that has messages pending.

Invariants: a lane's messages have their turn one at a time and in the order in which they came in; lanes
know nothing of each other; no lane is kept without a message; ``pending`` counts a place from ``admit``
to ``leave`` and never exceeds ``max_pending``.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ray_router.core.pressure import level_of
from ray_router.gateway.errors import GatewayOverloadedError
from ray_router.gateway.priority import Priority, refuses
from ray_router.model import PressureLevel


class Place:
    """One message's place: wait for its ``turn``, ``pass_on`` the turn, and ``leave``."""

    __slots__ = ("_has_turn", "_lanes", "_left", "session")

    def __init__(self, lanes: Lanes, session: str) -> None:
        self._lanes = lanes
        self._has_turn: asyncio.Future[None] | None = None
        self._left = False
        self.session = session

    async def turn(self) -> None:
        """Return when all earlier messages of the session have passed on their turn."""
        if self._lanes.head(self.session) is not self:
            self._has_turn = asyncio.get_running_loop().create_future()
            await self._has_turn

    def call(self) -> None:
        """It is this one's turn."""
        if self._has_turn is not None and not self._has_turn.done():
            self._has_turn.set_result(None)

    def pass_on(self) -> None:
        """Let the session's next message go; waiting or not, this one has no turn any more."""
        self._lanes.pass_on(self)

    def leave(self) -> None:
        """Make room."""
        self.pass_on()
        if not self._left:
            self._left = True
            self._lanes.left()


class Lanes:
    """The bounded queues of all sessions; for one event loop.

    Args:
        max_pending: places at most.
        max_per_session: places of one session at most.
    """

    def __init__(self, max_pending: int, max_per_session: int) -> None:
        self._max_pending = max_pending
        self._max_per_session = max_per_session
        self._lanes: dict[str, deque[Place]] = {}
        self.pending = 0
        self.refused = 0

    @property
    def sessions(self) -> int:
        """Sessions that have messages pending."""
        return len(self._lanes)

    @property
    def level(self) -> PressureLevel:
        """The pressure level by the share of places taken."""
        return level_of(self.pending / self._max_pending)

    def admit(self, session: str, priority: Priority, router_level: PressureLevel) -> Place:
        """The place behind the session's other messages.

        Raises:
            GatewayOverloadedError: there is no room for this priority.
        """
        lane = self._lanes.get(session)
        pending_here = 0 if lane is None else len(lane)
        level = max(self.level, router_level)
        problem = self._problem(level, priority, pending_here)
        if problem is not None:
            self.refused += 1
            raise GatewayOverloadedError(level, priority, problem)
        place = Place(self, session)
        if lane is None:
            lane = self._lanes[session] = deque()
        lane.append(place)
        self.pending += 1
        return place

    def head(self, session: str) -> Place | None:
        """Whose turn it is."""
        lane = self._lanes.get(session)
        return lane[0] if lane else None

    def pass_on(self, place: Place) -> None:
        """Take a place out of its lane, and call the next if it had its turn."""
        lane = self._lanes.get(place.session)
        if lane is None or place not in lane:
            return
        had_turn = lane[0] is place
        lane.remove(place)
        if not lane:
            del self._lanes[place.session]
        elif had_turn:
            lane[0].call()

    def left(self) -> None:
        """A place is free again."""
        self.pending -= 1

    def _problem(self, level: PressureLevel, priority: Priority, pending_here: int) -> str | None:
        if self.pending >= self._max_pending:
            return f"{self.pending} messages are pending; the limit is {self._max_pending}"
        if pending_here >= self._max_per_session:
            return f"{pending_here} messages of its session are pending; the limit is {self._max_per_session}"
        if refuses(level, priority, session_pending=pending_here > 0):
            return f"{self.pending} of at most {self._max_pending} messages are pending here"
        return None
