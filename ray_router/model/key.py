"""``SessionKey``: whose route. Its text form is the identity that is hashed, stored and sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ray_router.errors import InvalidKeyError
from ray_router.model.vocabulary import Scope

ABSENT = "*"
_NEEDS_ESCAPE = re.compile("[:%*]")
_SPECIAL = re.compile("[%*]")
_PLAIN = re.compile("[^:%*]+:[^:%*]+:[^:%*]+(?::[^:%*]+)?")
_MALFORMED_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_FIELDS = ("channel", "instance", "room", "thread")
_LONE_SURROGATE = "holds a lone surrogate, which no text encoding can carry"


def _escape(part: str) -> str:
    return _NEEDS_ESCAPE.sub(lambda match: f"%{ord(match[0]):02X}", part)


def _unescape(field: str, text: str) -> str:
    if "%" not in text:
        return text
    if _MALFORMED_ESCAPE.search(text):
        raise InvalidKeyError(field, "holds a '%' that starts no escape; write a literal '%' as '%25'")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise InvalidKeyError(field, "holds escapes that do not decode as UTF-8") from None
    except UnicodeEncodeError:
        raise InvalidKeyError(field, _LONE_SURROGATE) from None


def _check_part(field: str, part: object) -> None:
    if not isinstance(part, str):
        raise InvalidKeyError(field, f"must be a str, not {type(part).__name__}")
    if not part:
        raise InvalidKeyError(field, "must not be empty; leave it out (None) to name a wider scope")
    if not part.isascii():
        try:
            part.encode()
        except UnicodeEncodeError:
            raise InvalidKeyError(field, _LONE_SURROGATE) from None


def is_plain(text: str) -> bool:
    """Whether a text is the canonical form of a room's or thread's key, with nothing in it to decode.

    False of many that are canonical too: this is a look, a tenth of the price of parsing.
    """
    return text.isascii() and _PLAIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=False)
class SessionKey:
    """Names a session: ``thread=None`` the room, ``room=None`` the instance's default, and so on.

    Args:
        channel: the platform (``"telegram"``).
        instance: the bot or workspace on it, or None for the channel's default.
        room: the room, or None for the instance's default.
        thread: the thread in the room, or None for the room itself.

    Raises:
        InvalidKeyError: a part is empty, not text, or narrower than an absent one.

    >>> key = SessionKey("telegram", "bot_1", "room_9", "thread_3")
    >>> str(key)
    'telegram:bot_1:room_9:thread_3'
    >>> [str(wider) for wider in key.lineage]
    ['telegram:bot_1:room_9', 'telegram:bot_1:*', 'telegram:*:*']
    >>> str(SessionKey("matrix", "hs", "!abc:server.org"))
    'matrix:hs:!abc%3Aserver.org'
    """

    channel: str
    instance: str | None = None
    room: str | None = None
    thread: str | None = None

    def __post_init__(self) -> None:
        _check_part("channel", self.channel)
        if self.instance is not None:
            _check_part("instance", self.instance)
        if self.room is not None:
            _check_part("room", self.room)
            if self.instance is None:
                raise InvalidKeyError(
                    "room", "needs an instance: a room belongs to an instance of its channel"
                )
        if self.thread is not None:
            _check_part("thread", self.thread)
            if self.room is None:
                raise InvalidKeyError("thread", "needs a room: a thread belongs to a room")

    def __str__(self) -> str:
        """The canonical text form, ``channel:instance:room[:thread]``."""
        if self.thread is None:
            plain = f"{self.channel}:{self.instance}:{self.room}"
            separators = 2
        else:
            plain = f"{self.channel}:{self.instance}:{self.room}:{self.thread}"
            separators = 3
        if self.room is not None and plain.count(":") == separators and not _SPECIAL.search(plain):
            return plain
        if self.room is None:
            instance = ABSENT if self.instance is None else _escape(self.instance)
            return f"{_escape(self.channel)}:{instance}:{ABSENT}"
        parts: tuple[str | None, ...] = (self.channel, self.instance, self.room)
        if self.thread is not None:
            parts += (self.thread,)
        return ":".join(map(_escape, parts))  # type: ignore[arg-type]  # a room implies its instance

    def __reduce__(self) -> tuple[type[SessionKey], tuple[str, str | None, str | None, str | None]]:
        return SessionKey, (self.channel, self.instance, self.room, self.thread)

    @classmethod
    def parse(cls, text: str) -> SessionKey:
        """The key whose text form this is.

        Any well-formed percent escape is understood; ``str`` of the result is the canonical form.

        Raises:
            InvalidKeyError: not text, not three or four fields, or a field that is malformed.
        """
        if not isinstance(text, str):
            raise InvalidKeyError("key", f"must be a SessionKey or its text form, not {type(text).__name__}")
        fields = text.split(":")
        if is_plain(text):
            return _of_plain_parts(*fields)
        if not 3 <= len(fields) <= 4:
            raise InvalidKeyError(
                "key",
                f"has {len(fields)} fields where channel:instance:room[:thread] has 3 or 4; "
                "an absent field is '*', and a ':' inside an id is written '%3A'",
            )
        parts = [
            None if field == ABSENT else _unescape(name, field)
            for name, field in zip(_FIELDS, fields, strict=False)
        ]
        if parts[0] is None:
            raise InvalidKeyError("channel", "must be given: a key without a channel names nothing")
        return cls(parts[0], *parts[1:])

    @property
    def scope(self) -> Scope:
        """How much of the platform this key names."""
        if self.thread is not None:
            return Scope.THREAD
        if self.room is not None:
            return Scope.ROOM
        return Scope.CHANNEL if self.instance is None else Scope.INSTANCE

    @property
    def parent(self) -> SessionKey | None:
        """The next wider key, or None for a channel's default."""
        if self.thread is not None:
            return SessionKey(self.channel, self.instance, self.room)
        if self.room is not None:
            return SessionKey(self.channel, self.instance)
        return None if self.instance is None else SessionKey(self.channel)

    @property
    def lineage(self) -> tuple[SessionKey, ...]:
        """All wider keys, the next wider first."""
        wider = []
        key = self.parent
        while key is not None:
            wider.append(key)
            key = key.parent
        return tuple(wider)


_set_channel, _set_instance, _set_room, _set_thread = (
    getattr(SessionKey, field).__set__ for field in _FIELDS
)  # the quickest way to fill a frozen value that is being made


def _of_plain_parts(channel: str, instance: str, room: str, thread: str | None = None) -> SessionKey:
    """A key of parts that were checked together."""
    key = object.__new__(SessionKey)
    _set_channel(key, channel)
    _set_instance(key, instance)
    _set_room(key, room)
    _set_thread(key, thread)
    return key
