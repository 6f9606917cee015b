"""A line is an event, or it is refused with the field that is wrong; nothing else comes of it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import InvalidInputError, Route, SessionKey
from ray_router.core.settings import Limits
from ray_router.workload import Event, LogFormat
from ray_router.workload.records import READERS, chat_event, format_of, text_of, trace_event

from .logfiles import chat_line

LIMITS = Limits()


def refusal(line: str, reader: LogFormat = LogFormat.CHAT) -> str:
    """Why a line is refused."""
    with pytest.raises(InvalidInputError) as caught:
        READERS[reader](line, LIMITS)
    return str(caught.value)


def test_a_message_leads_back_to_its_room_and_thread() -> None:
    """Ids hold anything; the key is their canonical text."""
    line = chat_line(1_565_702_306, "#general: 50%", "a/b #c", message_id="1", bot=True).decode()
    key = SessionKey("irc", "net", "#general: 50%", "a/b #c")
    assert chat_event(line, LIMITS) == Event(1_565_702_306.0, str(key), Route("#general: 50%", "a/b #c"))


@pytest.mark.parametrize("thread", [None, "absent"])
def test_a_message_outside_threads_leads_to_its_room(thread: str | None) -> None:
    """A thread may be null, or not be mentioned."""
    record = json.loads(chat_line())
    if thread:
        del record["thread"]
    assert chat_event(json.dumps(record), LIMITS) == Event(1.0, "irc:net:room", Route("room"))


def test_a_request_of_a_trace_is_a_session_of_its_own() -> None:
    """Its key is its room and its route; how large it is does not matter here."""
    assert trace_event("7,-268435455,1", LIMITS) == Event(
        7.0, "trace:cache2k:-268435455", Route("-268435455")
    )
    assert trace_event('7.5,"a,b:c",', LIMITS) == Event(7.5, "trace:cache2k:a,b%3Ac", Route("a,b:c"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nope", "line: is not JSON: Expecting value at character 1"),
        (b'{"ts": 1', "line: is not JSON: Expecting ',' delimiter at character 9"),
        (b"[1]", "line: must be a JSON object, not list"),
        (b"[" * 100_000, "line: is JSON that no message needs"),
        (b'{"ts":' + b"9" * 5_000 + b"}", "line: is JSON that no message needs"),
        (b"{}", "channel: is missing"),
        (chat_line(None), "ts: is missing"),
        (chat_line("1"), "ts: must be a number of seconds, not str"),
        (chat_line(True), "ts: must be a number of seconds, not bool"),
        (chat_line(float("nan")), "ts: must be a finite number of seconds, not nan"),
        (chat_line(1e300), "ts: must be at most 1e+15 seconds"),
        (chat_line(room=None), "room: is missing"),
        (chat_line(room=5), "room: must be text, not int"),
        (chat_line(room=""), "room: must not be empty; leave it out (None) to name a wider scope"),
        (chat_line(room="\ud800"), "room: holds a lone surrogate, which no text encoding can carry"),
        (chat_line(thread=["a"]), "thread: must be text, not list"),
        (chat_line(room="x" * 513), "room: is 513 bytes long; the limit is 512"),
    ],
)
def test_a_bad_message_names_what_is_wrong(line: bytes, reason: str) -> None:
    """And does not repeat it: a log may hold what must not be shown."""
    assert refusal(line.decode()) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2", "line: has 2 fields where timestamp,key,size has 3"),
        ("1,2,3,4", "line: has 4 fields where timestamp,key,size has 3"),
        ('1,"2,3', "line: is not a line of CSV"),
        ("one,2,3", "timestamp: must be a number"),
        ("inf,2,3", "timestamp: must be a finite number of seconds, not inf"),
        ("1,,3", "key: must not be empty"),
    ],
)
def test_a_bad_request_names_what_is_wrong(line: str, reason: str) -> None:
    """As with messages."""
    assert refusal(line, LogFormat.TRACE) == reason


def test_the_limits_are_those_of_the_router_to_be_fed() -> None:
    """A line beyond them is bad there and good elsewhere."""
    line = chat_line(room="x" * 20).decode()
    assert chat_event(line, LIMITS)
    with pytest.raises(InvalidInputError, match="room: is 20 bytes long; the limit is 10"):
        chat_event(line, LIMITS._replace(key_part_bytes=10))


def test_a_line_that_is_no_utf_8_is_refused() -> None:
    """With the place."""
    with pytest.raises(InvalidInputError, match="is not UTF-8 at byte 3"):
        text_of(b"ab\xff")


@pytest.mark.parametrize(
    ("name", "first_line", "expected"),
    [
        ("a.jsonl", "timestamp,key,size", LogFormat.CHAT),
        ("a.NDJSON.GZ", "", LogFormat.CHAT),
        ("a.json", "", LogFormat.CHAT),
        ("a.csv", "{", LogFormat.TRACE),
        ("a.csv.gz", "", LogFormat.TRACE),
        ("a.log", "{}", LogFormat.CHAT),
        ("a", "timestamp,key,size", LogFormat.TRACE),
        ("a.gz", "something else", None),
    ],
)
def test_the_suffix_says_what_a_log_is_and_else_its_first_line(
    name: str, first_line: str, expected: LogFormat | None
) -> None:
    """A name that says it is right, whatever the content."""
    assert format_of(name, first_line) is expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
messages = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("ts", "channel", "instance", "room", "thread"), json_values),
).map(json.dumps)


@settings(deadline=None)
@given(line=st.text() | messages, reader=st.sampled_from(LogFormat))
def test_no_line_does_anything_else(line: str, reader: LogFormat) -> None:
    """Whatever a line holds, it is an event that a router takes, or it is refused."""
    with suppress(InvalidInputError):
        event = READERS[reader](line, LIMITS)
        assert str(SessionKey.parse(str(event.key))) == event.key
