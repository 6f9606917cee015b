"""Telegram: the secret token that ``setWebhook`` was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings
from ray_router.serve.reference import Reference


class TelegramSettings(EndpointSettings):
    """A bot."""

    needed: ClassVar[tuple[str, ...]] = ("secret_token",)

    secret_token: Reference | None = Field(
        default=None, description="Where the secret_token that setWebhook was given is."
    )


class TelegramEndpoint(Endpoint):
    """https://core.telegram.org/bots/api#setwebhook."""

    def __init__(self, settings: TelegramSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._token = around.secret("secret_token", settings.secret_token)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The token, in a header of its own."""
        if not same(self._token, arrival.header("x-telegram-bot-api-secret-token")):
            raise NotAuthenticError("token")
        return {}
