"""Discord: Ed25519 signatures of interactions, PING, and the gateway events that somebody forwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field
from starlette.responses import JSONResponse, Response

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings, member
from ray_router.serve.endpoints.window import Window
from ray_router.serve.reference import Reference

_PING, _COMPONENT, _MODAL = 1, 3, 5
_PONG, _DEFERRED_UPDATE = 1, 6


class DiscordSettings(EndpointSettings):
    """An application."""

    needed: ClassVar[tuple[str, ...]] = ("public_key",)

    public_key: str | None = Field(
        default=None, pattern="^[0-9a-fA-F]{64}$", description="The application's public key, in hex."
    )
    forwarder_token: Reference | None = Field(
        default=None,
        description="Where the bearer token of whoever forwards the gateway's events to us is, if anybody.",
    )


class DiscordEndpoint(Endpoint):
    """https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint.

    Discord itself posts interactions alone. Messages come over its gateway, to which somebody must hold a
    socket; whoever does cannot sign in Discord's name, and shows a token instead.
    """

    def __init__(self, settings: DiscordSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        # An open endpoint asks no key.
        key = bytes.fromhex(settings.public_key or "")
        self._key = Ed25519PublicKey.from_public_bytes(key) if key else None
        self._forwarder = around.secret("forwarder_token", settings.forwarder_token)
        self._window = Window(around.window_s, around.clock)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The signature of timestamp and body, or the forwarder's token."""
        if self._forwarder and arrival.bearer:
            if not same(self._forwarder, arrival.bearer):
                raise NotAuthenticError("token")
            return {}
        timestamp = arrival.header("x-signature-timestamp")
        self._window.check_time(timestamp, arrival.now)
        try:
            signature = bytes.fromhex(arrival.header("x-signature-ed25519"))
            assert self._key is not None  # the settings have it, or are open
            self._key.verify(signature, timestamp.encode() + arrival.body)
        except (InvalidSignature, ValueError):
            raise NotAuthenticError("signature") from None
        self._window.check_first(f"{timestamp}:{signature.hex()}")
        return {}

    def challenge(self, payload: object) -> Response | None:
        """PING is answered with PONG."""
        return JSONResponse({"type": _PONG}) if member(payload, "type") == _PING else None

    def acknowledge(self, payload: object) -> Response:
        """A press is acknowledged without a change of its message; the reply comes by itself."""
        if member(payload, "type") in (_COMPONENT, _MODAL):
            return JSONResponse({"type": _DEFERRED_UPDATE})
        return JSONResponse({})
