"""Bad input is refused in the call, whole, before anything is sent or stamped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ray_router import InvalidCallError, InvalidInputError, InvalidKeyError, InvalidRouteError, Route, Write

from .scene import AWAY, HOME, Scene

KEY = "tg:bot:room"


def broken() -> Iterator[tuple[str, Route]]:
    """A source of items that fails in the middle."""
    yield KEY, HOME
    raise OSError("the file is gone")


REFUSED: dict[str, tuple[Callable[[Any], Any], type[InvalidInputError], str]] = {
    "no keys": (lambda router: router.resolve_many(None), InvalidCallError, "keys"),
    "a number of keys": (lambda router: router.resolve_many(7), InvalidCallError, "keys"),
    "bytes": (lambda router: router.resolve_many(b"a:b:c"), InvalidKeyError, "key"),
    "no items": (lambda router: router.set_many(None), InvalidCallError, "items"),
    "one write": (lambda router: router.set_many(Write(KEY, HOME)), InvalidCallError, "items"),
    "one pair": (lambda router: router.set_many((KEY, HOME)), InvalidCallError, "items[0]"),
    "a triple": (lambda router: router.set_many([(KEY, HOME, 1.0)]), InvalidCallError, "items[0]"),
    "a bad key at the end": (
        lambda router: router.set_many([(KEY, HOME)] * 50 + [("no key", HOME)]),
        InvalidKeyError,
        "key",
    ),
    "a bad key among many": (
        lambda router: router.resolve_many([KEY, "a::c", KEY]),
        InvalidKeyError,
        "instance",
    ),
    "a long key among many": (
        lambda router: router.resolve_many([KEY, "tg:bot:" + "x" * 513]),
        InvalidKeyError,
        "room",
    ),
    "too many items": (lambda router: router.set_many([(KEY, HOME)] * 101), InvalidCallError, "items"),
    "a route of text": (lambda router: router.set(KEY, "home"), InvalidRouteError, "route"),
    "a fallback of text": (
        lambda router: router.resolve(KEY, [HOME, "x"]),
        InvalidRouteError,
        "fallbacks[1]",
    ),
    "one fallback": (lambda router: router.resolve(KEY, HOME), InvalidCallError, "fallbacks"),
    "a stamp of truth": (lambda router: router.set(KEY, HOME, True), InvalidCallError, "observed_at"),
    "a report's stamp": (
        lambda router: router.report(KEY, HOME, "delivered", at="now"),
        InvalidCallError,
        "at",
    ),
}


@pytest.mark.parametrize(("call", "error", "field"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_whole(
    call: Callable[[Any], Any], error: type[InvalidInputError], field: str
) -> None:
    """The error names the field; no partition is called, and the handle works on."""
    scene = Scene(partitions=2, max_batch=100)
    with pytest.raises(error) as raised:
        call(scene.router)
    assert raised.value.field == field
    assert scene.transport.sent == {}
    assert scene.router.set(KEY, HOME).result().outcome.value == "stored"


def test_a_source_of_items_that_fails() -> None:
    """What goes wrong in the caller's own iterator is the caller's error, and nothing is sent."""
    scene = Scene()
    with pytest.raises(OSError, match="the file is gone"):
        scene.router.set_many(broken())
    assert scene.transport.sent == {}


def test_any_iterable_will_do() -> None:
    """Items, keys and fallbacks may come from generators; each is read once."""
    scene = Scene()
    keys = [f"tg:bot:room_{number}" for number in range(5)]
    assert len(scene.router.set_many((key, HOME) for key in keys).result()) == 5
    assert all(scene.router.resolve_many(iter(keys)).result())
    assert len(scene.router.set_many({"tg:bot:a": HOME, "tg:bot:b": AWAY}.items()).result()) == 2
    routes: Any = (route for route in [AWAY, HOME])
    answer = scene.router.resolve("tg:bot:unknown", routes).result()
    assert answer.route == AWAY
