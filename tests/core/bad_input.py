"""Bad input by the thousand: every field of every operation, with everything that it must not be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import inf, nan
from typing import Any, NamedTuple

from ray_router.core.operations import Delete, Explain, Get, Group, Operation, Refused, Report, Resolve, Set
from ray_router.core.settings import Limits
from ray_router.model import Delivery, Route, SessionKey

from .strategies import CHANNEL, INSTANCE, LINEAGE, ROOM

LIMITS = Limits(key_part_bytes=16, route_bytes=64, metadata_bytes=24, batch_operations=50, fallbacks=3)

KEY_FIELDS = frozenset({"key", "channel", "instance", "room", "thread"})
ROUTE_FIELDS = frozenset(
    {"route", "external_room_id", "external_thread_id", "metadata", "metadata key", "metadata value"}
)


class Bad(NamedTuple):
    """One bad operation, and the names of the field that is wrong with it."""

    operation: Any
    fields: frozenset[str]


class Unhashable:
    """Equal to nothing and usable as no key of a dict."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False


JUNK: tuple[Any, ...] = (
    None,
    True,
    7,
    10**400,
    -(10**5000),
    2.5,
    nan,
    1j,
    b"tg:bot:room",
    bytearray(b"R"),
    [],
    ["tg:bot:room"],
    ("R",),
    {},
    {"R": {"R": [None]}},
    {"R"},
    object(),
    Unhashable(),
    int,
    SessionKey("tg", "bot", "room"),
    Route("R"),
)

BAD_KEYS: tuple[Any, ...] = (
    *JUNK,
    "",
    "tg",
    "tg:bot",
    "tg:bot:room:thread:more",
    ":bot:room",
    "tg::room",
    "tg:bot:",
    "tg:bot:room:",
    "*:bot:room",
    "*:*:*",
    "tg:*:room",
    "tg:bot:*:thread",
    "tg:bot:%",
    "tg:bot:%2",
    "tg:bot:%zz",
    "tg:bot:%FF",
    "tg:bot:%ED%A0%80",
    "tg:bot:\ud800",
    "tg:bot:\udfff%3A",
    "\ud800:bot:room",
    "%74g:bot:room",  # from here on: not canonical
    "tg:bot:a%3ab",
    "tg:bot:a*b",
    "tg:bot:room:*",
    "x" * 17 + ":bot:room",  # from here on: too long
    "tg:" + "x" * 17 + ":room",
    "tg:bot:" + "x" * 17,
    "tg:bot:room:" + "x" * 17,
    "tg:bot:" + "\u00fc" * 9,
    "tg:bot:" + "%3A" * 17,
    "tg:bot:" + "x" * 1_000_000,
)

BAD_ROUTES: tuple[Any, ...] = (
    *JUNK,
    "",
    "\x1fthread",
    "R\x1f",
    "R\x1f\x1f\x1f",
    "R\x1fT\x1f\x1f",
    "R\x1f\x1f\x1f\x1fname",
    "R\x1f\x1f\x1f\x1f\x1fvalue",
    "R\x1f\x1f\x1f\x1fb\x1f2\x1fa\x1f1",
    "R\x1f\x1f\x1f\x1fa\x1f1\x1fa\x1f1",
    "R\x1e",
    "R\x1ex",
    "\ud800",
    "R\x1f\udfff",
    "R\x1f\x1f\x1f\x1fa\x1f\ud800",
    "x" * 65,
    "\u00fc" * 33,
    "x" * 1_000_000,
    Route("R", metadata={"a": "x" * 24}).text,
    Route("R", metadata={"\u00fc" * 12: "x"}).text,
)
STRAY_ROUTES = (
    Route("R", channel="slack").text,
    Route("R", channel="slack", instance="bot").text,
    Route("R", None, "TG").text,
)
STRAY_FOR_AN_INSTANCE = (Route("R", instance="bot_2").text, Route("R", channel="tg", instance="bot_2").text)

NO_TIMES: tuple[Any, ...] = (
    *(each for each in JUNK if type(each) is not float and each != 7),
    "1",
    nan,
    inf,
    -inf,
    1e16,
    -1e16,
    10**16,
)
NO_TTLS: tuple[Any, ...] = (
    *(each for each in NO_TIMES if each is not None and each != inf),
    0,
    -0.0,
    -1,
    -1e-9,
)
NO_WAITS: tuple[Any, ...] = (*(each for each in NO_TIMES if each is not None), -1, -1e-9)
NO_WORDS: tuple[Any, ...] = (*JUNK, -1, 17, 1.0, "", "nonsense", "DELIVERED", "operator")
NO_BOOLS: tuple[Any, ...] = (*(each for each in JUNK if each is not True), 0, 1, "", "yes")


def bad_operations() -> Iterator[Bad]:
    """Every bad operation."""
    return chain(
        _bad_keys(),
        _bad_writes(),
        _bad_deletes(),
        _bad_reports(),
        _bad_resolves(),
        _misshapen(),
        _strangers(),
    )


def _each(operation: Any, field: str, values: Iterable[Any], names: Iterable[str] = ()) -> Iterator[Bad]:
    """An operation that is good but for one field."""
    fields = frozenset(names) or frozenset({field})
    for value in values:
        yield Bad(operation._replace(**{field: value}), fields)


def _bad_keys() -> Iterator[Bad]:
    yield from _each(Set(ROOM, "R", 1.0), "key", BAD_KEYS, KEY_FIELDS)
    yield from _each(Get(ROOM), "key", BAD_KEYS, KEY_FIELDS)
    yield from _each(Explain(ROOM), "key", BAD_KEYS, KEY_FIELDS)
    yield from _each(Delete(ROOM, 1.0), "key", BAD_KEYS, KEY_FIELDS)
    for delivery in Delivery:
        yield from _each(_report(ROOM, delivery), "key", BAD_KEYS, KEY_FIELDS)


def _bad_writes() -> Iterator[Bad]:
    for key in LINEAGE:
        good = Set(key, "R", 1.0)
        yield from _each(good, "route", BAD_ROUTES, ROUTE_FIELDS)
        yield from _each(good, "route", _strays(key), ("channel", "instance"))
        yield from _each(good, "observed_at", NO_TIMES)
        yield from _each(good, "origin", NO_WORDS)
        yield from _each(good, "ttl_s", NO_TTLS)


def _bad_deletes() -> Iterator[Bad]:
    for key in LINEAGE:
        yield from _each(Delete(key, 1.0), "at", NO_TIMES)


def _bad_reports() -> Iterator[Bad]:
    for key in LINEAGE:
        for delivery in Delivery:
            good = _report(key, delivery)
            yield from _each(good, "route", BAD_ROUTES, ROUTE_FIELDS)
            yield from _each(good, "route", _strays(key), ("channel", "instance"))
            yield from _each(good, "at", NO_TIMES)
            if delivery is Delivery.MOVED:
                yield from _each(good, "moved_to", BAD_ROUTES, {*ROUTE_FIELDS, "moved_to"})
                yield from _each(good, "moved_to", _strays(key), ("channel", "instance"))
            else:
                yield from _each(good, "moved_to", ("S", "", 0, []))
            waits = NO_WAITS if delivery is Delivery.TRANSIENT else (0, 1.0, "1", [])
            yield from _each(good, "retry_after_s", waits)
        yield from _each(_report(key, Delivery.DELIVERED), "delivery", NO_WORDS)


def _bad_resolves() -> Iterator[Bad]:
    good = Resolve((ROOM, INSTANCE))
    listed = (each for each in (*JUNK, ROOM, [ROOM]) if not isinstance(each, tuple))
    yield from _each(good, "keys", (*listed, (ROOM,) * 51))
    for each in (good, Explain(ROOM)):
        yield from _bad_wishes(each)


def _bad_wishes(good: Resolve | Explain) -> Iterator[Bad]:
    listed = (each for each in (*JUNK, "R", ["R"]) if not isinstance(each, tuple))
    yield from _each(good, "fallbacks", (*listed, ("R",) * 4))
    for place in range(3):
        fields = {*ROUTE_FIELDS, f"fallbacks[{place}]"}
        spoilt = [(*("R",) * place, route, *("R",) * (2 - place)) for route in BAD_ROUTES]
        yield from _each(good, "fallbacks", spoilt, fields)
    yield from _each(good, "allow_stale", NO_BOOLS)
    yield from _each(good, "widest_scope", NO_WORDS)
    yield from _each(good, "min_confidence", NO_WORDS)


def _misshapen() -> Iterator[Bad]:
    """Operations with too few fields or too many, as a foreign pickle may hold them."""
    report = _report(ROOM, Delivery.DELIVERED)
    looks = (Resolve((ROOM,)), Get(ROOM), Explain(ROOM))
    for good in (Set(ROOM, "R", 1.0), *looks, Delete(ROOM, 1.0), report):
        for fields in (*(good[:length] for length in range(len(good))), (*good, None), (*good, *good)):
            yield Bad(tuple.__new__(type(good), fields), frozenset({"operation"}))


def _strangers() -> Iterator[Bad]:
    """What is no operation at all."""
    good = (Set(ROOM, "R", 1.0), Resolve((ROOM,)), Get(ROOM), Delete(ROOM, 1.0))
    others = (Group(good), Refused("InvalidKeyError", "key", ""), Operation, Set, Group, "Set", ())
    for stranger in (*JUNK, *map(tuple, good), *(each._asdict() for each in good), *others):
        yield Bad(stranger, frozenset({"operation"}))


def _report(key: str, delivery: Delivery) -> Report:
    return Report(key, "R", delivery, 1.0, "S" if delivery is Delivery.MOVED else None)


def _strays(key: str) -> tuple[str, ...]:
    """Routes of another channel or instance than the key's."""
    return STRAY_ROUTES if key == CHANNEL else (*STRAY_ROUTES, *STRAY_FOR_AN_INSTANCE)
