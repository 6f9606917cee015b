"""Which channels there are: the built-in ones, and those that other packages install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

from ray_router.channels.channel import Channel
from ray_router.channels.discord import Discord
from ray_router.channels.gchat import GoogleChat
from ray_router.channels.matrix import Matrix
from ray_router.channels.slack import Slack
from ray_router.channels.teams import Teams
from ray_router.channels.telegram import Telegram
from ray_router.channels.whatsapp import WhatsApp
from ray_router.errors import RouterError

ENTRY_POINT_GROUP: Final = "ray_router.channels"
_CHANNELS: tuple[Channel, ...] = (
    Discord(),
    GoogleChat(),
    Matrix(),
    Slack(),
    Teams(),
    Telegram(),
    WhatsApp(),
)
BUILT_IN: Final[Mapping[str, Channel]] = MappingProxyType({channel.name: channel for channel in _CHANNELS})


class UnknownChannelError(RouterError, LookupError):
    """No channel of this name is built in or installed.

    Args:
        name: the name asked for.
        known: the names that there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        return f"no channel is named {self.name!r}; known channels: {', '.join(self.known)}"


class BrokenChannelError(RouterError):
    """An installed channel that cannot be used.

    Args:
        name: the entry point's name, which is the channel's.
        source: where the entry point leads, ``module:attribute``.
        problem: what is wrong with it.
    """

    def __init__(self, name: str, source: str, problem: str) -> None:
        super().__init__(name, source, problem)
        self.name = name
        self.source = source
        self.problem = problem

    def __str__(self) -> str:
        return f"channel {self.name!r} of entry point {self.source!r} cannot be used: {self.problem}"


def channel_names() -> tuple[str, ...]:
    """The names of all channels, sorted; installed ones are listed without being loaded."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in _installed())}))


def find_channel(name: str) -> Channel:
    """The channel of this name.

    It looks through the installed packages, so find a channel once and keep it. Other packages add
    channels through the entry-point group ``ray_router.channels``: the entry point's name is the
    channel's name, and its object a ``Channel``.

    Raises:
        UnknownChannelError: there is none; it lists the names that there are.
        BrokenChannelError: the installed channel does not load, is no channel, or its name is taken
            by a built-in channel or another package, so that the name would have two meanings.
    """
    points = [point for point in _installed() if point.name == name]
    if name in BUILT_IN:
        if points:
            raise BrokenChannelError(name, points[0].value, "the name is a built-in channel's")
        return BUILT_IN[name]
    if not points:
        raise UnknownChannelError(name, channel_names())
    first, *others = points
    if any(other.value != first.value for other in others):
        sources = ", ".join(sorted({other.value for other in others}))
        raise BrokenChannelError(name, first.value, f"the name is also claimed by {sources}")
    return _load(first)


def _installed() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _load(point: EntryPoint) -> Channel:
    try:
        channel = point.load()
    except Exception as error:  # whatever a foreign module raises when it is imported
        raise BrokenChannelError(point.name, point.value, f"loading it raised {error!r}") from error
    if isinstance(channel, type) or not callable(getattr(channel, "parse", None)):
        raise BrokenChannelError(point.name, point.value, "must be an object with name and parse")
    if getattr(channel, "name", None) != point.name:
        raise BrokenChannelError(point.name, point.value, "must have the entry point's name")
    return channel  # type: ignore[no-any-return]  # checked above
