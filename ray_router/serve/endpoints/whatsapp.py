"""WhatsApp: the app secret's signature, and the verification of the endpoint."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings
from ray_router.serve.reference import Reference


class WhatsAppSettings(EndpointSettings):
    """A business number."""

    needed: ClassVar[tuple[str, ...]] = ("app_secret",)

    app_secret: Reference | None = Field(default=None, description="Where the app secret is.")
    verify_token: Reference | None = Field(
        default=None,
        description="Where the verify token is; without one the endpoint cannot be verified.",
    )


class WhatsAppEndpoint(Endpoint):
    """https://developers.facebook.com/docs/graph-api/webhooks/getting-started."""

    def __init__(self, settings: WhatsAppSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._secret = around.secret("app_secret", settings.app_secret)
        self._verify_token = around.secret("verify_token", settings.verify_token)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The HMAC of the body. It has no time: a repeated message is known by its id."""
        expected = f"sha256={hmac.new(self._secret, arrival.body, hashlib.sha256).hexdigest()}"
        if not same(expected.encode(), arrival.header("x-hub-signature-256")):
            raise NotAuthenticError("signature")
        return {}

    def verify(self, mode: str, token: str, challenge: str) -> str:
        """The answer to the question whether we are the ones: the challenge itself.

        Raises:
            NotAuthenticError: whoever asks does not know the verify token.
        """
        if mode != "subscribe" or not self._verify_token or not same(self._verify_token, token):
            raise NotAuthenticError("token")
        return challenge
