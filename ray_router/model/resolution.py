"""What reading returns: ``Resolution`` (an answer and its receipt) and ``RouteRecord`` (a look)."""

from __future__ import annotations

from dataclasses import dataclass

from ray_router.errors import NoRouteError
from ray_router.model.key import SessionKey
from ray_router.model.route import Route
from ray_router.model.vocabulary import (
    Confidence,
    FallbackReason,
    Freshness,
    Origin,
    ResolutionSource,
    Scope,
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a reply to a session goes, how sure that is, and how the answer was found.

    True when it has a route. ``age_s`` and ``expires_in_s`` are seconds, None where the route was not
    stored; ``expires_in_s`` is negative on a stale answer and infinite for a route that never expires.
    """

    key: SessionKey
    route: Route | None
    source: ResolutionSource
    reason: FallbackReason | None
    stale: bool
    confidence: Confidence
    matched_scope: Scope | None
    age_s: float | None
    expires_in_s: float | None
    partition: int
    epoch: int
    served_by_standby: bool = False

    def __bool__(self) -> bool:
        return self.route is not None

    @property
    def fallback(self) -> bool:
        """True when something other than the session's primary route answered."""
        return self.source not in (ResolutionSource.EXACT, ResolutionSource.NONE)

    def require(self) -> Route:
        """The route.

        Raises:
            NoRouteError: there is none.
        """
        if self.route is None:
            reason = "" if self.reason is None else f" ({self.reason.value})"
            raise NoRouteError(f"no route for a session of scope {self.key.scope.name.lower()}{reason}")
        return self.route

    def _repr_html_(self) -> str:
        from ray_router.model.html.answers import resolution_html

        return resolution_html(self)


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """What is stored for a session itself: its primary route, and the others in their order.

    ``failed`` says that the primary is held back by a delivery report.
    """

    key: SessionKey
    route: Route
    freshness: Freshness
    observed_at: float
    age_s: float
    expires_in_s: float
    origin: Origin
    alternates: tuple[Route, ...]
    failed: bool = False

    def _repr_html_(self) -> str:
        from ray_router.model.html.answers import record_html

        return record_html(self)
