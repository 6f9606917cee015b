"""Google Chat: tokens of Chat itself, and of the Pub/Sub subscriptions that push to us."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from ray_router.serve.endpoints.arrival import NotAuthenticError
from ray_router.serve.endpoints.endpoint import Surroundings
from ray_router.serve.endpoints.signed_token import SignedTokenEndpoint, SignedTokenSettings

_GOOGLE = ("https://accounts.google.com", "accounts.google.com")
_CHAT = "chat@system.gserviceaccount.com"


class GoogleChatSettings(SignedTokenSettings):
    """An app; ``audience`` is its URL.

    Google publishes its keys at https://www.googleapis.com/oauth2/v3/certs. For an app whose audience is
    its project's number, the issuer is chat@system.gserviceaccount.com, which has keys of its own.
    """

    issuers: tuple[str, ...] = Field(
        default=_GOOGLE, min_length=1, description="Who may have issued a token."
    )
    emails: tuple[str, ...] = Field(
        default=(_CHAT,),
        min_length=1,
        description="Whose tokens count: Chat's own account, and those of Pub/Sub subscriptions.",
    )


class GoogleChatEndpoint(SignedTokenEndpoint):
    """https://developers.google.com/workspace/chat/verify-requests-from-chat and, for subscriptions,
    https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions."""

    def __init__(self, settings: GoogleChatSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._emails = settings.emails

    def agree(self, claims: Mapping[str, object], payload: object) -> None:
        """Google signs for any account, with any audience: it must be one of ours."""
        if claims["iss"] not in _GOOGLE:
            return
        if claims.get("email_verified") is not True or claims.get("email") not in self._emails:
            raise NotAuthenticError("email")
