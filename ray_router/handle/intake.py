"""What callers give, as what travels: keys and routes as canonical text, times as stamps.

Whatever is wrong in itself is refused here, before anything is sent; what depends on the router's
limits is checked once they are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import TypeGuard

from ray_router.core.admission import check_key, check_seconds
from ray_router.core.operations import Set
from ray_router.core.settings import Limits
from ray_router.errors import InvalidCallError, InvalidKeyError, InvalidRouteError
from ray_router.handle.stamps import Stamps
from ray_router.model import Route, SessionKey, Write
from ray_router.model.key import is_plain


def key_text(key: SessionKey | str) -> str:
    """The canonical text of a key given in either form.

    Raises:
        InvalidKeyError: it is neither, or malformed.
    """
    if isinstance(key, SessionKey):
        return str(key)
    if isinstance(key, str):
        return key if type(key) is str and is_plain(key) else _canonical(key)
    raise InvalidKeyError("key", f"must be a SessionKey or its text form, not {type(key).__name__}")


@lru_cache(maxsize=16_384)
def _canonical(text: str) -> str:
    return str(SessionKey.parse(text))


def several_keys(
    keys: Iterable[SessionKey | str],
) -> tuple[tuple[SessionKey | str, ...], tuple[str, ...]]:
    """Many keys as they were given, and their canonical texts.

    Raises:
        InvalidCallError: it is one key, or nothing that can be gone through.
        InvalidKeyError: one of them is malformed.
    """
    if isinstance(keys, str | SessionKey) or not isinstance(keys, Iterable):
        raise InvalidCallError("keys", f"must be several keys, not one {type(keys).__name__}")
    given = tuple(keys)
    return given, given if _plainly_canonical(given) else tuple([key_text(key) for key in given])


def _plainly_canonical(keys: tuple[SessionKey | str, ...]) -> TypeGuard[tuple[str, ...]]:
    """Whether all these are texts of rooms and threads in canonical form, as can be seen without parsing.

    Taken together they are looked through at the speed of C: no escapes, no absent parts, no empty ones.
    """
    if set(map(type, keys)) != {str}:
        return False
    text = "\n".join(keys)  # type: ignore[arg-type]  # all of them are
    return (
        text.isascii()
        and "%" not in text
        and "*" not in text
        and "::" not in text
        and ":\n" not in text
        and "\n:" not in text
        and text.count("\n") == len(keys) - 1
        and not text.startswith(":")
        and not text.endswith(":")
        and set(map(str.count, keys, repeat(":"))) <= _FIELD_SEPARATORS  # type: ignore[arg-type]
    )


_FIELD_SEPARATORS = {2, 3}


def route_text(route: Route, field: str = "route") -> str:
    """The canonical text of a route.

    Raises:
        InvalidRouteError: it is not a route.
    """
    if not isinstance(route, Route):
        raise InvalidRouteError(field, f"must be a Route, not {type(route).__name__}")
    return route.text


def fallback_texts(fallbacks: Sequence[Route]) -> tuple[str, ...]:
    """The canonical texts of the caller's fallbacks."""
    if isinstance(fallbacks, Route | str) or not isinstance(fallbacks, Iterable):
        raise InvalidCallError("fallbacks", f"must be a sequence of Routes, not {type(fallbacks).__name__}")
    return tuple([route_text(route, f"fallbacks[{index}]") for index, route in enumerate(fallbacks)])


def stamped(write: Write, stamps: Stamps) -> Set:
    """A write as it travels, stamped once."""
    observed_at = write.observed_at
    if observed_at is None:
        observed_at = stamps.now()
    else:
        check_seconds("observed_at", observed_at)
        observed_at = stamps.at(observed_at)
    return Set(key_text(write.key), route_text(write.route), observed_at, write.origin, write.ttl_s)


def writes(items: Iterable[Write | tuple[SessionKey | str, Route]]) -> Iterable[Write]:
    """The items of ``set_many`` as writes.

    Raises:
        InvalidCallError: they are not several, or one is neither a write nor a pair.
    """
    if not isinstance(items, Iterable):
        raise InvalidCallError("items", f"must be several writes, not one {type(items).__name__}")
    for index, item in enumerate(items):
        if isinstance(item, Write):
            yield item
        elif isinstance(item, tuple) and len(item) == 2:
            yield Write(*item)
        else:
            raise InvalidCallError(
                f"items[{index}]", f"must be (key, route) or a Write, not {type(item).__name__}"
            )


def check_key_fits(text: str, limits: Limits) -> None:
    """Each part of a key must be within the limit; one that is short as a whole is, unseen."""
    if len(text) * 4 > limits.key_part_bytes:
        check_key(text, limits)


def check_keys_fit(texts: tuple[str, ...], limits: Limits) -> None:
    """``check_key_fits`` for many."""
    if texts and max(map(len, texts)) * 4 > limits.key_part_bytes:
        for text in texts:
            check_key_fits(text, limits)
