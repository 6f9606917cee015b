"""What a line of a log says, as an ``Event``; and which kind of log a file is.

A chat log has one JSON object a line (``ts``, ``channel``, ``instance``, ``room``, ``thread``; whatever
else it holds is of no concern to a router). A key trace is CSV with the header ``timestamp,key,size``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from pathlib import Path

from ray_router.core.admission import check_key_size, check_route_size, check_seconds
from ray_router.core.settings import Limits
from ray_router.errors import InvalidInputError
from ray_router.model import Route, SessionKey
from ray_router.workload.event import Event

TRACE_HEADER = "timestamp,key,size"
TRACE_CHANNEL, TRACE_INSTANCE = "trace", "cache2k"
_SESSIONS_AT_HAND = 65_536
_BYTE_ORDER_MARK = "\ufeff"


class LogFormat(str, Enum):
    """The kinds of logs."""

    CHAT = "chat log"
    TRACE = "key trace"


_SUFFIXES = {
    ".jsonl": LogFormat.CHAT,
    ".ndjson": LogFormat.CHAT,
    ".json": LogFormat.CHAT,
    ".csv": LogFormat.TRACE,
}


def format_of(path: str | Path, first_line: str) -> LogFormat | None:
    """The kind of a log: by its name's suffix (a ``.gz`` aside), else by its first line; None for neither."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    if first_line.startswith("{"):
        return LogFormat.CHAT
    return LogFormat.TRACE if first_line == TRACE_HEADER else None


def text_of(line: bytes) -> str:
    """A line without its ending, and without the mark that some editors put before the first.

    Raises:
        InvalidInputError: it is not UTF-8.
    """
    try:
        return line.decode().strip().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise InvalidInputError("line", f"is not UTF-8 at byte {error.start + 1}") from None


def chat_event(line: str, limits: Limits) -> Event:
    """The event of a line of a chat log; its route leads to the room, and to the thread if it names one.

    Raises:
        InvalidInputError: naming the field.
    """
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidInputError("line", f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError):  # a number with thousands of digits, a nesting without end
        raise InvalidInputError("line", "is JSON that no message needs") from None
    if not isinstance(record, dict):
        raise InvalidInputError("line", f"must be a JSON object, not {type(record).__name__}")
    parts = [_text_field(record, field) for field in ("channel", "instance", "room")]
    thread = None if record.get("thread") is None else _text_field(record, "thread")
    at = record.get("ts")
    if at is None:
        raise InvalidInputError("ts", "is missing")
    check_seconds("ts", at)
    return Event(float(at), *_session(*parts, thread, limits))


def trace_event(line: str, limits: Limits) -> Event:
    """The event of a line of a key trace; the key is its room and its route.

    Raises:
        InvalidInputError: naming the field.
    """
    try:
        (fields,) = csv.reader((line,), strict=True)
    except (csv.Error, ValueError):
        raise InvalidInputError("line", "is not a line of CSV") from None
    if len(fields) != 3:
        raise InvalidInputError("line", f"has {len(fields)} fields where {TRACE_HEADER} has 3")
    try:
        at = float(fields[0])
    except ValueError:
        raise InvalidInputError("timestamp", "must be a number") from None
    check_seconds("timestamp", at)
    if not fields[1]:
        raise InvalidInputError("key", "must not be empty")
    return Event(at, *_session(TRACE_CHANNEL, TRACE_INSTANCE, fields[1], None, limits))


READERS: dict[LogFormat, Callable[[str, Limits], Event]] = {
    LogFormat.CHAT: chat_event,
    LogFormat.TRACE: trace_event,
}
"""What reads a line, for each kind of log."""


@lru_cache(maxsize=_SESSIONS_AT_HAND)
def _session(channel: str, instance: str, room: str, thread: str | None, limits: Limits) -> tuple[str, Route]:
    """A session's key as text, and its route; kept at hand, because sessions have many messages."""
    key, route = SessionKey(channel, instance, room, thread), Route(room, thread)
    check_key_size(key, limits)
    check_route_size(route, limits)
    return str(key), route


def _text_field(record: dict[str, object], field: str) -> str:
    value = record.get(field)
    if value is None:
        raise InvalidInputError(field, "is missing")
    if not isinstance(value, str):
        raise InvalidInputError(field, f"must be text, not {type(value).__name__}")
    return value
