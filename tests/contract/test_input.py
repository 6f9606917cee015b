"""Bad input: a typed error at once, naming the field; nothing is sent and nothing stored."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from ray_router import (
    Delivery,
    InvalidCallError,
    InvalidInputError,
    InvalidKeyError,
    InvalidRouteError,
    Route,
    RouterHandle,
    SessionKey,
)

from .subjects import AWAY, HOME, Routers

KEY = "a:b:c"
Call = Callable[[RouterHandle], Any]

REFUSED: dict[str, tuple[Call, type[InvalidInputError], str]] = {
    "no key": (lambda router: router.get(None), InvalidKeyError, "key"),
    "a key of bytes": (lambda router: router.delete(b"a:b:c"), InvalidKeyError, "key"),
    "too few fields": (lambda router: router.resolve("a:b"), InvalidKeyError, "key"),
    "raw colons": (lambda router: router.resolve("a:b:c:d:e"), InvalidKeyError, "key"),
    "an empty part": (lambda router: router.resolve("a::c"), InvalidKeyError, "instance"),
    "a broken escape": (lambda router: router.resolve("a:b:%zz"), InvalidKeyError, "room"),
    "a lone surrogate": (lambda router: router.resolve("a:b:\ud800"), InvalidKeyError, "room"),
    "a part too long": (lambda router: router.resolve("a:b:" + "c" * 513), InvalidKeyError, "room"),
    "a channel too long": (lambda router: router.get("ä" * 257 + ":b:c"), InvalidKeyError, "channel"),
    "a route of text": (lambda router: router.set(KEY, "home"), InvalidRouteError, "route"),
    "a route too long": (lambda router: router.set(KEY, Route("x" * 2_049)), InvalidRouteError, "route"),
    "metadata too long": (
        lambda router: router.set(KEY, Route("x", metadata={"note": "y" * 1_024})),
        InvalidRouteError,
        "metadata",
    ),
    "another channel": (
        lambda router: router.set(KEY, Route("x", channel="z")),
        InvalidRouteError,
        "channel",
    ),
    "another instance": (
        lambda router: router.set(KEY, Route("x", instance="z")),
        InvalidRouteError,
        "instance",
    ),
    "a stamp of text": (lambda router: router.set(KEY, HOME, "now"), InvalidCallError, "observed_at"),
    "no number": (lambda router: router.set(KEY, HOME, math.nan), InvalidCallError, "observed_at"),
    "an endless stamp": (lambda router: router.set(KEY, HOME, math.inf), InvalidCallError, "observed_at"),
    "a huge stamp": (lambda router: router.set(KEY, HOME, 10**400), InvalidCallError, "observed_at"),
    "a negative TTL": (lambda router: router.set(KEY, HOME, ttl_s=-1), InvalidCallError, "ttl_s"),
    "a TTL of nothing": (lambda router: router.set(KEY, HOME, ttl_s=0), InvalidCallError, "ttl_s"),
    "a TTL that is no number": (
        lambda router: router.set(KEY, HOME, ttl_s=math.nan),
        InvalidCallError,
        "ttl_s",
    ),
    "an unknown origin": (lambda router: router.set(KEY, HOME, origin=9), InvalidCallError, "origin"),
    "one fallback": (lambda router: router.resolve(KEY, HOME), InvalidCallError, "fallbacks"),
    "fallbacks of text": (lambda router: router.resolve(KEY, "home"), InvalidCallError, "fallbacks"),
    "a fallback of text": (
        lambda router: router.resolve(KEY, [HOME, "x"]),
        InvalidRouteError,
        "fallbacks[1]",
    ),
    "no fallbacks": (lambda router: router.resolve(KEY, None), InvalidCallError, "fallbacks"),
    "too many fallbacks": (lambda router: router.resolve(KEY, [HOME] * 33), InvalidCallError, "fallbacks"),
    "staleness by number": (
        lambda router: router.resolve(KEY, allow_stale=1),
        InvalidCallError,
        "allow_stale",
    ),
    "an unknown scope": (
        lambda router: router.resolve(KEY, widest_scope="world"),
        InvalidCallError,
        "widest_scope",
    ),
    "an unknown confidence": (
        lambda router: router.resolve_many([KEY], min_confidence=99),
        InvalidCallError,
        "min_confidence",
    ),
    "an unknown delivery": (lambda router: router.report(KEY, HOME, "lost"), InvalidCallError, "delivery"),
    "a report's time": (
        lambda router: router.report(KEY, HOME, Delivery.DELIVERED, at=math.inf),
        InvalidCallError,
        "at",
    ),
    "a move to nowhere": (
        lambda router: router.report(KEY, HOME, Delivery.MOVED),
        InvalidRouteError,
        "moved_to",
    ),
    "a move that is none": (
        lambda router: router.report(KEY, HOME, Delivery.DELIVERED, moved_to=AWAY),
        InvalidCallError,
        "moved_to",
    ),
    "a move to text": (
        lambda router: router.report(KEY, HOME, Delivery.MOVED, moved_to="x"),
        InvalidRouteError,
        "moved_to",
    ),
    "a pause without need": (
        lambda router: router.report(KEY, HOME, Delivery.PERMANENT, retry_after_s=1),
        InvalidCallError,
        "retry_after_s",
    ),
    "a negative pause": (
        lambda router: router.report(KEY, HOME, Delivery.TRANSIENT, retry_after_s=-1),
        InvalidCallError,
        "retry_after_s",
    ),
}


@pytest.mark.parametrize(("call", "error", "field"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_at_once(
    routers: Routers, call: Call, error: type[InvalidInputError], field: str
) -> None:
    """The call itself raises, with the field's name, and no partition hears of it."""
    router, batches = routers.counted()
    with pytest.raises(error) as raised:
        call(router)
    assert raised.value.field == field
    assert not batches


def test_text_and_key_name_the_same_session(routers: Routers, channel: str) -> None:
    """A key and its text are one session, whatever its ids hold, and any escape of it is understood."""
    router = routers()
    key = SessionKey(channel, "höme:server", "!abc:server.org", "%41;*")
    router.set(key, HOME).result()
    texts = [str(key), f"{channel}:h%C3%B6me%3aserver:%21abc%3Aserver.org:%2541;%2A"]
    answers = router.resolve_many([*texts, key]).result()
    assert [answer.source.value for answer in answers] == ["exact"] * 3
    assert [answer.key for answer in answers] == [key] * 3
    records = [router.get(form).result() for form in (*texts, key)]
    assert [record.key for record in records if record] == [key] * 3
    assert router.delete(texts[1]).result() is True


def test_words_travel_as_themselves_or_as_their_values(routers: Routers, room: SessionKey) -> None:
    """An enum's plain value is as good as its member."""
    router = routers()
    router.set(room, HOME, origin=3).result()
    router.report(room, HOME, "delivered").result()
    answer = router.resolve(room, min_confidence=6).result()
    assert answer.route == HOME
