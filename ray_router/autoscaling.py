"""``AutoscalingConfig``: how a router chooses its number of partitions by itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ray_router.core.slots import SLOTS

Delay = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class AutoscalingConfig(BaseModel):
    """Bounds, targets and delays of autoscaling, in the manner of Ray Serve. Times are in seconds.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is not acceptable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    min_partitions: int = Field(default=1, ge=1, le=SLOTS, description="Partitions at least.")
    max_partitions: int = Field(default=16, ge=1, le=SLOTS, description="Partitions at most.")
    target_entries: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="Sessions of every state that a partition is to hold on average; "
        "None: 80 % of max_entries_per_partition.",
    )
    target_calls_per_s: float = Field(
        default=1_000.0,
        gt=0,
        le=1e12,
        allow_inf_nan=False,
        description="Resolves and writes that a partition is to answer each second on average.",
    )
    upscale_delay_s: Delay = Field(
        default=30.0, description="How long more must be wanted before partitions are added."
    )
    downscale_delay_s: Delay = Field(
        default=600.0, description="How long fewer must be enough before some are taken away."
    )
    interval_s: float = Field(
        default=2.0, gt=0, le=3_600, description="How often the controller looks.", allow_inf_nan=False
    )

    @field_validator("max_partitions")
    @classmethod
    def _above_the_least(cls, most: int, info: ValidationInfo) -> int:
        least = info.data.get("min_partitions", 1)
        if most < least:
            raise ValueError(f"must be at least min_partitions, which is {least}, not {most}")
        return most

    def nearest(self, partitions: int) -> int:
        """The number within the bounds that is next to this one."""
        return min(max(partitions, self.min_partitions), self.max_partitions)
