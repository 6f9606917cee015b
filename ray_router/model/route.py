"""``Route``: where to deliver. Its text form is its identity: equal texts, equal routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ray_router.errors import InvalidRouteError

_SEPARATOR = "\x1f"  # ASCII's unit separator
_ESCAPE = "\x1e"
_NO_METADATA: Mapping[str, str] = MappingProxyType({})


def _check_text(name: str, value: object, *, may_be_empty: bool = False) -> None:
    if not isinstance(value, str):
        raise InvalidRouteError(name, f"must be a str, not {type(value).__name__}")
    if not value and not may_be_empty:
        raise InvalidRouteError(name, "must not be empty")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRouteError(
                name, "holds a lone surrogate, which no text encoding can carry"
            ) from None


@dataclass(frozen=True, slots=True)
class Route:
    """Where to deliver a reply.

    Args:
        external_room_id: the platform's id of the room; the only part every platform needs.
        external_thread_id: the platform's id of the thread in it, if the reply belongs in one.
        channel: the channel it is valid for; None means the session's.
        instance: the instance it is valid for; None means the session's.
        metadata: what else the sender needs, text to text; kept sorted and read-only.

    Raises:
        InvalidRouteError: a field is empty, or not text.

    >>> Route("-100123", metadata={"lang": "de"}).metadata["lang"]
    'de'
    """

    external_room_id: str
    external_thread_id: str | None = None
    channel: str | None = None
    instance: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _NO_METADATA)

    def __post_init__(self) -> None:
        _check_text("external_room_id", self.external_room_id)
        for name in ("external_thread_id", "channel", "instance"):
            value = getattr(self, name)
            if value is not None:
                _check_text(name, value)
        if self.metadata is not _NO_METADATA:
            if not isinstance(self.metadata, Mapping):
                raise InvalidRouteError("metadata", f"must be a mapping, not {type(self.metadata).__name__}")
            for name, value in self.metadata.items():
                _check_text("metadata key", name)
                _check_text("metadata value", value, may_be_empty=True)
            object.__setattr__(self, "metadata", MappingProxyType(dict(sorted(self.metadata.items()))))

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[type[Route], tuple[object, ...]]:
        # A mapping proxy does not pickle, so a route travels as its arguments.
        arguments = (self.external_room_id, self.external_thread_id, self.channel, self.instance)
        return Route, (*arguments, dict(self.metadata))

    @property
    def text(self) -> str:
        """The canonical text: the fields in order, then sorted metadata, joined by U+001F.

        Absent fields are empty, and trailing empty ones are left out when there is no metadata, so
        that the commonest route of all, a room id, is its own text.
        """
        fields = [
            self.external_room_id,
            self.external_thread_id or "",
            self.channel or "",
            self.instance or "",
        ]
        if self.metadata:
            for item in self.metadata.items():
                fields.extend(item)
        else:
            while not fields[-1]:
                fields.pop()
        joined = _SEPARATOR.join(fields)
        if joined.count(_SEPARATOR) == len(fields) - 1 and _ESCAPE not in joined:
            return joined
        return _SEPARATOR.join(
            part.replace(_ESCAPE, _ESCAPE + "e").replace(_SEPARATOR, _ESCAPE + "s") for part in fields
        )

    @classmethod
    def from_text(cls, text: str) -> Route:
        """The route whose canonical text this is.

        Raises:
            InvalidRouteError: not the canonical text of any route.
        """
        if not isinstance(text, str):
            raise InvalidRouteError("route", f"must be a Route, not {type(text).__name__}")
        if _SEPARATOR not in text and _ESCAPE not in text:
            return _of_a_room(text) if text and text.isascii() else cls(text)
        parts = text.split(_SEPARATOR)
        if _ESCAPE in text:
            parts = [
                part.replace(_ESCAPE + "s", _SEPARATOR).replace(_ESCAPE + "e", _ESCAPE) for part in parts
            ]
        if len(parts) > 4 and len(parts) % 2:
            raise InvalidRouteError("route", "has a metadata key without a value")
        thread, channel, instance = [*parts[1:4], "", "", ""][:3]
        metadata = dict(zip(parts[4::2], parts[5::2], strict=True))
        route = cls(parts[0], thread or None, channel or None, instance or None, metadata or _NO_METADATA)
        if route.text != text:
            raise InvalidRouteError("route", "is not in canonical form")
        return route


_FIELDS = ("external_room_id", "external_thread_id", "channel", "instance", "metadata")
_set_room, _set_thread, _set_channel, _set_instance, _set_metadata = (
    getattr(Route, name).__set__ for name in _FIELDS
)  # the quickest way to fill a frozen value that is being made


def _of_a_room(room: str) -> Route:
    """A route of nothing but a room's id, which was checked."""
    route = object.__new__(Route)
    _set_room(route, room)
    _set_thread(route, None)
    _set_channel(route, None)
    _set_instance(route, None)
    _set_metadata(route, _NO_METADATA)
    return route
