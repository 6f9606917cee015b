"""Scopes read straight from a key's canonical text, where ':' separates and nothing else does."""

from __future__ import annotations

from ray_router.model import Scope


def scope_of(text: str) -> Scope:
    """The scope of the key with this canonical text."""
    if text.count(":") == 3:
        return Scope.THREAD
    if not text.endswith(":*"):
        return Scope.ROOM
    return Scope.CHANNEL if text.endswith(":*:*") else Scope.INSTANCE


def wider_than(text: str, widest: int) -> list[tuple[Scope, str]]:
    """The wider scopes up to and including ``widest``, the next wider first, with their texts."""
    channel, instance, room, *_ = text.split(":")
    texts = {
        Scope.ROOM: f"{channel}:{instance}:{room}",
        Scope.INSTANCE: f"{channel}:{instance}:*",
        Scope.CHANNEL: f"{channel}:*:*",
    }
    own = scope_of(text)
    return [(scope, wider) for scope, wider in texts.items() if own < scope <= widest]
