"""What may come in: the one place that checks keys, routes, stamps and TTLs against the limits.

The handle asks before anything is sent, the partition asks again, because anyone can call an actor.
Every check returns nothing or raises an ``InvalidInputError`` that names the field and the limit.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from math import inf
from operator import is_not

from ray_router.core.ladder import fits
from ray_router.core.operations import (
    USUAL_WISHES,
    Delete,
    Explain,
    Get,
    Group,
    Operation,
    Report,
    Resolve,
    Set,
)
from ray_router.core.settings import Limits
from ray_router.errors import InvalidCallError, InvalidKeyError, InvalidRouteError
from ray_router.model import Confidence, Delivery, Origin, Route, Scope, SessionKey
from ray_router.model.key import is_plain

_STRUCTURED = frozenset("\x1e\x1f")
"""What the text of a route holds that is more than a room's id; see ``Route.text``."""


def check_key(text: object, limits: Limits) -> None:
    """A key's text must be canonical, and each of its parts within the limit."""
    if not isinstance(text, str):
        raise InvalidKeyError("key", f"must be text, not {type(text).__name__}")
    if len(text) <= limits.key_part_bytes and is_plain(text):
        return  # short as a whole, so in each part, and nothing in it needs a second look
    key = SessionKey.parse(text)
    if str(key) != text:
        raise InvalidKeyError("key", "is not in canonical form")
    check_key_size(key, limits)


def check_key_size(key: SessionKey, limits: Limits) -> None:
    """Each part of a key must be within the limit."""
    for field in ("channel", "instance", "room", "thread"):
        part = getattr(key, field)
        if part is not None and (size := len(part.encode())) > limits.key_part_bytes:
            raise InvalidKeyError(field, f"is {size} bytes long; the limit is {limits.key_part_bytes}")


def check_route(text: object, limits: Limits, field: str = "route") -> None:
    """A route's text must be canonical and, metadata apart, within the limits."""
    if not isinstance(text, str):
        raise InvalidRouteError(field, f"must be text, not {type(text).__name__}")
    if 0 < len(text) <= limits.route_bytes and text.isascii() and _STRUCTURED.isdisjoint(text):
        return  # nothing but the id of a room
    check_route_size(Route.from_text(text), limits, field)


def check_route_size(route: Route, limits: Limits, field: str = "route") -> None:
    """A route must be within the limits, its metadata counted by itself."""
    metadata = sum(len(name.encode()) + len(value.encode()) for name, value in route.metadata.items())
    if metadata > limits.metadata_bytes:
        raise InvalidRouteError("metadata", f"is {metadata} bytes long; the limit is {limits.metadata_bytes}")
    size = len(route.text.encode())
    if size > limits.route_bytes:
        raise InvalidRouteError(field, f"is {size} bytes long; the limit is {limits.route_bytes}")


def check_belongs(key: str, route: str) -> None:
    """A route that is written must be valid for the session it is written for."""
    if not fits(route, key):
        owner, stray = SessionKey.parse(key), Route.from_text(route)
        field = "channel" if stray.channel not in (None, owner.channel) else "instance"
        raise InvalidRouteError(field, f"of the route is not the session's {field}")


def check_seconds(field: str, value: object, *, least: float = -inf, infinite: bool = False) -> None:
    """A time must be a number, not NaN, finite unless said otherwise, and at least ``least``."""
    if type(value) is float and -_LARGEST_STAMP <= value <= _LARGEST_STAMP and value >= least:
        return  # as nearly all are
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCallError(field, f"must be a number of seconds, not {type(value).__name__}")
    if value != value or value == -inf or (value == inf and not infinite):  # noqa: PLR0124  # isnan takes no huge int
        raise InvalidCallError(field, f"must be a finite number of seconds, not {value}")
    if abs(value) > _LARGEST_STAMP and value != inf:
        raise InvalidCallError(field, f"must be at most {_LARGEST_STAMP:.0e} seconds")
    if value < least:
        raise InvalidCallError(field, f"must be at least {least:g} seconds, not {float(value):g}")


_LARGEST_STAMP = 1e15  # beyond it a float no longer tells seconds apart; the year 31,690,708


def check_ttl(field: str, value: object) -> None:
    """A TTL must be a positive number of seconds, or infinite."""
    check_seconds(field, value, least=0.0, infinite=True)
    if value == 0:
        raise InvalidCallError(field, "must be greater than 0 seconds")


def check_group(group: object, limits: Limits) -> None:
    """A group must be one, and within the limit; its operations are checked one by one as they come."""
    if not isinstance(group, Group) or not _is_whole(group):
        raise InvalidCallError("group", f"must be a Group, not {type(group).__name__}")
    _check_tuple("operations", group.operations, limits.batch_operations)


def check_now(now: object, *, event_clock: bool) -> None:
    """A router with an event clock is told the time by each group; no other router is."""
    if now is None:
        if event_clock:
            raise InvalidCallError("now", "must come with each call to a router with clock='event'")
    elif not event_clock:
        raise InvalidCallError("now", "is not taken from callers by a router with clock='wall'")
    else:
        check_seconds("now", now)


def check_operation(operation: Operation, limits: Limits) -> None:
    """Check every field of an operation; the keys of a ``Resolve`` are checked one by one as they come.

    Raises:
        InvalidInputError: the first field that is wrong.
    """
    if isinstance(operation, tuple) and not _is_whole(operation):
        raise InvalidCallError("operation", f"has {len(operation)} fields, which no operation has")
    match operation:
        case Resolve():
            check_resolve(operation, limits)
        case Set():
            _check_keyed(operation.key, operation.route, limits)
            check_seconds("observed_at", operation.observed_at)
            _check_member("origin", operation.origin, Origin)
            if operation.ttl_s is not None:
                check_ttl("ttl_s", operation.ttl_s)
        case Explain():
            check_key(operation.key, limits)
            _check_wishes(operation, limits)
        case Get():
            check_key(operation.key, limits)
        case Delete():
            check_key(operation.key, limits)
            check_seconds("at", operation.at)
        case Report():
            _check_report(operation, limits)
        case _:
            raise InvalidCallError("operation", f"must be an operation, not {type(operation).__name__}")


def check_resolve(operation: Resolve, limits: Limits) -> None:
    """Check what a ``Resolve`` wishes; its keys are checked one by one, each answered for itself."""
    _check_tuple("keys", operation.keys, limits.batch_operations)
    if any(map(is_not, operation[1:], USUAL_WISHES)):
        _check_wishes(operation, limits)


def _check_wishes(operation: Resolve | Explain, limits: Limits) -> None:
    _check_tuple("fallbacks", operation.fallbacks, limits.fallbacks)
    for index, route in enumerate(operation.fallbacks):
        check_route(route, limits, f"fallbacks[{index}]")
    if not isinstance(operation.allow_stale, bool):
        raise InvalidCallError("allow_stale", f"must be a bool, not {type(operation.allow_stale).__name__}")
    _check_member("widest_scope", operation.widest_scope, Scope)
    _check_member("min_confidence", operation.min_confidence, Confidence)


def _check_report(operation: Report, limits: Limits) -> None:
    _check_keyed(operation.key, operation.route, limits)
    _check_member("delivery", operation.delivery, Delivery)
    check_seconds("at", operation.at)
    if operation.delivery == Delivery.MOVED:
        if operation.moved_to is None:
            raise InvalidRouteError("moved_to", "must be given with a MOVED report")
        check_route(operation.moved_to, limits, "moved_to")
        check_belongs(operation.key, operation.moved_to)
    elif operation.moved_to is not None:
        raise InvalidCallError("moved_to", "belongs to a MOVED report only")
    if operation.retry_after_s is not None:
        if operation.delivery != Delivery.TRANSIENT:
            raise InvalidCallError("retry_after_s", "belongs to a TRANSIENT report only")
        check_seconds("retry_after_s", operation.retry_after_s, least=0.0)


def _check_keyed(key: str, route: str, limits: Limits) -> None:
    check_key(key, limits)
    check_route(route, limits)
    check_belongs(key, route)


def _check_member(field: str, value: object, vocabulary: type[Enum]) -> None:
    """A word travels as itself or as its value."""
    if isinstance(value, vocabulary):
        return
    is_value = isinstance(value, int | str) and not isinstance(value, bool)
    if not is_value or value not in _values_of(vocabulary):
        raise InvalidCallError(field, f"must be one of {', '.join(member.name for member in vocabulary)}")


@cache
def _values_of(vocabulary: type[Enum]) -> frozenset[object]:
    return frozenset(member.value for member in vocabulary)


def _check_tuple(field: str, value: object, most: int) -> None:
    if not isinstance(value, tuple):
        raise InvalidCallError(field, f"must be a tuple, not {type(value).__name__}")
    if len(value) > most:
        raise InvalidCallError(field, f"must be at most {most}, not {len(value)}")


def _is_whole(value: tuple[object, ...]) -> bool:
    """Whether a named tuple has all its fields, which unpickling does not see to."""
    return len(value) == len(getattr(value, "_fields", ()))
