"""``Arrival``: a delivery as it came over the wire, before anybody has looked into it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import NamedTuple

from ray_router.errors import RouterError


class NotAuthenticError(RouterError):
    """A delivery that is not shown to come from its platform.

    Args:
        reason: one of a few words, for counting; the sender of the delivery is not told.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Arrival(NamedTuple):
    """A delivery.

    Args:
        headers: by name, in any case; as text of ISO 8859-1, which is how HTTP has them.
        body: the bytes that were signed.
        now: epoch seconds of its arrival.
    """

    headers: Mapping[str, str]
    body: bytes
    now: float

    def header(self, name: str) -> str:
        """A header, or empty text."""
        return self.headers.get(name, "")

    @property
    def bearer(self) -> str:
        """The token of an ``Authorization: Bearer`` header, or empty text."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def same(expected: bytes, given: str) -> bool:
    """Whether a text from outside is what it should be; in a time that does not tell how much of it is."""
    return hmac.compare_digest(expected, given.encode("utf-8", "surrogateescape"))
