"""Reading a decoded JSON payload: each value is checked as it is read, and an error names its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ray_router.errors import InvalidInputError

# Every platform's numeric ids fit in a signed 64-bit integer. Larger ones are refused here, because
# Python refuses to print an integer of more than 4,300 digits.
_INTEGER_BITS = 63


class InvalidPayloadError(InvalidInputError):
    """A payload that is not what its platform documents.

    Args:
        field: the path of what is wrong, dotted, as in ``"entry[0].changes[0].field"``.
        problem: what is wrong with it, without the offending content.
    """


@dataclass(frozen=True, slots=True)
class Payload:
    """A JSON object, and the path at which it stands in the whole payload.

    A JSON null counts as absent, as platforms use the two alike; so does empty text where text is
    optional.

    >>> event = Payload.of({"event": {"ts": 17}}).child("event")
    >>> event.text("ts")
    Traceback (most recent call last):
    ray_router.channels.payload.InvalidPayloadError: event.ts: must be a str, not int
    """

    fields: Mapping[str, object]
    path: str = ""

    @classmethod
    def of(cls, value: object, path: str = "") -> Payload:
        """The object that ``value`` must be.

        Raises:
            InvalidPayloadError: it is something else.
        """
        if not isinstance(value, Mapping):
            raise InvalidPayloadError(path or "payload", f"must be an object, not {type(value).__name__}")
        return cls(value, path)

    def broken(self, name: str, problem: str) -> InvalidPayloadError:
        """The error that says what is wrong with a field."""
        return InvalidPayloadError(self._path(name), problem)

    def has(self, name: str) -> bool:
        """True when the field is there and not null."""
        return self.fields.get(name) is not None

    def text(self, name: str) -> str:
        """Text of at least one character."""
        text = self.optional_text(name)
        if text is None:
            raise self.broken(name, "must not be empty" if self.has(name) else "is missing")
        return text

    def optional_text(self, name: str) -> str | None:
        """Text, or None when it is absent or empty."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.broken(name, f"must be a str, not {type(value).__name__}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.broken(name, "holds a lone surrogate, which no text encoding can carry") from None
        return value or None

    def integer(self, name: str) -> int:
        """A whole number of at most 64 bits."""
        value = self._present(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.broken(name, f"must be an int, not {type(value).__name__}")
        if value.bit_length() > _INTEGER_BITS:
            raise self.broken(name, "must fit in 64 bits")
        return value

    def optional_integer(self, name: str) -> int | None:
        """A whole number of at most 64 bits, or None when it is absent."""
        return self.integer(name) if self.has(name) else None

    def flag(self, name: str) -> bool:
        """A boolean; absent means False."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.broken(name, f"must be a bool, not {type(value).__name__}")
        return bool(value)

    def child(self, name: str) -> Payload:
        """An object."""
        return Payload.of(self._present(name), self._path(name))

    def optional_child(self, name: str) -> Payload | None:
        """An object, or None when it is absent."""
        return self.child(name) if self.has(name) else None

    def children(self, name: str) -> tuple[Payload, ...]:
        """The objects of an array."""
        values = self._present(name)
        if not isinstance(values, list | tuple):
            raise self.broken(name, f"must be an array, not {type(values).__name__}")
        path = self._path(name)
        return tuple(Payload.of(value, f"{path}[{index}]") for index, value in enumerate(values))

    def optional_children(self, name: str) -> tuple[Payload, ...]:
        """The objects of an array; none when it is absent."""
        return self.children(name) if self.has(name) else ()

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _present(self, name: str) -> object:
        value = self.fields.get(name)
        if value is None:
            raise self.broken(name, "is missing")
        return value
