"""Values of options: read from text, refused in words."""

from __future__ import annotations

from math import inf

import pytest
import typer

from ray_router import Confidence, Scope
from ray_router.cli import options


@pytest.mark.parametrize(("text", "seconds"), [("1800", 1800.0), ("0.5", 0.5), ("none", inf), ("None", inf)])
def test_seconds_or_none(text: str, seconds: float) -> None:
    """None is for ever."""
    assert options.seconds_or_none(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", ""])
def test_no_seconds(text: str) -> None:
    """Of which nothing could live."""
    with pytest.raises(typer.BadParameter, match="neither a number of seconds above 0 nor 'none'"):
        options.seconds_or_none(text)


@pytest.mark.parametrize(("text", "sessions"), [("1", 1), ("100000", 100_000), ("none", None)])
def test_sessions_or_none(text: str, sessions: int | None) -> None:
    """None is no bound."""
    assert options.whole(options.sessions_or_none(text)) == sessions


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "9" * 5_000])
def test_no_sessions(text: str) -> None:
    """A router holds whole sessions, at least one."""
    with pytest.raises(typer.BadParameter, match="neither a whole number above 0 nor 'none'"):
        options.sessions_or_none(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1700000000.5", 1_700_000_000.5),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000.0),
        ("2023-11-14 22:13:20", 1_700_000_000.0),
        ("2023-11-14", 1_699_920_000.0),
    ],
)
def test_moments(text: str, at: float) -> None:
    """Epoch seconds, or a time of ISO 8601, in UTC unless it says otherwise."""
    assert options.moment(text) == at


def test_no_moment() -> None:
    """What only people understand."""
    with pytest.raises(typer.BadParameter, match="'yesterday' is neither epoch seconds nor an ISO 8601 time"):
        options.moment("yesterday")


def test_members_of_a_vocabulary_are_read_by_name() -> None:
    """In any case; a default is what it is already."""
    assert options.one_of(Scope)("Channel") is Scope.CHANNEL
    assert options.one_of(Confidence)(Confidence.STALE) is Confidence.STALE
    with pytest.raises(typer.BadParameter, match="'wide' is none of thread, room, instance, channel"):
        options.one_of(Scope)("wide")


def test_named_values() -> None:
    """The first equals sign ends the name."""
    assert options.named(["a=1", "b=x=y", "c="], "--metadata") == {"a": "1", "b": "x=y", "c": ""}
    assert options.named(None, "--metadata") == {}
    for text in ("a", "=a"):
        with pytest.raises(typer.BadParameter, match="is not NAME=VALUE"):
            options.named([text], "--metadata")
