"""The options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import IntEnum
from functools import wraps
from math import inf
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ray_router.core.eviction import POLICIES
from ray_router.model import Confidence, Origin, Scope

CLUSTER = "Which router"

E = TypeVar("E", bound=IntEnum)
T = TypeVar("T")


def of_text(read: Callable[[str], T]) -> Callable[[str | T], T]:
    """A reader that leaves alone what is no text: defaults are offered to it too."""

    @wraps(read)
    def read_text(value: str | T) -> T:
        return read(value) if isinstance(value, str) else value

    return read_text


@of_text
def seconds_or_none(text: str) -> float:
    """A number of seconds above 0; infinite for ``none``."""
    if text.lower() == "none":
        return inf
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise typer.BadParameter(f"{text!r} is neither a number of seconds above 0 nor 'none'")
    return seconds


@of_text
def sessions_or_none(text: str) -> float:
    """A whole number of sessions above 0; infinite for ``none``."""
    if text.lower() == "none":
        return inf
    if not (text.isdecimal() and len(text) < 20 and int(text)):
        raise typer.BadParameter(f"{text!r} is neither a whole number above 0 nor 'none'")
    return int(text)


@dataclass(frozen=True)
class Several:
    """Values of one option; a class of its own, because typer takes a tuple for an option of many words."""

    values: tuple[float, ...]


def several(read: Callable[[str], float]) -> Callable[[str | Several], Several]:
    """A reader of one value or of several with commas between them, in the order given, each once."""

    @of_text
    def read_several(text: str) -> Several:
        return Several(tuple(dict.fromkeys(read(each.strip()) for each in text.split(","))))

    read_several.__name__ = read.__name__
    return read_several


@of_text
def moment(text: str) -> float:
    """Epoch seconds, from a number of them or a date and time of ISO 8601 (UTC unless it says otherwise)."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither epoch seconds nor an ISO 8601 time") from None
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def one_of(vocabulary: type[E]) -> Callable[[str | E], E]:
    """Reads a member of a vocabulary by its name, in any case."""

    @of_text
    def read(text: str) -> E:
        try:
            return vocabulary[text.upper()]
        except KeyError:
            names = ", ".join(member.name.lower() for member in vocabulary)
            raise typer.BadParameter(f"{text!r} is none of {names}") from None

    read.__name__ = vocabulary.__name__  # shown in a usage message
    return read


def named(texts: list[str] | None, option: str) -> dict[str, str]:
    """Values by name, from several ``NAME=VALUE``."""
    pairs = [text.partition("=") for text in texts or ()]
    for name, equals, value in pairs:
        if not name or not equals:
            raise typer.BadParameter(f"{name + equals + value!r} is not NAME=VALUE", param_hint=option)
    return {name: value for name, _, value in pairs}


def names_of(vocabulary: type[IntEnum]) -> Callable[[], list[str]]:
    """What a shell may complete to a member of a vocabulary."""
    return lambda: [member.name.lower() for member in vocabulary]


def policies() -> list[str]:
    """What a shell may complete to an eviction policy."""
    return sorted(POLICIES)


Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        envvar="RAY_ADDRESS",
        help="Ray cluster to use; without one, that of this machine.",
        rich_help_panel=CLUSTER,
    ),
]
AddressOrOwn = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        envvar="RAY_ADDRESS",
        help="Ray cluster to use; without one, Ray is started on this machine, and ended afterwards.",
        rich_help_panel=CLUSTER,
    ),
]
Name = Annotated[str, typer.Option(metavar="NAME", help="Name of the router.", rich_help_panel=CLUSTER)]
NameOrTheFiles = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name of the router.",
        show_default="the file's, or default",
        rich_help_panel=CLUSTER,
    ),
]
Namespace = Annotated[
    str, typer.Option(metavar="NAME", help="Ray namespace that it lives in.", rich_help_panel=CLUSTER)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
Key = Annotated[
    str, typer.Argument(metavar="KEY", help="channel:instance:room[:thread]; '*' for an absent part.")
]
LogFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Chat log (JSONL) or key trace (CSV, timestamp,key,size), gzipped or not.",
        show_default=False,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Stop at the first bad line, instead of skipping and counting them.")
]
Ttl = Annotated[
    float,
    typer.Option(
        parser=seconds_or_none,
        metavar="SECONDS|none",
        show_default="1800",
        help="How long a route stays fresh.",
    ),
]
Capacity = Annotated[
    float,
    typer.Option(
        parser=sessions_or_none,
        metavar="N|none",
        show_default="none",
        help="Sessions that the whole router holds at most.",
    ),
]
Ttls = Annotated[
    Several,
    typer.Option(
        parser=several(seconds_or_none),
        metavar="SECONDS|none[,...]",
        show_default="1800",
        help="How long a route stays fresh; several to compare.",
    ),
]
Capacities = Annotated[
    Several,
    typer.Option(
        parser=several(sessions_or_none),
        metavar="N|none[,...]",
        show_default="none",
        help="Sessions that the whole router holds at most; several to compare.",
    ),
]
Eviction = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Who leaves a full partition: {', '.join(sorted(POLICIES))}.",
        autocompletion=policies,
    ),
]
WidestScope = Annotated[
    Scope,
    typer.Option(
        parser=one_of(Scope),
        autocompletion=names_of(Scope),
        metavar="SCOPE",
        show_default="room",
        help="How far to look beyond the session: thread, room, instance or channel.",
    ),
]
MinConfidence = Annotated[
    Confidence,
    typer.Option(
        parser=one_of(Confidence),
        autocompletion=names_of(Confidence),
        metavar="LEVEL",
        show_default="none",
        help="Pass over what is less sure: stale, provided, inherited, alternate, observed or confirmed.",
    ),
]
OriginOption = Annotated[
    Origin,
    typer.Option(
        "--origin",
        parser=one_of(Origin),
        autocompletion=names_of(Origin),
        metavar="ORIGIN",
        show_default="inbound",
        help="Who says so: operator, inbound, agent or system.",
    ),
]


def finite(value: float) -> float | None:
    """None for what was given as ``none``."""
    return None if value == inf else value


def whole(value: float) -> int | None:
    """A count; None for what was given as ``none``."""
    return None if value == inf else int(value)
