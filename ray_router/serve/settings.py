"""``FrontSettings``: everything the HTTP front is set to, validated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ray_router.channels import BUILT_IN, Channel, find_channel
from ray_router.config import NAME_PATTERN, read_fields
from ray_router.errors import InvalidConfigError
from ray_router.gateway import GatewaySettings
from ray_router.ingest import IngestSettings
from ray_router.serve.endpoints import (
    DiscordEndpoint,
    DiscordSettings,
    Endpoint,
    EndpointSettings,
    GoogleChatEndpoint,
    GoogleChatSettings,
    MatrixEndpoint,
    MatrixSettings,
    SharedTokenEndpoint,
    SharedTokenSettings,
    SlackEndpoint,
    SlackSettings,
    Surroundings,
    TeamsEndpoint,
    TeamsSettings,
    TelegramEndpoint,
    TelegramSettings,
    WhatsAppEndpoint,
    WhatsAppSettings,
)
from ray_router.serve.reference import Reference

Seconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Plugin = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]

ENDPOINTS: Final[Mapping[str, Callable[[Any, Surroundings], Endpoint]]] = MappingProxyType(
    {
        "discord": DiscordEndpoint,
        "gchat": GoogleChatEndpoint,
        "matrix": MatrixEndpoint,
        "slack": SlackEndpoint,
        "teams": TeamsEndpoint,
        "telegram": TelegramEndpoint,
        "whatsapp": WhatsAppEndpoint,
    }
)


class Webhooks(BaseModel):
    """The bots that deliver here: for each channel, instance -> what its deliveries are checked by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    discord: dict[str, DiscordSettings] = Field(default_factory=dict)
    gchat: dict[str, GoogleChatSettings] = Field(default_factory=dict)
    matrix: dict[str, MatrixSettings] = Field(default_factory=dict)
    slack: dict[str, SlackSettings] = Field(default_factory=dict)
    teams: dict[str, TeamsSettings] = Field(default_factory=dict)
    telegram: dict[str, TelegramSettings] = Field(default_factory=dict)
    whatsapp: dict[str, WhatsAppSettings] = Field(default_factory=dict)
    other: dict[str, dict[str, SharedTokenSettings]] = Field(
        default_factory=dict, description="Channels that other packages install: channel -> instances."
    )

    @field_validator("other")
    @classmethod
    def _not_built_in(cls, others: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(BUILT_IN.keys() & others.keys()):
            raise ValueError(f"{taken[0]} is built in: it has a field of its own")
        return others

    def __iter__(self) -> Iterator[tuple[str, str, EndpointSettings]]:  # type: ignore[override]  # not by field
        """Channel, instance and settings of each."""
        for channel in ENDPOINTS:
            for instance, settings in getattr(self, channel).items():
                yield channel, instance, settings
        for channel, instances in self.other.items():
            for instance, settings in instances.items():
                yield channel, instance, settings


class FrontSettings(BaseModel):
    """The front's settings; times are in seconds, sizes in bytes. Secrets are named, and never held here.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is not acceptable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="front", pattern=NAME_PATTERN, description="Name of the Serve application.")
    router: str = Field(default="default", pattern=NAME_PATTERN, description="Name of the router.")
    namespace: str = Field(default="ray_router", min_length=1, description="Ray namespace that it lives in.")
    webhooks: Webhooks = Field(default_factory=Webhooks, description="The bots that deliver here.")
    handler: Plugin | None = Field(
        default=None,
        description="'module:function': given the router and the gateway, it makes the async callable that "
        "receives what is admitted. Without one, messages write their routes and no more.",
    )
    senders: Plugin | None = Field(
        default=None, description="'module:function': makes the senders of a gateway in each replica."
    )
    gateway: str | None = Field(
        default=None, pattern=NAME_PATTERN, description="Name of a deployed gateway to send through instead."
    )
    gaters: Plugin | None = Field(default=None, description="'module:function': makes the gating policies.")
    moderators: Plugin | None = Field(
        default=None, description="'module:function': makes the moderation policies."
    )
    ingest: IngestSettings = Field(default_factory=IngestSettings, description="Bounds of what comes in.")
    sending: GatewaySettings = Field(
        default_factory=GatewaySettings, description="Bounds of each replica's own gateway."
    )
    api_tokens: tuple[Reference, ...] = Field(
        default=(), description="Where bearer tokens for /v1 are; without one nobody is let in there."
    )
    dashboard: bool = Field(
        default=False,
        description="Whether the live page is under /dashboard, for whoever has one of the api_tokens.",
    )
    max_body_bytes: int = Field(
        default=1_048_576, ge=1_024, le=67_108_864, description="Largest body of a request."
    )
    signature_window_s: Seconds = Field(
        default=300.0, description="How far a signed timestamp may be from the present."
    )
    answer_within_s: Seconds = Field(
        default=2.5,
        description="How long a platform waits for the handler; it works on, but what comes of it is then "
        "not answered. Slack and Discord take 3 seconds for a failure.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address that Serve listens at.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port that Serve listens at.")
    route_prefix: str = Field(default="/", pattern="^/", description="Path under which all of it is.")
    replicas: int = Field(default=1, ge=1, le=1_000, description="Number of replicas.")
    num_cpus: float = Field(default=0.1, ge=0, le=1_024, description="CPUs that Ray reserves for each.")
    start_timeout_s: Seconds = Field(
        default=120.0, description="How long a start waits for the replicas, and their resources."
    )
    max_requests: int = Field(
        default=1_000, ge=1, le=100_000, description="Requests under way in one replica at most."
    )

    @model_validator(mode="after")
    def _one_gateway(self) -> FrontSettings:
        if self.senders is not None and self.gateway is not None:
            raise ValueError("must name either senders, for a gateway in each replica, or a deployed gateway")
        return self

    @classmethod
    def build(cls, /, **settings: Any) -> FrontSettings:
        """Settings of a file or a command line.

        Raises:
            InvalidConfigError: naming the first field that is not acceptable.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "settings"
            raise InvalidConfigError(field, first["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def from_file(cls, path: str | Path, **overrides: Any) -> FrontSettings:
        """Settings from a YAML file: one mapping of fields to values, with some over it.

        Raises:
            InvalidConfigError: the file cannot be read, is not YAML, or holds something unacceptable.
        """
        return cls.build(**(read_fields(path) | overrides))

    def endpoints(self, clock: Callable[[], float]) -> dict[tuple[str, str], Endpoint]:
        """The endpoint of each channel and instance, with its secrets.

        Args:
            clock: epoch seconds.

        Raises:
            InvalidConfigError: a secret is not where it should be.
            UnknownChannelError, BrokenChannelError: an installed channel cannot be used.
        """
        made: dict[tuple[str, str], Endpoint] = {}
        for name, instance, settings in self.webhooks:
            make = ENDPOINTS.get(name, SharedTokenEndpoint)
            around = Surroundings(
                path=f"webhooks.{name}.{instance}"
                if name in ENDPOINTS
                else f"webhooks.other.{name}.{instance}",
                channel=_channel(name),
                instance=instance,
                window_s=self.signature_window_s,
                clock=clock,
            )
            made[name, instance] = make(settings, around)
        return made


def _channel(name: str) -> Channel:
    return BUILT_IN[name] if name in BUILT_IN else find_channel(name)
