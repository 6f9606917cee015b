"""What reading returns: ``Resolution`` (an answer and its receipt) and ``RouteRecord`` (a look)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

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


class _Unread:
    """Has fields that are filled in when one of them is first looked at, and are like any other's then."""

    __slots__ = ("_fill",)
    _fill: Callable[[Any, str], None]

    if not TYPE_CHECKING:  # to a type checker there are the declared fields, and no others

        def __getattr__(self, name: str) -> Any:
            if name not in type(self).__dataclass_fields__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self._fill(self, name)
            return object.__getattribute__(self, name)


@dataclass(frozen=True, slots=True)
class Resolution(_Unread):
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

    @classmethod
    def unread(cls, fill: Callable[[Resolution, str], None]) -> Resolution:
        """One whose fields are filled in when they are looked at.

        Args:
            fill: given it and the name of the field; fills in that one at least.
        """
        resolution = object.__new__(cls)
        _set_fill(resolution, fill)
        return resolution

    def fill_in(self, field: str, value: object) -> None:
        """Fill in a field of one that is not read yet."""
        object.__setattr__(self, field, value)

    def fill_in_rest(self, *values: object) -> None:
        """Fill in all fields after its key and route, in order."""
        for set_field, value in zip(_SET_REST, values, strict=True):
            set_field(self, value)

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


_set_fill = vars(_Unread)["_fill"].__set__  # the quickest way to fill a frozen value that is being made
_SET_REST = [vars(Resolution)[field.name].__set__ for field in fields(Resolution)[2:]]


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
