"""What holds for every channel and every JSON value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.channels import BUILT_IN, InvalidPayloadError, Parsed
from ray_router.model import SessionKey

from .samples import GCHAT_BATCH_CREATED, GCHAT_CREATED, GCHAT_MESSAGE, SAMPLES, parse, pushed

Path = tuple[str | int, ...]


def nested(depth: int) -> list[Any]:
    innermost: list[Any] = []
    value = innermost
    for _ in range(depth):
        value = [value]
    return value


STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 3, 10**400, 0.0, 1.5, 1e308, math.nan, math.inf),
    *("", "x", "0", "9" * 5000, "1e999", "\ud800", "a:b%*", "2026-02-30T00:00:00Z", "\u0663", "\x1f\x1e"),
    *([], {}, [None], [{}], {"type": "x"}, {"": None}),
)
HOSTILE: tuple[Any, ...] = (*STRANGE, 10**5000, nested(5000))  # neither can be printed
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(STRANGE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """The path of every value inside, outermost first."""
    items: Iterator[tuple[str | int, object]]
    items = iter(value.items()) if isinstance(value, dict) else iter(())
    if isinstance(value, list):
        items = iter(enumerate(value))
    for name, inner in items:
        yield (*path, name)
        yield from paths(inner, (*path, name))


def without(payload: Any, path: Path) -> Any:
    copy = deepcopy(payload)
    place = copy
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return copy


def replaced(payload: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    copy = payload.copy()
    copy[path[0]] = replaced(payload[path[0]], path[1:], value)
    return copy


def check(channel: str, payload: object) -> Parsed | None:
    """What is parsed is sound and the same twice; what is refused is refused by name."""
    try:
        parsed = parse(channel, payload)
    except InvalidPayloadError as error:
        assert error.field
        assert error.problem
        return None
    assert parse(channel, payload) == parsed
    for message in parsed.messages:
        key, route = message.key, message.route
        assert SessionKey.parse(str(key)) == key
        assert (key.channel, key.instance) == (channel, "bot")
        assert (key.room, key.thread) == (route.external_room_id, route.external_thread_id)
        assert message.message_id
        assert message.observed_at is None or 0 <= message.observed_at < math.inf
    return parsed


CASES = [(channel, payload, path) for channel, payload in SAMPLES for path in paths(payload)]


@pytest.mark.parametrize(("channel", "payload"), SAMPLES)
def test_samples_hold_messages(channel: str, payload: object) -> None:
    """Each sample is valid, so that a change to it tests what it means to."""
    parsed = check(channel, payload)
    assert parsed is not None
    assert parsed.messages


@pytest.mark.parametrize("channel", sorted(BUILT_IN))
def test_hostile_values(channel: str) -> None:
    """No value in place of a payload raises anything but a refusal."""
    for value in HOSTILE:
        check(channel, value)


@pytest.mark.parametrize(("channel", "payload"), SAMPLES)
def test_each_field_missing_or_hostile(channel: str, payload: object) -> None:
    """Each field of each sample, left out or of another kind, is refused by name or does not matter."""
    for path in paths(payload):
        check(channel, without(payload, path))
        for value in HOSTILE:
            check(channel, replaced(payload, path, value))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (GCHAT_CREATED, {"message": GCHAT_MESSAGE}),
        (GCHAT_BATCH_CREATED, {"messages": [{"message": GCHAT_MESSAGE}]}),
    ],
)
def test_each_field_inside_a_push_delivery(kind: str, data: object) -> None:
    """The object inside a Pub/Sub delivery is read as strictly as any other."""
    for path in paths(data):
        check("gchat", pushed(without(data, path), kind))
        for value in STRANGE:
            check("gchat", pushed(replaced(data, path, value), kind))


@given(channel=st.sampled_from(sorted(BUILT_IN)), value=json_values)
def test_any_json(channel: str, value: object) -> None:
    """Any JSON value is parsed, ignored or refused."""
    check(channel, value)


@given(case=st.sampled_from(CASES), value=json_values)
def test_any_json_in_any_field(case: tuple[str, Any, Path], value: object) -> None:
    """Any JSON value in any field of a sample is parsed, ignored or refused."""
    channel, payload, path = case
    check(channel, replaced(payload, path, value))


@given(case=st.sampled_from(CASES), text=st.text())
def test_any_text_in_any_field(case: tuple[str, Any, Path], text: str) -> None:
    """Ids hold any text, and the keys made of them survive their text form."""
    channel, payload, path = case
    check(channel, replaced(payload, path, text))
