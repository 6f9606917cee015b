"""Routes: their text form, what they refuse, and that they never change."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ray_router.errors import InvalidRouteError
from ray_router.model import Route

STEADY = settings(max_examples=300, deadline=None, derandomize=True)

awkward = st.sampled_from("es:%*\x00\x1e\x1f\n \u00e9\U0001f9d1")
texts = st.text(awkward | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
optional = st.none() | texts
metadata = st.dictionaries(texts, texts | st.just(""), max_size=3)
routes = st.builds(Route, texts, optional, optional, optional, metadata)


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (Route("-100123"), "-100123"),
        (Route("r", "t"), "r\x1ft"),
        (Route("r", None, "tg"), "r\x1f\x1ftg"),
        (Route("r", None, None, "bot"), "r\x1f\x1f\x1fbot"),
        (Route("r", metadata={"b": "2", "a": "1"}), "r\x1f\x1f\x1f\x1fa\x1f1\x1fb\x1f2"),
        (Route("r", metadata={"a": ""}), "r\x1f\x1f\x1f\x1fa\x1f"),
        (Route("r\x1fs"), "r\x1ess"),
        (Route("r\x1es"), "r\x1ees"),
    ],
    ids=str,
)
def test_text_form(route: Route, text: str) -> None:
    """A route's text joins its fields by U+001F, and a lone room id is its own text."""
    assert route.text == text
    assert Route.from_text(text) == route


@STEADY
@given(routes)
@example(Route("\x1e", "\x1f", "\x1es", "\x1ee", {"\x1f": "\x1e", "\x1e": ""}))
def test_reading_the_text_gives_the_route_back(route: Route) -> None:
    """Reading the text of any route gives that route."""
    assert Route.from_text(route.text) == route


@STEADY
@given(routes, routes)
def test_equal_texts_mean_equal_routes(one: Route, other: Route) -> None:
    """Routes are equal, and hash alike, exactly when their texts are equal."""
    assert (one == other) == (one.text == other.text)
    assert hash(one) == hash(replace(one))


@STEADY
@given(st.text(awkward | st.characters(), max_size=12))
def test_arbitrary_text_is_a_route_or_refused(text: str) -> None:
    """Any text whatever is the canonical text of a route, or is refused."""
    try:
        route = Route.from_text(text)
    except InvalidRouteError:
        return
    assert route.text == text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "external_room_id"),
        ("\x1ft", "external_room_id"),
        ("r\x1f", "route"),
        ("r\x1ft\x1f\x1f", "route"),
        ("r\x1f\x1f\x1f\x1fa", "route"),
        ("r\x1f\x1f\x1f\x1f\x1fvalue", "metadata key"),
        ("r\x1f\x1f\x1f\x1fb\x1f2\x1fa\x1f1", "route"),
        ("r\x1f\x1f\x1f\x1fa\x1f1\x1fa\x1f1", "route"),
        ("r\x1e", "route"),
        ("r\x1ex", "route"),
        ("\ud800", "external_room_id"),
        (None, "route"),
        (b"r", "route"),
        (Route("r"), "route"),
    ],
)
def test_other_texts_are_refused(text: object, field: str) -> None:
    """Only the canonical text is read, so that a route has one identity."""
    with pytest.raises(InvalidRouteError) as caught:
        Route.from_text(text)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize("bad", ["", 17, b"x", True, ("x",), "\ud800"])
@pytest.mark.parametrize("field", ["external_room_id", "external_thread_id", "channel", "instance"])
def test_bad_fields_are_refused(field: str, bad: Any) -> None:
    """A field that is empty, not text, or not encodable is refused by its name."""
    with pytest.raises(InvalidRouteError) as caught:
        Route(**{"external_room_id": "r", field: bad})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (None, "metadata"),
        ([("a", "b")], "metadata"),
        ("ab", "metadata"),
        ({"": "b"}, "metadata key"),
        ({1: "b"}, "metadata key"),
        ({None: "b"}, "metadata key"),
        ({"a": 1}, "metadata value"),
        ({"a": None}, "metadata value"),
        ({"a": {"b": "c"}}, "metadata value"),
        ({"\udc00": "b"}, "metadata key"),
        ({"a": "\udc00"}, "metadata value"),
    ],
)
def test_bad_metadata_is_refused(bad: object, field: str) -> None:
    """Metadata that is not a mapping of text to text is refused."""
    with pytest.raises(InvalidRouteError) as caught:
        Route("r", metadata=bad)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_only_the_room_is_needed() -> None:
    """A room id alone makes a route, and without one there is none."""
    assert Route("r") == Route("r", None, None, None, {})
    with pytest.raises(InvalidRouteError):
        Route(None)  # type: ignore[arg-type]


def test_metadata_is_a_copy_that_cannot_be_written() -> None:
    """Metadata is read-only, and what the caller does to theirs afterwards changes nothing."""
    given_metadata = {"lang": "de"}
    route = Route("r", metadata=given_metadata)
    given_metadata["lang"] = "fr"
    assert route.metadata == {"lang": "de"}
    with pytest.raises(TypeError):
        route.metadata["lang"] = "fr"  # type: ignore[index]


def test_any_mapping_serves_as_metadata() -> None:
    """A read-only view is as good a mapping as a dict, and order does not matter."""
    view = MappingProxyType({"b": "2", "a": "1"})
    assert Route("r", metadata=view) == Route("r", metadata={"a": "1", "b": "2"})


@STEADY
@given(routes)
def test_a_copy_is_as_good(route: Route) -> None:
    """A route survives pickling with equality, hash and read-only metadata intact."""
    copy = pickle.loads(pickle.dumps(route))
    assert (copy, hash(copy), type(copy.metadata)) == (route, hash(route), MappingProxyType)


def test_a_route_never_changes() -> None:
    """A route's fields cannot be set, and it takes no others."""
    route = Route("r")
    with pytest.raises(FrozenInstanceError):
        route.channel = "tg"  # type: ignore[misc]
    assert not hasattr(route, "__dict__")
