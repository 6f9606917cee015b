"""Matrix: the homeserver's token, and the transactions that it pushes to an application service."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ray_router.channels import InvalidPayloadError, Parsed
from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError, same
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings, member
from ray_router.serve.reference import Reference

_log = logging.getLogger(__name__)


class MatrixSettings(EndpointSettings):
    """A homeserver."""

    needed: ClassVar[tuple[str, ...]] = ("homeserver_token",)

    homeserver_token: Reference | None = Field(
        default=None, description="Where the hs_token of the application service's registration is."
    )


class MatrixEndpoint(Endpoint):
    """https://spec.matrix.org/latest/application-service-api/#pushing-events.

    A homeserver pushes one transaction at a time, and one that is refused again and again, for ever.
    """

    redelivery_blocks: ClassVar[bool] = True

    def __init__(self, settings: MatrixSettings, around: Surroundings) -> None:
        super().__init__(settings, around)
        self._token = around.secret("homeserver_token", settings.homeserver_token)

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """The token, as a bearer."""
        if not same(self._token, arrival.bearer):
            raise NotAuthenticError("token")
        return {}

    def parse(self, payload: object) -> Parsed:
        """What a transaction holds, or an event on its own.

        A user may write an event of any content: one that is broken is passed over, or it would hold back
        its whole homeserver.
        """
        events = member(payload, "events")
        if not isinstance(events, list):
            return super().parse(payload)
        parsed = [each for each in map(self._parsed, events) if each is not None]
        return Parsed(
            tuple(message for each in parsed for message in each.messages),
            tuple(ignored for each in parsed for ignored in each.ignored),
        )

    def _parsed(self, event: object) -> Parsed | None:
        try:
            return super().parse({"events": [event]})
        except InvalidPayloadError as error:
            _log.warning("an event of a Matrix transaction was passed over: %s", error)
            return None
