"""Hash strategies of a user's own, good and bad."""

from __future__ import annotations

NOT_A_FUNCTION = "bot"


def by_channel(channel: str, instance: str | None, room: str | None) -> str:
    """Everything on a channel stays together."""
    return channel


def by_room_bytes(channel: str, instance: str | None, room: str | None) -> bytes:
    """Rooms of one name stay together, whatever their instance."""
    return (room or "").encode()


def by_length(channel: str, instance: str | None, room: str | None) -> int:
    """A readable slot: minus the length of the room's id."""
    return -len(room or "")


def by_nothing(channel: str, instance: str | None, room: str | None) -> None:
    """Returns what nobody can hash."""
