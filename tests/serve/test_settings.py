"""Settings: from a file, with secrets that are named and never held."""

from __future__ import annotations

import json
import pickle
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

import yaml
from cryptography.hazmat.primitives import serialization

from ray_router.channels import BUILT_IN, Parsed, UnknownChannelError, registry
from ray_router.errors import InvalidConfigError
from ray_router.serve import Front, FrontSettings, Reference
from ray_router.testing import local_router

from . import agent
from .platforms import INSTANCE, SECRETS, Signed, front_settings, published, token_key
from .scene import scene

KEYS = {"file": "keys"}


def problem(**settings: Any) -> str:
    """What is wrong with settings."""
    with pytest.raises(InvalidConfigError) as caught:
        FrontSettings.build(**settings)
    return str(caught.value)


def front_problem(**settings: Any) -> str:
    """What is wrong when a front is made of settings."""
    with pytest.raises(InvalidConfigError) as caught:
        Front(FrontSettings.build(**settings), local_router())
    return str(caught.value)


def test_from_a_file(tmp_path: Path, secrets: Path) -> None:
    """YAML, with some settings over it; they pickle, and nothing of them is secret."""
    file = tmp_path / "front.yaml"
    file.write_text(yaml.safe_dump(front_settings(secrets, port=9_000)))
    settings = FrontSettings.from_file(file, host="0.0.0.0")
    assert (settings.host, settings.port) == ("0.0.0.0", 9_000)
    assert {channel for channel, _, _ in settings.webhooks} == set(BUILT_IN)
    assert pickle.loads(pickle.dumps(settings)) == settings
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert not any(secret in shown for secret in SECRETS.values())
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"a: [", "is not YAML"),
        (b"\xff", "is not YAML"),
        (b"- 1", "must hold a mapping"),
        (b"prot: 1", "prot: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_does_not_do(tmp_path: Path, content: bytes | None, said: str) -> None:
    """It is said what is wrong with it."""
    file = tmp_path / "front.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidConfigError, match=said):
        FrontSettings.from_file(file)


@pytest.mark.parametrize(
    ("webhooks", "said"),
    [
        ({"slack": {"a": {}}}, "webhooks.slack.a: needs signing_secret (or 'open: true'"),
        ({"telegram": {"a": {}}}, "webhooks.telegram.a: needs secret_token"),
        ({"discord": {"a": {}}}, "webhooks.discord.a: needs public_key"),
        ({"whatsapp": {"a": {}}}, "webhooks.whatsapp.a: needs app_secret"),
        ({"matrix": {"a": {}}}, "webhooks.matrix.a: needs homeserver_token"),
        ({"teams": {"a": {}}}, "webhooks.teams.a: needs audience"),
        ({"gchat": {"a": {"audience": "x"}}}, "webhooks.gchat.a: needs either keys or keys_url"),
        ({"teams": {"a": {"audience": "x", "keys": KEYS, "keys_url": "https://x"}}}, "needs either"),
        ({"teams": {"a": {"audience": "x", "keys_url": "http://keys.example"}}}, "must begin with https://"),
        ({"teams": {"a": {"audience": "x", "keys_url": "file:///etc/passwd"}}}, "must begin with https://"),
        ({"teams": {"a": {"audience": "x", "keys": KEYS, "issuers": []}}}, "webhooks.teams.a.issuers"),
        ({"slack": {"a": {"open": True, "signing_secret": {"env": "X"}}}}, "is open, and has signing_secret"),
        ({"slack": {"a": {"signing_secret": "in clear"}}}, "webhooks.slack.a.signing_secret"),
        ({"slack": {"a": {"signing_secret": {}}}}, "must name either 'env' or 'file'"),
        ({"slack": {"a": {"signing_secret": {"env": "X", "file": "y"}}}}, "must name either"),
        ({"discord": {"a": {"public_key": "abc"}}}, "webhooks.discord.a.public_key"),
        ({"other": {"irc": {"a": {}}}}, "webhooks.other.irc.a: needs token"),
        ({"other": {"slack": {}}}, "webhooks.other: slack is built in"),
        ({"irc": {}}, "webhooks.irc: Extra inputs"),
    ],
)
def test_webhooks_that_do_not_do(webhooks: Any, said: str) -> None:
    """A bot without a secret is refused, unless it is expressly open; no secret stands in the file."""
    found = problem(webhooks=webhooks)
    assert said in found
    assert "in clear" not in found


@pytest.mark.parametrize(
    "settings",
    [
        {"handler": "not a plug-in"},
        {"senders": "a:b", "gateway": "c"},
        {"port": 0},
        {"max_body_bytes": 10},
        {"ingest": {"odd": 1}},
        {"api_tokens": ["in clear"]},
    ],
)
def test_settings_that_do_not_do(settings: Any) -> None:
    """Bounds, and forms."""
    assert "in clear" not in problem(**settings)


def test_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable or a file, without the white space around it."""
    monkeypatch.setenv("A_SECRET", " s3cret\n")
    assert Reference(env="A_SECRET").read("x") == b"s3cret"
    file = tmp_path / "secret"
    file.write_bytes(b"\xffraw\r\n")
    assert Reference(file=str(file)).read("x") == b"\xffraw"
    monkeypatch.setenv("A_SECRET", "  ")
    for missing in (
        Reference(env="A_SECRET"),
        Reference(env="NOT_SET"),
        Reference(file=str(tmp_path / "no")),
    ):
        with pytest.raises(InvalidConfigError, match=r"^x: (environment variable|file)"):
            missing.read("x")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"api_tokens": [{"env": "NOT_SET"}]}, "api_tokens.0: environment variable NOT_SET is not set"),
        (
            {"webhooks": {"other": {"irc": {"a": {"token": {"env": "NOT_SET"}}}}}},
            "webhooks.other.irc.a.token: environment",
        ),
        ({"handler": "no_such:thing"}, "handler: 'no_such:thing' failed: ModuleNotFoundError"),
        ({"handler": f"{agent.__name__}:nothing"}, "failed: AttributeError"),
        ({"handler": f"{agent.__name__}:make_senders"}, "failed: TypeError"),
        ({"handler": f"{agent.__name__}:make_nonsense"}, "made int, not a callable"),
        ({"gaters": f"{agent.__name__}:make_nonsense"}, "made int, not policies"),
    ],
)
def test_what_does_not_work_here(settings: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets and plug-ins are looked for when a front is made, and named if they are not there."""
    point = EntryPoint("irc", f"{__name__}:IRC", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert said in front_problem(**settings)


class Irc:
    """A channel that another package installs."""

    name = "irc"

    def parse(self, payload: object, instance: str) -> Parsed:
        return Parsed()


IRC = Irc()


async def test_an_installed_channel(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deliveries show a secret in a header, as a bearer token or in one of its own."""
    point = EntryPoint("irc", f"{__name__}:IRC", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    token = {"file": str(secrets / "other")}
    bots = {"one": {"token": token}, "two": {"token": token, "header": "X-Irc-Token"}}
    async with scene(secrets, webhooks={"other": {"irc": bots}}) as here:
        bearer = Signed({"Authorization": f"Bearer {SECRETS['other']}"}, b"{}")
        own = Signed({"X-Irc-Token": SECRETS["other"]}, b"{}")
        statuses = [
            (await here.post("irc", signed, instance)).status_code
            for instance in ("one", "two")
            for signed in (bearer, own, Signed({}, b"{}"))
        ]
        assert statuses == [200, 401, 401, 401, 200, 401]


def test_an_unknown_channel(secrets: Path) -> None:
    """It says which there are."""
    other = {"nothing": {"a": {"token": {"file": str(secrets / "other")}}}}
    settings = FrontSettings.build(webhooks={"other": other})
    with pytest.raises(UnknownChannelError, match="known channels: discord"):
        Front(settings, local_router())


def pem() -> str:
    """A public key."""
    key = token_key().public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nonsense",
        "{",
        "{}",
        "[]",
        '{"keys": []}',
        '{"keys": 3}',
        '{"a": 3}',
        '{"a": "nonsense"}',
        "-----BEGIN CERTIFICATE-----",
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}),
    ],
)
def test_keys_that_are_none(tmp_path: Path, content: str) -> None:
    """What is no RSA public key is refused when the front is made."""
    file = tmp_path / "keys"
    file.write_text(content)
    teams = {INSTANCE: {"audience": "x", "keys": {"file": str(file)}}}
    assert "webhooks.teams.bot.keys" in front_problem(webhooks={"teams": teams})


@pytest.mark.parametrize("content", [json.dumps(published("key-1")), json.dumps({"key-1": pem()}), pem()])
def test_keys_that_are_some(tmp_path: Path, content: str) -> None:
    """A key set, PEM by id, or one PEM."""
    file = tmp_path / "keys"
    file.write_text(content)
    teams = {INSTANCE: {"audience": "x", "keys": {"file": str(file)}}}
    Front(FrontSettings.build(webhooks={"teams": teams}), local_router())
