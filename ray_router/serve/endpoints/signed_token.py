"""JSON Web Tokens in ``Authorization: Bearer``: what Teams and Google Chat show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import jwt
from pydantic import Field, field_validator, model_validator

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings
from ray_router.serve.endpoints.keys import Keys, read_keys
from ray_router.serve.reference import Reference

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SignedTokenSettings(EndpointSettings):
    """Who signs tokens for whom, and with which keys."""

    needed: ClassVar[tuple[str, ...]] = ("audience",)

    issuers: tuple[str, ...] = Field(default=(), min_length=1, description="Who may have issued a token.")
    audience: str | None = Field(default=None, min_length=1, description="Whom it must be meant for: us.")
    keys: Reference | None = Field(
        default=None,
        description="Where the issuer's public keys are: a JSON Web Key Set, PEM by key id, or one PEM.",
    )
    keys_url: str | None = Field(default=None, description="Or where the issuer publishes them.")

    @field_validator("keys_url")
    @classmethod
    def _is_safe(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
                raise ValueError("must begin with https://")
        return url

    @model_validator(mode="after")
    def _has_keys(self) -> SignedTokenSettings:
        if not self.open and (self.keys is None) == (self.keys_url is None):
            raise ValueError("needs either keys or keys_url")
        return self


class SignedTokenEndpoint(Endpoint):
    """RS256 tokens, of a known issuer, for us, and not expired.

    A token is good for many deliveries until it expires, so a repeated message is known by its id.
    """

    leeway_s: ClassVar[float] = 300.0
    """Seconds by which the issuer's clock may differ from ours."""

    def __init__(self, settings: SignedTokenSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._issuers = settings.issuers
        self._audience = settings.audience or ""
        content = around.secret("keys", settings.keys)
        fixed = read_keys(content, f"{around.path}.keys") if content else {}
        self._keys = Keys(fixed, settings.keys_url)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The signature, and what it says of issuer, audience and time."""
        token = arrival.bearer
        try:
            header = jwt.get_unverified_header(token)
            key = await self._keys.find(header.get("kid"))
            if key is None:
                raise NotAuthenticError("key")
            return self._claims(token, key)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            # RecursionError: a header nested deeper than the interpreter's stack.
            raise NotAuthenticError("token") from None

    def _claims(self, token: str, key: Any) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=list(self._issuers),
            leeway=self.leeway_s,
            options={"require": ["exp", "iss", "aud"]},
        )
