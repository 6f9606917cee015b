"""``Outgoing``: one message to send, what its sender accepts, and the checks of what callers give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeVar

from ray_router.errors import InvalidCallError
from ray_router.gateway.priority import Priority
from ray_router.handle.intake import fallback_texts, key_text
from ray_router.model import Confidence, Route, Scope, SessionKey

_LONGEST_IDEMPOTENCY_KEY = 512  # characters

E = TypeVar("E", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, with what was wished for its route. ``session`` is the text form of ``key``."""

    key: SessionKey
    session: str
    payload: object
    fallbacks: tuple[Route, ...] = ()
    allow_stale: bool = False
    widest_scope: Scope = Scope.ROOM
    min_confidence: Confidence = Confidence.NONE

    @classmethod
    def checked(
        cls,
        key: SessionKey | str,
        payload: object,
        fallbacks: Sequence[Route],
        *,
        allow_stale: bool,
        widest_scope: Scope,
        min_confidence: Confidence,
    ) -> Outgoing:
        """A message from what a caller gave; the router's own limits are checked when it resolves.

        Raises:
            InvalidInputError: the key or a fallback is not one.
        """
        session = key_text(key)
        return cls(
            key if isinstance(key, SessionKey) else SessionKey.parse(session),
            session,
            payload,
            tuple(map(Route.from_text, fallback_texts(fallbacks))),
            allow_stale,
            _member("widest_scope", widest_scope, Scope),
            _member("min_confidence", min_confidence, Confidence),
        )

    def completed(self, route: Route) -> Route:
        """A route as its sender needs it: with the channel and instance that the session implies."""
        return replace(
            route, channel=route.channel or self.key.channel, instance=route.instance or self.key.instance
        )

    def bare(self, route: Route) -> Route:
        """A route from a sender, without the channel and instance that the session implies anyway.

        A sender that answers ``Moved`` with what it was given, changed, must not make a second identity of
        a place that inbound messages write without them.
        """
        channel = None if route.channel == self.key.channel else route.channel
        instance = None if route.instance == self.key.instance else route.instance
        return replace(route, channel=channel, instance=instance)


def check_idempotency_key(key: object) -> None:
    """An idempotency key must be text of bounded length.

    Raises:
        InvalidCallError: it is not.
    """
    if key is None:
        return
    if not isinstance(key, str):
        raise InvalidCallError("idempotency_key", f"must be a str, not {type(key).__name__}")
    if not 1 <= len(key) <= _LONGEST_IDEMPOTENCY_KEY:
        raise InvalidCallError(
            "idempotency_key", f"must be 1 to {_LONGEST_IDEMPOTENCY_KEY} characters long, not {len(key)}"
        )


def check_priority(priority: object) -> Priority:
    """A priority, given as itself or as its number.

    Raises:
        InvalidCallError: it is none.
    """
    return _member("priority", priority, Priority)


def _member(field: str, value: object, vocabulary: type[E]) -> E:
    if isinstance(value, int) and not isinstance(value, bool) and value in tuple(vocabulary):
        return vocabulary(value)
    raise InvalidCallError(field, f"must be one of {', '.join(vocabulary.__members__)}")
