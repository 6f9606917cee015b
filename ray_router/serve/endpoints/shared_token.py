"""Channels that other packages install: a secret in a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings
from ray_router.serve.reference import Reference


class SharedTokenSettings(EndpointSettings):
    """A bot of an installed channel."""

    needed: ClassVar[tuple[str, ...]] = ("token",)

    token: Reference | None = Field(default=None, description="Where the secret is.")
    header: str = Field(
        default="Authorization",
        pattern=r"^[A-Za-z0-9-]{1,100}$",
        description="The header that carries it; as a bearer token in Authorization, as it is in another.",
    )


class SharedTokenEndpoint(Endpoint):
    """Whoever knows the secret is let in."""

    def __init__(self, settings: SharedTokenSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._token = around.secret("token", settings.token)
        self._header = settings.header.lower()

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The secret, in its header."""
        given = arrival.bearer if self._header == "authorization" else arrival.header(self._header)
        if not same(self._token, given):
            raise NotAuthenticError("token")
        return {}
