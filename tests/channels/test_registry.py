"""Finding channels: built in, installed, unknown and broken."""

from __future__ import annotations

import pickle
from importlib.metadata import EntryPoint
from typing import Protocol

import pytest

from ray_router import channels
from ray_router.channels import (
    BUILT_IN,
    ENTRY_POINT_GROUP,
    BrokenChannelError,
    Channel,
    Parsed,
    UnknownChannelError,
    channel_names,
    find_channel,
    registry,
)


class Carrier:
    name = "carrier"

    def parse(self, payload: object, instance: str) -> Parsed:
        return Parsed()


carrier = Carrier()
mute = object()
HERE = __name__


class Install(Protocol):
    def __call__(self, **points: str | tuple[str, ...]) -> None: ...


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Pretends that packages with these entry points are installed."""

    def installed(**points: str | tuple[str, ...]) -> None:
        found = tuple(
            EntryPoint(name, value, ENTRY_POINT_GROUP)
            for name, values in points.items()
            for value in ((values,) if isinstance(values, str) else values)
        )
        monkeypatch.setattr(
            registry, "entry_points", lambda *, group: found if group == ENTRY_POINT_GROUP else ()
        )

    return installed


def test_built_in_channels() -> None:
    """Every platform is found under the name that its keys carry."""
    assert sorted(BUILT_IN) == ["discord", "gchat", "matrix", "slack", "teams", "telegram", "whatsapp"]
    for name, channel in BUILT_IN.items():
        assert channel.name == name
        assert find_channel(name) is channel


def test_installed_channel(install: Install) -> None:
    """An installed package's channel is found by the name of its entry point."""
    install(carrier=f"{HERE}:carrier")
    channel: Channel = find_channel("carrier")
    assert channel is carrier
    assert "carrier" in channel_names()


def test_unknown_channel(install: Install) -> None:
    """An unknown name is refused with the names that there are, none of which is loaded for it."""
    install(broken="no.such.module:thing")
    with pytest.raises(
        UnknownChannelError, match=r"no channel is named 'fax'; known channels: broken, discord"
    ):
        find_channel("fax")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("no.such.module:thing", "loading it raised ModuleNotFoundError"),
        (f"{HERE}:missing", "loading it raised AttributeError"),
        (f"{HERE}:mute", "must be an object with name and parse"),
        (f"{HERE}:Carrier", "must be an object with name and parse"),
        (f"{HERE}:carrier", "must have the entry point's name"),
    ],
)
def test_broken_channel(install: Install, value: str, problem: str) -> None:
    """A channel that does not load, or is none, is refused by name."""
    install(pigeon=value)
    with pytest.raises(BrokenChannelError, match=f"channel 'pigeon' of entry point '{value}'.*{problem}"):
        find_channel("pigeon")


def test_shadowed_built_in(install: Install) -> None:
    """A package that claims a built-in channel's name is refused, and takes no other down."""
    install(slack=f"{HERE}:carrier")
    with pytest.raises(BrokenChannelError, match="the name is a built-in channel's"):
        find_channel("slack")
    assert find_channel("telegram") is BUILT_IN["telegram"]


def test_name_claimed_twice(install: Install) -> None:
    """Two packages cannot share a name, though one may be listed twice."""
    install(carrier=(f"{HERE}:carrier", f"{HERE}:carrier"))
    assert find_channel("carrier") is carrier
    install(carrier=(f"{HERE}:carrier", f"{HERE}:mute"))
    with pytest.raises(BrokenChannelError, match=f"also claimed by {HERE}:mute"):
        find_channel("carrier")


@pytest.mark.parametrize(
    "error", [UnknownChannelError("fax", ("slack",)), BrokenChannelError("fax", "fax:channel", "is loud")]
)
def test_errors_travel(error: Exception) -> None:
    """The errors survive pickling."""
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_public_names() -> None:
    """The package exports what it lists, in order."""
    assert sorted(channels.__all__, key=lambda name: (not name.isupper(), name)) == channels.__all__
    assert all(hasattr(channels, name) for name in channels.__all__)
