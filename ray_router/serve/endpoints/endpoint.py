"""``Endpoint``: how one bot's deliveries are let in, read, and answered as its platform wants it.

Nothing is parsed before ``admit`` has found the raw body authentic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse, Response

from ray_router.channels import Channel, InvalidPayloadError, Parsed
from ray_router.serve.endpoints.arrival import Arrival
from ray_router.serve.reference import Reference


class EndpointSettings(BaseModel):
    """What is common to all platforms: an endpoint has its secrets, or is expressly open.

    Raises:
        pydantic.ValidationError: it has neither, or both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    needed: ClassVar[tuple[str, ...]] = ()

    open: bool = Field(
        default=False,
        description="Let every delivery in unchecked. Whoever can reach it can then write routes.",
    )

    @model_validator(mode="after")
    def _closed_or_open(self) -> EndpointSettings:
        given = [name for name in self.needed if getattr(self, name)]
        if self.open and given:
            raise ValueError(f"is open, and has {given[0]}: it must be the one or the other")
        missing = [name for name in self.needed if name not in given]
        if missing and not self.open:
            raise ValueError(f"needs {missing[0]} (or 'open: true', to let every delivery in unchecked)")
        return self


class Surroundings(NamedTuple):
    """What an endpoint is made with.

    Args:
        path: of its settings, for what is wrong with them.
        window_s: for how long a signed timestamp counts.
        clock: epoch seconds.
    """

    path: str
    channel: Channel
    instance: str
    window_s: float
    clock: Callable[[], float]

    def secret(self, name: str, reference: Reference | None) -> bytes:
        """A secret of the settings; empty where none is given.

        Raises:
            InvalidConfigError: it is not where it should be.
        """
        return b"" if reference is None else reference.read(f"{self.path}.{name}")


class Endpoint:
    """One instance of one channel. A platform's own endpoint says how it differs.

    Raises:
        InvalidConfigError: a secret is not where the settings say, or is none.
    """

    redelivery_blocks: ClassVar[bool] = False
    """Whether a delivery that is refused is repeated for ever, with all later ones behind it."""

    def __init__(self, settings: EndpointSettings, around: Surroundings) -> None:
        self.channel = around.channel
        self.instance = around.instance
        self._is_open = settings.open

    async def admit(self, arrival: Arrival) -> Any:
        """The payload of an authentic delivery.

        Raises:
            NotAuthenticError: it is not.
            InvalidPayloadError: it is, and cannot be read.
        """
        claims = {} if self._is_open else await self.check(arrival)
        payload = self.decode(arrival)
        if not self._is_open:
            self.agree(claims, payload)
        return payload

    async def check(self, arrival: Arrival) -> Mapping[str, object]:
        """Find the raw delivery authentic; what it claims is returned for ``agree``.

        Raises:
            NotAuthenticError: it is not.
        """
        raise NotImplementedError

    def agree(self, claims: Mapping[str, object], payload: object) -> None:
        """Compare what was signed beside the body with the body.

        Raises:
            NotAuthenticError: they differ.
        """

    def decode(self, arrival: Arrival) -> object:
        """The payload that a body holds.

        Raises:
            InvalidPayloadError: it holds none.
        """
        return from_json(arrival.body, "body")

    def challenge(self, payload: object) -> Response | None:
        """The answer to a payload that only asks whether we are there; None for any other."""
        return None

    def parse(self, payload: object) -> Parsed:
        """What a payload holds.

        Raises:
            InvalidPayloadError: it is not what the platform documents.
        """
        return self.channel.parse(payload, self.instance)

    def acknowledge(self, payload: object) -> Response:
        """The answer to a payload that was received."""
        return JSONResponse({})


def from_json(text: str | bytes, field: str) -> object:
    """A JSON value.

    Raises:
        InvalidPayloadError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: nested deeper than the interpreter's stack
        raise InvalidPayloadError(field, "must be JSON") from None


def member(payload: object, name: str) -> object:
    """A field of a payload that may be anything."""
    return payload.get(name) if isinstance(payload, dict) else None
