"""Admission: what is just within the limits, and what the refusal of the rest says."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from ray_router.core.admission import (
    check_belongs,
    check_group,
    check_key,
    check_now,
    check_operation,
    check_resolve,
    check_route,
    check_seconds,
    check_ttl,
)
from ray_router.core.operations import Delete, Get, Group, Report, Resolve, Set
from ray_router.core.settings import Limits
from ray_router.errors import InvalidInputError, InvalidKeyError, InvalidRouteError
from ray_router.model import Confidence, Delivery, Origin, Route, Scope

LIMITS = Limits(key_part_bytes=8, route_bytes=16, metadata_bytes=6, batch_operations=2, fallbacks=1)


def refusal(check: Callable[..., None], *arguments: Any, **options: Any) -> InvalidInputError:
    """The error that a check raises."""
    with pytest.raises(InvalidInputError) as caught:
        check(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("{}:bot:room:thread", "channel"),
        ("tg:{}:room:thread", "instance"),
        ("tg:bot:{}:thread", "room"),
        ("tg:bot:room:{}", "thread"),
    ],
)
@pytest.mark.parametrize(
    ("longest", "too_long"),
    [("x" * 8, "x" * 9), ("\u00fc" * 4, "\u00fc" * 4 + "x"), ("%3A" * 8, "%3A" * 9)],
    ids=["ascii", "two bytes each", "escaped"],
)
def test_key_parts_are_measured_in_bytes(key: str, field: str, longest: str, too_long: str) -> None:
    """Each part of a key may be as long as the limit says, its escapes not counted."""
    check_key(key.format(longest), LIMITS)
    error = refusal(check_key, key.format(too_long), LIMITS)
    assert isinstance(error, InvalidKeyError)
    assert (error.field, error.problem) == (field, "is 9 bytes long; the limit is 8")


def test_routes_are_measured_in_bytes() -> None:
    """A route's whole text may be as long as the limit says."""
    check_route("\u00fc" * 8, LIMITS)
    error = refusal(check_route, "\u00fc" * 8 + "x", LIMITS)
    assert isinstance(error, InvalidRouteError)
    assert (error.field, error.problem) == ("route", "is 17 bytes long; the limit is 16")


def test_metadata_is_measured_by_itself() -> None:
    """Names and values of metadata together may be as long as their own limit says."""
    check_route(Route("r", metadata={"a": "xx", "b": "\u00fc"}).text, LIMITS)
    error = refusal(check_route, Route("r", metadata={"a": "xx", "b": "\u00fcx"}).text, LIMITS)
    assert (error.field, error.problem) == ("metadata", "is 7 bytes long; the limit is 6")


@pytest.mark.parametrize(
    ("key", "route"),
    [
        ("tg:bot:room", Route("r")),
        ("tg:bot:room", Route("r", "thread", metadata={"a": "b"})),
        ("tg:bot:room", Route("r", channel="tg", instance="bot")),
        ("tg:bot:*", Route("r", instance="bot")),
        ("tg:*:*", Route("r", channel="tg", instance="any")),
        ("a%3Ab:%2A:room", Route("r", channel="a:b", instance="*")),
    ],
)
def test_a_route_of_the_session_belongs(key: str, route: Route) -> None:
    """A route belongs where it names no other channel and no other instance."""
    check_belongs(key, route.text)


@pytest.mark.parametrize(
    ("key", "route", "field"),
    [
        ("tg:bot:room", Route("r", channel="slack"), "channel"),
        ("tg:bot:room", Route("r", channel="slack", instance="other"), "channel"),
        ("tg:bot:room", Route("r", instance="other"), "instance"),
        ("tg:bot:room", Route("r", channel="tg", instance="other"), "instance"),
        ("tg:*:*", Route("r", channel="slack", instance="any"), "channel"),
    ],
)
def test_a_stray_route_does_not(key: str, route: Route, field: str) -> None:
    """A route of another channel or instance is refused by the field in which it strays."""
    assert refusal(check_belongs, key, route.text).field == field


@pytest.mark.parametrize("seconds", [0, -5, 1.5, 1e15, -1e15, 10**15])
def test_a_stamp_is_a_number(seconds: float) -> None:
    """Any finite number of seconds within reason is a stamp."""
    check_seconds("at", seconds)


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        (True, "must be a number of seconds, not bool"),
        ("5", "must be a number of seconds, not str"),
        (nan, "must be a finite number of seconds, not nan"),
        (-inf, "must be a finite number of seconds, not -inf"),
        (inf, "must be a finite number of seconds, not inf"),
        (10**400, "must be at most 1e+15 seconds"),
        (-1.1e15, "must be at most 1e+15 seconds"),
    ],
)
def test_other_things_are_no_stamps(seconds: Any, problem: str) -> None:
    """What is no number, not finite, or beyond all reason is refused with the limit."""
    error = refusal(check_seconds, "at", seconds)
    assert (error.field, error.problem) == ("at", problem)


def test_a_least_number_of_seconds() -> None:
    """Where there is a least value, it is itself good."""
    check_seconds("waited_s", 0, least=0.0)
    error = refusal(check_seconds, "waited_s", -0.5, least=0.0)
    assert error.problem == "must be at least 0 seconds, not -0.5"


@pytest.mark.parametrize("ttl_s", [1e-9, 5, inf])
def test_a_ttl_may_be_endless(ttl_s: float) -> None:
    """A TTL is any positive number, infinity included."""
    check_ttl("ttl_s", ttl_s)


@pytest.mark.parametrize(
    ("ttl_s", "problem"),
    [(0, "must be greater than 0 seconds"), (-1, "must be at least 0 seconds, not -1")],
)
def test_a_ttl_must_be_positive(ttl_s: float, problem: str) -> None:
    """A TTL of nothing, or less, is refused."""
    assert refusal(check_ttl, "ttl_s", ttl_s).problem == problem


def test_a_refused_word_lists_the_vocabulary() -> None:
    """A word outside a vocabulary is refused with the words that are in it."""
    for origin in (9, 2.0, "INBOUND", True):
        error = refusal(check_operation, Set("tg:bot:r", "R", 0.0, origin), LIMITS)  # type: ignore[arg-type]
        assert str(error) == "origin: must be one of SYSTEM, AGENT, INBOUND, OPERATOR"


GOOD = [
    Set("tg:bot:r", "R", 0.0),
    Set("tg:bot:r", "R", 0.0, int(Origin.AGENT), inf),
    Get("tg:bot:r"),
    Delete("tg:bot:r", 0.0),
    Report("tg:bot:r", "R", Delivery.DELIVERED, 0.0),
    Report("tg:bot:r", "R", "delivered", 0.0),  # type: ignore[arg-type]
    Report("tg:bot:r", "R", Delivery.MOVED, 0.0, "S"),
    Report("tg:bot:r", "R", Delivery.TRANSIENT, 0.0, None, 0),
    Resolve(("tg:bot:r", "tg:bot:r"), ("R",), True, int(Scope.CHANNEL), Confidence.CONFIRMED),
    Resolve(()),
]


@pytest.mark.parametrize("operation", GOOD, ids=str)
def test_good_operations_pass(operation: Any) -> None:
    """A good operation passes, whether its words travel as themselves or as their values."""
    check_operation(operation, LIMITS)


@pytest.mark.parametrize(
    ("operation", "field", "problem"),
    [
        (Report("tg:bot:r", "R", Delivery.MOVED, 0.0), "moved_to", "must be given with a MOVED report"),
        (Report("tg:bot:r", "R", Delivery.DELIVERED, 0.0, "S"), "moved_to", "belongs to a MOVED report only"),
        (
            Report("tg:bot:r", "R", Delivery.PERMANENT, 0.0, None, 1.0),
            "retry_after_s",
            "belongs to a TRANSIENT report only",
        ),
        (Get("tg:bot:r")._replace(key="tg:bot:%72"), "key", "is not in canonical form"),
        (object(), "operation", "must be an operation, not object"),
        (("tg:bot:r",), "operation", "has 1 fields, which no operation has"),
    ],
)
def test_refusals_say_what_is_wrong(operation: Any, field: str, problem: str) -> None:
    """A refusal names the field and the rule that it breaks."""
    error = refusal(check_operation, operation, LIMITS)
    assert (error.field, error.problem) == (field, problem)


@pytest.mark.parametrize(
    ("wishes", "field", "problem"),
    [
        (Resolve(("a",) * 3), "keys", "must be at most 2, not 3"),
        (Resolve((), ("R", "S")), "fallbacks", "must be at most 1, not 2"),
        (Resolve((), ("x" * 17,)), "fallbacks[0]", "is 17 bytes long; the limit is 16"),
        (Resolve((), (7,)), "fallbacks[0]", "must be text, not int"),  # type: ignore[arg-type]
        (Resolve((), (), 1), "allow_stale", "must be a bool, not int"),  # type: ignore[arg-type]
    ],
)
def test_wishes_are_checked(wishes: Resolve, field: str, problem: str) -> None:
    """What a resolve wishes for is checked without a look at its keys."""
    error = refusal(check_resolve, wishes, LIMITS)
    assert (error.field, error.problem) == (field, problem)


def test_groups_have_a_limit() -> None:
    """A group holds at most as many operations as the limit says."""
    check_group(Group((Get("tg:bot:r"),) * 2), LIMITS)
    assert refusal(check_group, Group((Get("tg:bot:r"),) * 3), LIMITS).field == "operations"


def test_who_tells_the_time() -> None:
    """Each group tells the time to a router with an event clock, and to no other."""
    check_now(5.0, event_clock=True)
    check_now(None, event_clock=False)
    assert "must come with each call" in refusal(check_now, None, event_clock=True).problem
    assert "is not taken from callers" in refusal(check_now, 5.0, event_clock=False).problem
    assert "finite" in refusal(check_now, nan, event_clock=True).problem
