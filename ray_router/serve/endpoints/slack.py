"""Slack: signing secret, ``url_verification``, and the forms that interactions and commands come in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs

from pydantic import Field
from starlette.responses import JSONResponse, Response

from ray_router.channels import InvalidPayloadError
from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings, from_json, member
from ray_router.serve.endpoints.window import Window
from ray_router.serve.reference import Reference

_VERSION = "v0"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100


class SlackSettings(EndpointSettings):
    """A workspace's app."""

    needed: ClassVar[tuple[str, ...]] = ("signing_secret",)

    signing_secret: Reference | None = Field(default=None, description="Where the signing secret is.")


class SlackEndpoint(Endpoint):
    """https://docs.slack.dev/authentication/verifying-requests-from-slack."""

    def __init__(self, settings: SlackSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._secret = around.secret("signing_secret", settings.signing_secret)
        self._window = Window(around.window_s, around.clock)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The HMAC of version, timestamp and body; Slack signs a retry anew."""
        timestamp = arrival.header("x-slack-request-timestamp")
        self._window.check_time(timestamp, arrival.now)
        signed = f"{_VERSION}:{timestamp}:".encode() + arrival.body
        expected = f"{_VERSION}={hmac.new(self._secret, signed, hashlib.sha256).hexdigest()}"
        if not same(expected.encode(), arrival.header("x-slack-signature")):
            raise NotAuthenticError("signature")
        self._window.check_first(expected)
        return {}

    def decode(self, arrival: Arrival) -> object:
        """Events are JSON; interactions are JSON in a form's field; a command is a form."""
        if arrival.header("content-type").partition(";")[0].strip().lower() != _FORM:
            return super().decode(arrival)
        try:
            text = arrival.body.decode()
            form = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise InvalidPayloadError("body", "must be a form of few fields") from None
        fields = {name: values[-1] for name, values in form.items()}
        return from_json(fields["payload"], "payload") if "payload" in fields else fields

    def challenge(self, payload: object) -> Response | None:
        """https://docs.slack.dev/reference/events/url_verification."""
        challenge = member(payload, "challenge")
        if member(payload, "type") != "url_verification" or not isinstance(challenge, str):
            return None
        return JSONResponse({"challenge": challenge.encode("utf-8", "replace").decode()})

    def acknowledge(self, payload: object) -> Response:
        """Empty: the answer to a command would be shown to its user."""
        return Response()
