"""``Channel``: what a platform is to the rest of the router."""

from __future__ import annotations

from typing import Protocol

from ray_router.channels.inbound import Parsed


class Channel(Protocol):
    """A platform that delivers payloads.

    ``parse`` is a pure function of its arguments: it reads no clock and no state, so that a payload
    delivered twice gives the same outcome twice.
    """

    @property
    def name(self) -> str:
        """The platform's name, the channel of its session keys (``"slack"``)."""
        ...

    def parse(self, payload: object, instance: str) -> Parsed:
        """What a payload holds.

        Args:
            payload: a decoded JSON value.
            instance: our name for the bot or workspace that it was delivered to.

        Raises:
            InvalidPayloadError: it is not what the platform documents; whatever the value, no other
                error is raised for it.
            InvalidKeyError: ``instance`` is empty, or not text.
        """
        ...
