"""Session keys: their text form, what they refuse, and the scopes they name."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ray_router.errors import InvalidKeyError
from ray_router.model import Scope, SessionKey

STEADY = settings(max_examples=300, deadline=None, derandomize=True)

awkward = st.sampled_from(":%*/\\\x00\x1e\x1f\n 25AaF\u00e9\u200d\U0001f9d1")
parts = st.text(awkward | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
keys = st.one_of(
    st.builds(SessionKey, parts),
    st.builds(SessionKey, parts, parts),
    st.builds(SessionKey, parts, parts, parts),
    st.builds(SessionKey, parts, parts, parts, parts),
)

THREAD = SessionKey("tg", "bot", "room", "thread")
ROOM = SessionKey("tg", "bot", "room")
INSTANCE = SessionKey("tg", "bot")
CHANNEL = SessionKey("tg")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (THREAD, "tg:bot:room:thread"),
        (ROOM, "tg:bot:room"),
        (INSTANCE, "tg:bot:*"),
        (CHANNEL, "tg:*:*"),
        (SessionKey("matrix", "hs", "!abc:server.org"), "matrix:hs:!abc%3Aserver.org"),
        (SessionKey("teams", "t", "19:x@tacv2;messageid=17"), "teams:t:19%3Ax@tacv2;messageid=17"),
        (SessionKey("a", "*", "*", "*"), "a:%2A:%2A:%2A"),
        (SessionKey("100%", "%3A", "a*b"), "100%25:%253A:a%2Ab"),
        (SessionKey("kanal", "\u00fc", "\U0001f9d1\u200d"), "kanal:\u00fc:\U0001f9d1\u200d"),
    ],
    ids=str,
)
def test_text_form(key: SessionKey, text: str) -> None:
    """A key's text form joins its parts by ':', with '*' for what is absent."""
    assert str(key) == text
    assert SessionKey.parse(text) == key


@STEADY
@given(keys)
@example(SessionKey("%", "*", ":", "%2A"))
@example(SessionKey("\x00", "\x1f", "\n", " "))
def test_parsing_the_text_form_gives_the_key_back(key: SessionKey) -> None:
    """Parsing the text form of any key gives that key."""
    assert SessionKey.parse(str(key)) == key


def test_equal_texts_mean_equal_keys() -> None:
    """No two keys share a text form, however their parts tempt them to."""
    tempting = ("a", "*", ":", "%", "%2A", "a:a")
    everything = [
        SessionKey(channel, *rest)
        for channel in tempting
        for length in range(4)
        for rest in product(tempting, repeat=length)
    ]
    assert len({str(key) for key in everything}) == len(set(everything)) == len(everything)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("%74g:bot:room", "tg:bot:room"),
        ("tg:bot:a%3ab", "tg:bot:a%3Ab"),
        ("tg:bot:%C3%BC", "tg:bot:\u00fc"),
        ("tg:bot:a*b", "tg:bot:a%2Ab"),
        ("tg:bot:room:*", "tg:bot:room"),
    ],
)
def test_other_spellings_are_understood(text: str, canonical: str) -> None:
    """Any well-formed escape is understood, and the key knows only its canonical form."""
    assert str(SessionKey.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "key"),
        ("tg", "key"),
        ("tg:bot", "key"),
        ("matrix:hs:!abc:server:org", "key"),
        (":bot:room", "channel"),
        ("*:*:*", "channel"),
        ("*:bot:room", "channel"),
        ("tg::room", "instance"),
        ("tg:bot:", "room"),
        ("tg:bot:room:", "thread"),
        ("tg:*:room", "room"),
        ("tg:bot:*:thread", "thread"),
        ("tg:*:*:thread", "thread"),
        ("tg:bot:100%", "room"),
        ("tg:bot:%4", "room"),
        ("tg:bot:%zz", "room"),
        ("%GG:bot:room", "channel"),
        ("tg:bot:%FF", "room"),
        ("tg:bot:%ED%A0%80", "room"),
        ("tg:bot:\ud800", "room"),
        ("tg:bot:\ud800%3A", "room"),
    ],
)
def test_malformed_texts_are_refused(text: str, field: str) -> None:
    """Text that is no key's form is refused, and the error names the field that is wrong."""
    with pytest.raises(InvalidKeyError) as caught:
        SessionKey.parse(text)
    assert caught.value.field == field


@STEADY
@given(st.text(awkward | st.characters(), max_size=20))
def test_parsing_arbitrary_text_gives_a_key_or_says_why_not(text: str) -> None:
    """Any text whatever, lone surrogates included, is a key or an InvalidKeyError."""
    try:
        key = SessionKey.parse(text)
    except InvalidKeyError:
        return
    assert SessionKey.parse(str(key)) == key


@pytest.mark.parametrize("text", [None, 17, b"tg:bot:room", ["tg", "bot", "room"], ROOM])
def test_only_text_is_parsed(text: object) -> None:
    """What is not text is refused by its type."""
    with pytest.raises(InvalidKeyError, match=type(text).__name__) as caught:
        SessionKey.parse(text)  # type: ignore[arg-type]
    assert caught.value.field == "key"


@pytest.mark.parametrize("bad", ["", 17, b"x", 1.5, True, ("x",), "\ud800", "x\udfff"])
@pytest.mark.parametrize("field", ["channel", "instance", "room", "thread"])
def test_bad_parts_are_refused(field: str, bad: Any) -> None:
    """A part that is empty, not text, or not encodable is refused by its name."""
    with pytest.raises(InvalidKeyError) as caught:
        SessionKey(**{"channel": "c", "instance": "i", "room": "r", "thread": "t", field: bad})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ((None,), "channel"),
        (("tg", None, "room"), "room"),
        (("tg", None, "room", "thread"), "room"),
        (("tg", "bot", None, "thread"), "thread"),
        (("tg", None, None, "thread"), "thread"),
    ],
)
def test_no_part_stands_without_the_wider_one(parts: tuple[str, ...], field: str) -> None:
    """A thread needs its room, a room its instance, and every key a channel."""
    with pytest.raises(InvalidKeyError) as caught:
        SessionKey(*parts)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("key", "scope", "lineage"),
    [
        (THREAD, Scope.THREAD, (ROOM, INSTANCE, CHANNEL)),
        (ROOM, Scope.ROOM, (INSTANCE, CHANNEL)),
        (INSTANCE, Scope.INSTANCE, (CHANNEL,)),
        (CHANNEL, Scope.CHANNEL, ()),
    ],
)
def test_scopes(key: SessionKey, scope: Scope, lineage: tuple[SessionKey, ...]) -> None:
    """A key knows its scope and all wider keys, the next wider first."""
    assert key.scope is scope
    assert key.lineage == lineage
    assert key.parent == (lineage[0] if lineage else None)


@STEADY
@given(keys)
def test_a_copy_is_as_good(key: SessionKey) -> None:
    """A key survives pickling with equality, hash and text intact."""
    copy = pickle.loads(pickle.dumps(key))
    assert (copy, hash(copy), str(copy)) == (key, hash(key), str(key))


def test_a_key_never_changes() -> None:
    """A key's parts cannot be set, and it takes no others."""
    with pytest.raises(FrozenInstanceError):
        ROOM.room = "elsewhere"  # type: ignore[misc]
    assert not hasattr(ROOM, "__dict__")
