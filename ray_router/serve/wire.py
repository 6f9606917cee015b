"""What goes over ``/v1`` as JSON: times without end and what is not known are null, enums are their names."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ray_router.model import Delivery, ReportResult, Resolution, Route

Finite = Annotated[float, Field(allow_inf_nan=False)]


class RouteBody(BaseModel):
    """Where to deliver."""

    model_config = ConfigDict(extra="forbid")

    external_room_id: str = Field(min_length=1)
    external_thread_id: str | None = Field(default=None, min_length=1)
    channel: str | None = Field(default=None, min_length=1)
    instance: str | None = Field(default=None, min_length=1)
    metadata: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, route: Route) -> RouteBody:
        """A route."""
        return cls(
            external_room_id=route.external_room_id,
            external_thread_id=route.external_thread_id,
            channel=route.channel,
            instance=route.instance,
            metadata=dict(route.metadata),
        )

    def route(self) -> Route:
        """The route.

        Raises:
            InvalidRouteError: it is none.
        """
        return Route(
            self.external_room_id, self.external_thread_id, self.channel, self.instance, self.metadata
        )


class ResolutionBody(BaseModel):
    """Where a reply to a session goes, how sure that is, and how it was found."""

    key: str
    route: RouteBody | None = Field(description="Null when nothing good enough is known.")
    source: str
    reason: str | None = Field(description="Why the session's own primary route was not the answer.")
    fallback: bool
    stale: bool
    confidence: str
    matched_scope: str | None
    age_s: float | None
    expires_in_s: float | None
    partition: int
    epoch: int
    served_by_standby: bool

    @classmethod
    def of(cls, answer: Resolution) -> ResolutionBody:
        """A resolution."""
        return cls(
            key=str(answer.key),
            route=None if answer.route is None else RouteBody.of(answer.route),
            source=answer.source.value,
            reason=None if answer.reason is None else answer.reason.value,
            fallback=answer.fallback,
            stale=answer.stale,
            confidence=answer.confidence.name.lower(),
            matched_scope=None if answer.matched_scope is None else answer.matched_scope.name.lower(),
            age_s=_finite(answer.age_s),
            expires_in_s=_finite(answer.expires_in_s),
            partition=answer.partition,
            epoch=answer.epoch,
            served_by_standby=answer.served_by_standby,
        )


class ReportBody(BaseModel):
    """What became of a message that was sent along a route."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="channel:instance:room[:thread]", examples=["telegram:bot_1:room_9"])
    route: RouteBody
    delivery: Literal["delivered", "transient", "permanent", "moved"]
    at: Finite | None = Field(default=None, description="Epoch seconds; now if not given.")
    moved_to: RouteBody | None = Field(default=None, description="With 'moved': where to.")
    retry_after_s: Finite | None = Field(default=None, description="With 'transient': the platform's wish.")

    def outcome(self) -> Delivery:
        """The delivery's outcome, as the router has it."""
        return Delivery(self.delivery)


class ReportResultBody(BaseModel):
    """What a report did, and where."""

    outcome: str
    partition: int

    @classmethod
    def of(cls, result: ReportResult) -> ReportResultBody:
        """A report's result."""
        return cls(outcome=result.outcome.value, partition=result.partition)


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and isfinite(seconds) else None
