"""Hash strategies of the tests' own, good and bad."""

from __future__ import annotations

import os
import sys


def by_language(channel: str, instance: str | None, room: str | None) -> str:
    """Rooms of a language (what stands before the dash) stay together."""
    return (room or "").partition("-")[0]


def by_process(channel: str, instance: str | None, room: str | None) -> int:
    """Not pure: it gives other slots in every process."""
    return os.getpid()


def by_luck(channel: str, instance: str | None, room: str | None) -> bytes:
    """Not total: it fails."""
    raise LookupError("out of luck")


def by_weight(channel: str, instance: str | None, room: str | None) -> float:
    """Not text, bytes or an int."""
    return 0.5


def only_there(channel: str, instance: str | None, room: str | None) -> int:
    """Fails where tests run, and works in the actors."""
    if "pytest" in sys.modules:
        raise LookupError("not here")
    return 7
