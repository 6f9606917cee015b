"""Senders that do what they are told, here or in an actor: the payload brings the script."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ray_router.gateway import Blame, Delivered, Moved, Permanent, Retryable, Undelivered, Verdict
from ray_router.model import Route

Script = Mapping[str, list[str]]
"""Room -> what happens there at each attempt; after the last, and elsewhere, it is delivered."""


def job(number: int, script: Script | None = None) -> dict[str, Any]:
    """A payload with its number and its script."""
    return {"number": number, "script": dict(script or {})}


class ScriptedSender:
    """Plays each payload's script.

    Steps: ``delivered``, ``retryable``, ``retryable:SECONDS``, ``permanent``, ``refused`` (the message),
    ``moved:ROOM``, ``hang``, ``oserror``, ``typeerror``, ``raised`` (a verdict, raised), ``nonsense``,
    ``wait:GATE`` until another message has played ``open:GATE`` (both then deliver), ``pause``, which yields.

    ``message_id`` of a delivery is the how-manieth it is in its room, so that order shows in results.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Route, Any]] = []
        self.delivered: dict[str, list[int]] = defaultdict(list)
        self._steps: dict[tuple[int, str], int] = defaultdict(int)
        self._gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def send(self, route: Route, payload: Any) -> Verdict:
        """The next step of the payload's script for this room."""
        self.calls.append((route, payload))
        room, number = route.external_room_id, payload["number"]
        played = self._steps[number, room]
        self._steps[number, room] += 1
        script = payload["script"].get(room, [])
        step, _, detail = (script[played] if played < len(script) else "delivered").partition(":")
        verdict = await self._play(step, detail)
        if isinstance(verdict, Delivered):
            self.delivered[room].append(number)
            return Delivered(str(len(self.delivered[room])))
        return verdict

    async def _play(self, step: str, detail: str) -> Verdict:
        if step == "hang":
            await asyncio.Event().wait()
        if step == "pause":
            for _ in range(5):
                await asyncio.sleep(0)
        if step == "wait":
            await self._gates[detail].wait()
        if step == "open":
            self._gates[detail].set()
        if step in _ERRORS:
            raise _ERRORS[step]
        if step in _VERDICTS:
            return _VERDICTS[step]  # type: ignore[no-any-return]  # nonsense is none
        if step == "retryable":
            return Retryable(float(detail) if detail else None, "busy")
        return Moved(Route(detail)) if step == "moved" else Delivered()


_ERRORS: dict[str, Exception] = {
    "oserror": ConnectionError("reset"),
    "typeerror": TypeError("not JSON"),
    "raised": Undelivered(Permanent("blocked")),
}
_VERDICTS: dict[str, Any] = {
    "permanent": Permanent("no such chat"),
    "refused": Permanent("too long", Blame.MESSAGE),
    "nonsense": "ok",
}


def make() -> dict[str, ScriptedSender]:
    """One for the channel ``tg``."""
    return {"tg": ScriptedSender()}


def make_nothing() -> None:
    """A factory that does not make senders."""


def fail() -> None:
    """A factory that cannot work."""
    raise OSError("no credentials")
