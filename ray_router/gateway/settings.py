"""``GatewaySettings``: everything a gateway is set to, validated once."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]


class GatewaySettings(BaseModel):
    """A gateway's settings; times are in seconds.

    Raises:
        pydantic.ValidationError: a field is unknown, or its value is not acceptable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_concurrency: Count = Field(default=64, description="Calls of senders under way at once at most.")
    max_pending: Count = Field(
        default=4_096, description="Messages accepted and not finished at most: waiting, or under way."
    )
    max_pending_per_session: Count = Field(default=64, description="The same, of one session.")
    attempt_timeout_s: Seconds = Field(default=10.0, description="How long one call of a sender may take.")
    send_timeout_s: Seconds = Field(
        default=60.0, description="How long a message may take, from its acceptance to its last retry."
    )
    max_retries: int = Field(
        default=3, ge=0, le=100, description="Retries of a temporary failure on one route at most."
    )
    backoff_first_s: Seconds = Field(default=0.5, description="Longest pause before the first retry.")
    backoff_cap_s: Seconds = Field(default=15.0, description="Longest pause before any retry.")
    max_routes: Annotated[int, Field(ge=1, le=100)] = Field(
        default=8, description="Routes that one message is tried on at most."
    )
    remembered_keys: Count = Field(default=10_000, description="Idempotency keys remembered at most.")
    remembered_for_s: Seconds = Field(default=3_600.0, description="How long they are remembered.")
    drain_s: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = Field(
        default=10.0, description="How long closing waits for what is pending."
    )
    router_level_every_s: Seconds | None = Field(
        default=5.0,
        description="How often the router is asked for its pressure level; None leaves it out of account.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> GatewaySettings:
        if self.backoff_first_s > self.backoff_cap_s:
            raise ValueError("backoff_first_s must not be greater than backoff_cap_s")
        return self

    def differences(self, other: GatewaySettings) -> tuple[str, ...]:
        """One line for each field in which ``other`` differs, with both values."""
        ours, theirs = self.model_dump(), other.model_dump()
        return tuple(
            f"{field} is {theirs[field]!r}, not {ours[field]!r}"
            for field in ours
            if ours[field] != theirs[field]
        )
