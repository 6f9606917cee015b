"""``RouterConfig``: everything a router is set to, validated once, and the same for its whole life."""

from __future__ import annotations

from functools import cached_property
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from xxhash import xxh3_64_intdigest

from ray_router.autoscaling import AutoscalingConfig
from ray_router.core.autoscaler import ScalingSettings
from ray_router.core.eviction import POLICIES
from ray_router.core.exchange import CopySettings
from ray_router.core.settings import Limits, PartitionSettings
from ray_router.errors import InvalidConfigError

Seconds = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_PARTITIONS = 4
_FULL_ENOUGH = 0.8  # of its capacity: before it is full, and live sessions leave


class RouterConfig(BaseModel):
    """A router's config. Times are in seconds, sizes in UTF-8 bytes; ``None`` means no limit.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is not acceptable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    name: str = Field(
        default="default", pattern=NAME_PATTERN, description="Name of the router in its namespace."
    )
    partitions: int = Field(
        default=_PARTITIONS, ge=1, le=4096, description="Number of partitions at deployment."
    )
    ttl_s: Seconds | None = Field(default=1800.0, description="How long an observed route stays fresh.")
    stale_retention_s: Seconds = Field(
        default=86_400.0, description="How long a stale route is kept after that."
    )
    tombstone_retention_s: Seconds = Field(
        default=86_400.0, description="How long it is remembered after that."
    )
    max_entries_per_partition: int = Field(
        default=100_000,
        ge=1,
        le=1_000_000_000,
        description="Sessions of every state that a partition holds at most.",
    )
    max_defaults: int = Field(
        default=1_024, ge=1, le=100_000, description="Instance and channel defaults at most."
    )
    max_candidates: int = Field(default=4, ge=1, le=16, description="Routes a session keeps for each origin.")
    eviction: str = Field(
        default="adaptive",
        description="Which live session leaves a full partition: 'adaptive', 'lru', 's3fifo' or 'sieve'.",
    )
    hash_strategy: str = Field(
        default="room", description="'room', 'instance', or 'module:function' of (channel, instance, room)."
    )
    clock: Literal["wall", "event"] = Field(
        default="wall",
        description="'event': each call carries its own time, and nothing happens between calls.",
    )
    cleanup_interval_s: Seconds = Field(
        default=1.0, description="How often expired entries are cleared away."
    )
    max_clock_skew_s: float = Field(
        default=5.0, ge=0, le=86_400, description="How far ahead of a partition's clock a stamp may lie."
    )
    call_timeout_s: Seconds = Field(default=2.0, description="How long a call may take, retries included.")
    deploy_timeout_s: Seconds = Field(default=60.0, description="How long deployment waits for its actors.")
    min_live_age_s: float = Field(
        default=60.0, ge=0, le=1e9, description="A live route evicted younger than this counts as thrashing."
    )
    backoff_first_s: Seconds = Field(
        default=1.0, description="Pause after a route's first temporary failure."
    )
    backoff_cap_s: Seconds = Field(
        default=60.0, description="Longest pause after temporary failures in a row."
    )
    max_pending_calls: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="Operations that wait in one handle for one partition at most.",
    )
    max_key_part_bytes: int = Field(
        default=512, ge=1, le=65_536, description="Longest part of a session key."
    )
    max_route_bytes: int = Field(
        default=2_048, ge=1, le=1_048_576, description="Longest text form of a route."
    )
    max_metadata_bytes: int = Field(
        default=1_024, ge=0, le=1_048_576, description="Longest metadata of a route."
    )
    max_batch: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Operations in one call at most."
    )
    max_fallbacks: int = Field(default=32, ge=0, le=10_000, description="Fallbacks in one call at most.")
    replicas: int = Field(
        default=0,
        ge=0,
        le=1,
        description="1: every session is kept by a second partition too, and survives the loss of one.",
    )
    durability: Literal["async", "sync"] = Field(
        default="async",
        description="'sync': a write is acknowledged when both have it. 'async': the second follows.",
    )
    read_preference: Literal["owner", "any"] = Field(
        default="owner",
        description="'any': resolves are shared between both partitions that keep a session.",
    )
    replication_interval_ms: float = Field(
        default=100.0,
        gt=0,
        le=60_000,
        description="How often changes are sent to the second partition: what an 'async' loss may cost.",
    )
    hedge_after_s: Seconds = Field(
        default=0.1, description="A call that takes longer is sent to the second partition too."
    )
    max_restarts_in_window: int = Field(
        default=15, ge=1, le=10_000, description="A partition that dies more often is taken out of service."
    )
    restart_window_s: Seconds = Field(default=60.0, description="The time in which deaths are counted.")
    frozen_after_s: Seconds = Field(
        default=10.0, description="A partition that stands still for so long is restarted by another."
    )
    snapshot_uri: str | None = Field(
        default=None,
        description="Folder that snapshots are written into, and the first one is restored from; None: none.",
    )
    snapshot_interval_s: Seconds = Field(default=3_600.0, description="How often one is written.")
    snapshot_keep: int = Field(
        default=3, ge=1, le=10_000, description="How many complete ones are kept; older ones are removed."
    )
    placement: Literal["spread", "pack"] = Field(
        default="spread",
        description="'spread' over nodes: a lost node takes few partitions. 'pack': fewer nodes.",
    )
    num_cpus: float = Field(
        default=0.01, ge=0, le=1024, description="CPUs that Ray reserves for each partition."
    )
    resources: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default_factory=dict, description="Custom resources that Ray reserves for each partition."
    )

    autoscaling: AutoscalingConfig | None = Field(
        default=None,
        description="Have the router choose its number of partitions by itself; None: it keeps it.",
    )

    telemetry: str | None = Field(
        default=None,
        description="'module:function' that sets OpenTelemetry up in each partition's process; "
        "None: as the OTEL_* variables say there, else nothing.",
    )
    ray_metrics: bool = Field(
        default=False, description="Whether partitions and handles feed Ray's own metrics."
    )

    @model_validator(mode="before")
    @classmethod
    def _begins_within_bounds(cls, given: Any) -> Any:
        """Who leaves the number of partitions to the router leaves it the first one too."""
        if not isinstance(given, dict) or "partitions" in given or given.get("autoscaling") is None:
            return given
        try:
            bounds = AutoscalingConfig.model_validate(given["autoscaling"])
        except ValidationError:
            return given  # the field says so itself
        return {**given, "partitions": bounds.nearest(_PARTITIONS)}

    @field_validator("autoscaling")
    @classmethod
    def _around_the_first(
        cls, bounds: AutoscalingConfig | None, info: ValidationInfo
    ) -> AutoscalingConfig | None:
        first = info.data.get("partitions")
        if bounds is not None and first is not None and bounds.nearest(first) != first:
            raise ValueError(
                f"partitions is {first}: it must be from min_partitions, which is {bounds.min_partitions}, "
                f"to max_partitions, which is {bounds.max_partitions}"
            )
        return bounds

    @field_validator("eviction")
    @classmethod
    def _known_policy(cls, name: str) -> str:
        if name not in POLICIES:
            raise ValueError(f"must be one of {', '.join(sorted(POLICIES))}")
        return name

    @field_validator("hash_strategy")
    @classmethod
    def _known_strategy(cls, strategy: str) -> str:
        if strategy not in ("room", "instance") and not names_a_function(strategy):
            raise ValueError("must be 'room', 'instance' or 'module:function'")
        return strategy

    @field_validator("telemetry")
    @classmethod
    def _known_set_up(cls, telemetry: str | None) -> str | None:
        if telemetry is not None and not names_a_function(telemetry):
            raise ValueError("must be 'module:function'")
        return telemetry

    @field_validator("snapshot_uri")
    @classmethod
    def _a_folder(cls, uri: str | None) -> str | None:
        if uri is not None and not (uri.isprintable() and ("://" in uri or Path(uri).is_absolute())):
            raise ValueError("must be an absolute path, or a URI: partitions work in other folders")
        return uri

    @model_validator(mode="after")
    def _placeable(self) -> RouterConfig:
        if self.placement == "spread" and self.num_cpus == 0 and not self.resources:
            raise ValueError(
                "placement='spread' needs num_cpus > 0 or a custom resource: "
                "Ray ignores SPREAD for actors that ask for nothing"
            )
        return self

    @cached_property
    def limits(self) -> Limits:
        """The greatest inputs that handles and partitions accept."""
        return Limits(
            key_part_bytes=self.max_key_part_bytes,
            route_bytes=self.max_route_bytes,
            metadata_bytes=self.max_metadata_bytes,
            batch_operations=self.max_batch,
            fallbacks=self.max_fallbacks,
        )

    def copy_settings(self) -> CopySettings:
        """How each partition keeps copies."""
        return CopySettings(
            synchronous=self.durability == "sync",
            copies=1 + self.replicas,
            most_owed=self.max_entries_per_partition,
            # Where nobody could take its place, a partition stays in service however often it dies.
            max_restarts=self.max_restarts_in_window if self.replicas else 1_000_000,
            restart_window_s=self.restart_window_s,
        )

    def scaling_settings(self) -> ScalingSettings | None:
        """How the number of partitions is chosen; None where nobody does."""
        chosen = self.autoscaling
        if chosen is None:
            return None
        return ScalingSettings(
            least=chosen.min_partitions,
            most=chosen.max_partitions,
            target_entries=chosen.target_entries or self.max_entries_per_partition * _FULL_ENOUGH,
            target_calls_per_s=chosen.target_calls_per_s,
            upscale_delay_s=chosen.upscale_delay_s,
            downscale_delay_s=chosen.downscale_delay_s,
        )

    def partition_settings(self) -> PartitionSettings:
        """What each partition needs to know of this."""
        return PartitionSettings(
            ttl_s=inf if self.ttl_s is None else self.ttl_s,
            stale_retention_s=self.stale_retention_s,
            tombstone_retention_s=self.tombstone_retention_s,
            capacity=self.max_entries_per_partition,
            max_defaults=self.max_defaults,
            max_candidates=self.max_candidates,
            eviction=self.eviction,
            max_clock_skew_s=self.max_clock_skew_s,
            min_live_age_s=self.min_live_age_s,
            call_timeout_s=self.call_timeout_s,
            backoff_first_s=self.backoff_first_s,
            backoff_cap_s=self.backoff_cap_s,
            event_clock=self.clock == "event",
            limits=self.limits,
        )

    @cached_property
    def fingerprint(self) -> int:
        """A 64-bit hash of all settings: handles and partitions of one deployment share it."""
        return xxh3_64_intdigest(self.model_dump_json().encode())

    def differences(self, other: RouterConfig) -> tuple[str, ...]:
        """One line for each field in which ``other`` differs, with both values."""
        ours, theirs = self.model_dump(), other.model_dump()
        return tuple(
            f"{field} is {theirs[field]!r}, not {ours[field]!r}"
            for field in ours
            if ours[field] != theirs[field]
        )

    @classmethod
    def build(cls, /, **settings: Any) -> RouterConfig:
        """A config from settings of a file or a command line.

        Raises:
            InvalidConfigError: naming the first field that is not acceptable.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "config"
            raise InvalidConfigError(field, first["msg"]) from None

    @classmethod
    def from_file(cls, path: str | Path) -> RouterConfig:
        """A config from a YAML file: one mapping of fields to values.

        Raises:
            InvalidConfigError: the file cannot be read, is not YAML, or holds something unacceptable.
        """
        return cls.build(**read_fields(path))


def read_fields(path: str | Path) -> dict[str, Any]:
    """The fields of a YAML file: one mapping of fields to values.

    Raises:
        InvalidConfigError: the file cannot be read, is not YAML, or holds something else.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError("config", f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date of no calendar
        raise InvalidConfigError("config", f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise InvalidConfigError("config", f"{path} must hold a mapping of fields to values")
    return {str(field): value for field, value in content.items()}


def names_a_function(text: str) -> bool:
    """Whether a setting has the form ``module:function``."""
    module, _, function = text.partition(":")
    return bool(module) and function.isidentifier()
