"""``IngestSettings``: everything ingest is set to, validated once."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ray_router.ingest.policy import OnFault

Seconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


class IngestSettings(BaseModel):
    """Ingest's settings; times are in seconds.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is not acceptable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_policy_fault: OnFault = Field(
        default=OnFault.DENY, description="What holds for a policy that crashes or takes too long."
    )
    handler_timeout_s: Seconds = Field(default=30.0, description="How long the handler may take.")
    remembered_messages: Count = Field(
        default=100_000, description="Messages remembered at most, to know a duplicate."
    )
    remembered_for_s: Seconds = Field(
        default=86_400.0, description="How long; longer than any platform goes on delivering again."
    )
    max_in_progress: Count = Field(default=10_000, description="Deliveries being received at once at most.")
