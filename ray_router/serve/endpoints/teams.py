"""Teams: tokens of the Bot Connector."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from starlette.responses import JSONResponse, Response

from ray_router.serve.endpoints.arrival import NotAuthenticError
from ray_router.serve.endpoints.endpoint import member
from ray_router.serve.endpoints.signed_token import SignedTokenEndpoint, SignedTokenSettings

_CLAIMS = ("serviceurl", "serviceUrl")  # as it is written, and as it is documented
_INVOKED = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": ""}


class TeamsSettings(SignedTokenSettings):
    """A bot; ``audience`` is its app id.

    The Bot Connector publishes its keys at https://login.botframework.com/v1/.well-known/keys.
    """

    issuers: tuple[str, ...] = Field(
        default=("https://api.botframework.com",), min_length=1, description="Who may have issued a token."
    )


class TeamsEndpoint(SignedTokenEndpoint):
    """https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication."""

    def agree(self, claims: Mapping[str, object], payload: object) -> None:
        """The activity's ``serviceUrl``, where replies will go with our own token, must be the signed one."""
        signed = next((claims[name] for name in _CLAIMS if name in claims), None)
        if not isinstance(signed, str) or member(payload, "serviceUrl") != signed:
            raise NotAuthenticError("service_url")

    def acknowledge(self, payload: object) -> Response:
        """Who presses a button waits for an answer of this form."""
        return JSONResponse(_INVOKED if member(payload, "type") == "invoke" else {})
