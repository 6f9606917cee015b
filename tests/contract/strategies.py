"""Hash strategies of a user's own."""

from __future__ import annotations


def by_shop(channel: str, instance: str | None, room: str | None) -> str:
    """All rooms of a shop together, whatever the channel: the shop is the first word of the room."""
    return (room or "").partition("/")[0]
