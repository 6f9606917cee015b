"""Deliveries are found authentic before they are parsed, or refused with nothing stored."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

import jwt
from channels.samples import DISCORD, DISCORD_PRESS, GCHAT, MATRIX, SLACK, TEAMS, TELEGRAM, WHATSAPP, changed

from .platforms import (
    INSTANCE,
    PLATFORMS,
    SECRETS,
    Signed,
    discord,
    gchat,
    json_of,
    slack,
    teams,
    token,
    token_key,
)
from .scene import Scene, scene

SAMPLES: dict[str, Any] = {
    "discord": DISCORD_PRESS,
    "gchat": GCHAT,
    "matrix": MATRIX,
    "slack": SLACK,
    "teams": TEAMS,
    "telegram": TELEGRAM,
    "whatsapp": WHATSAPP,
}
PROOF = {
    "discord": "x-signature-ed25519",
    "gchat": "authorization",
    "matrix": "authorization",
    "slack": "x-slack-signature",
    "teams": "authorization",
    "telegram": "x-telegram-bot-api-secret-token",
    "whatsapp": "x-hub-signature-256",
}
SIGNED_BODIES = ("discord", "slack", "whatsapp")


async def refused(here: Scene, channel: str, signed: Signed, reason: str | None = None) -> None:
    """It is, the sender is not told why, and nothing is stored."""
    before = here.count(f"refused.{reason}")
    answer = await here.post(channel, signed)
    assert (answer.status_code, answer.json()["problem"]) == (401, "not authentic")
    assert await here.stored() == 0
    assert not any(name.startswith("received") for name in here.front.counts)
    if reason is not None:
        assert here.count(f"refused.{reason}") == before + 1


@pytest.mark.parametrize("channel", PLATFORMS)
async def test_authentic(here: Scene, channel: str) -> None:
    """A delivery signed as its platform does it is received, and its route stored."""
    answer = await here.post(channel, PLATFORMS[channel](SAMPLES[channel]))
    assert answer.status_code == 200, answer.text
    assert await here.stored() > 0


@pytest.mark.parametrize("channel", PLATFORMS)
async def test_unsigned(here: Scene, channel: str) -> None:
    """Without its proof it is refused, whatever it holds, and also when the proof is empty."""
    signed = PLATFORMS[channel](SAMPLES[channel])
    await refused(here, channel, signed.without(PROOF[channel]))
    await refused(here, channel, Signed({}, b"\xff not even JSON"))
    await refused(here, channel, signed.having(**{PROOF[channel].replace("-", "_"): ""}))


@pytest.mark.parametrize("channel", PLATFORMS)
@pytest.mark.parametrize(
    "proof", ["wrong", "v0=00", "sha256=00", "Bearer wrong", "Bearer ", "\xff\xfe", "zz" * 64]
)
async def test_wrongly_signed(here: Scene, channel: str, proof: str) -> None:
    """Any other proof is refused."""
    signed = PLATFORMS[channel](SAMPLES[channel])
    headers = {**signed.headers, next(n for n in signed.headers if n.lower() == PROOF[channel]): proof}
    answer = await here.http.post(
        f"/webhooks/{channel}/{INSTANCE}",
        content=signed.body,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    )
    assert answer.status_code == 401
    assert await here.stored() == 0


@pytest.mark.parametrize("channel", SIGNED_BODIES)
async def test_another_body(here: Scene, channel: str) -> None:
    """A signature counts for the bytes that were signed, and no others."""
    await refused(here, channel, PLATFORMS[channel](SAMPLES[channel]).tampered(), "signature")


@pytest.mark.parametrize("sign", [slack, discord])
@pytest.mark.parametrize("age_s", [301, 3_600, -301])
async def test_an_old_timestamp(here: Scene, sign: Callable[..., Signed], age_s: float) -> None:
    """A delivery replayed after the window is refused, and one from the future."""
    await refused(here, sign.__name__, sign(SAMPLES[sign.__name__], time.time() - age_s), "replayed")


@pytest.mark.parametrize("sign", [slack, discord])
async def test_a_replay_within_the_window(here: Scene, sign: Callable[..., Signed]) -> None:
    """The very same delivery counts once."""
    channel = sign.__name__
    signed = sign(SAMPLES[channel])
    assert (await here.post(channel, signed)).status_code == 200
    assert (await here.post(channel, signed)).status_code == 401
    assert here.count("refused.replayed") == 1
    assert here.count("received.accepted") == 1


@pytest.mark.parametrize("sign", [slack, discord])
@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "1" * 13, "٣"])
async def test_no_timestamp(here: Scene, sign: Callable[..., Signed], timestamp: str) -> None:
    """What is no time is refused."""
    channel = sign.__name__
    name = {"slack": "x-slack-request-timestamp", "discord": "x-signature-timestamp"}[channel]
    signed = sign(SAMPLES[channel]).without(name)
    headers = [
        (each.encode(), value.encode()) for each, value in (*signed.headers.items(), (name, timestamp))
    ]
    answer = await here.http.post(f"/webhooks/{channel}/{INSTANCE}", content=signed.body, headers=headers)
    assert answer.status_code == 401
    assert here.count("refused.timestamp") == 1


async def test_a_repeated_delivery_without_timestamp(here: Scene) -> None:
    """Where a platform signs no time, a repeated message is known by its id."""
    for _ in range(2):
        assert (await here.post("whatsapp", PLATFORMS["whatsapp"](WHATSAPP))).status_code == 200
    assert (here.count("received.accepted"), here.count("received.duplicate")) == (2, 2)


async def test_a_forwarder_of_discords_gateway(here: Scene) -> None:
    """Whoever holds the socket cannot sign for Discord, and shows a token of its own."""
    signed = Signed({"Authorization": f"Bearer {SECRETS['forwarder']}"}, json_of(DISCORD))
    await refused(here, "discord", signed.having(authorization="Bearer nonsense"), "token")
    assert (await here.post("discord", signed)).status_code == 200
    assert here.count("received.accepted") == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://else.where"}, "token"),
        ({"iss": None}, "token"),
        ({"aud": "somebody else"}, "token"),
        ({"aud": None}, "token"),
        ({"exp": 1}, "token"),
        ({"exp": None}, "token"),
        ({"nbf": 99_999_999_999}, "token"),
        ({"key_id": "unknown"}, "key"),
        ({"signed_with": "another"}, "token"),
    ],
)
@pytest.mark.parametrize("sign", [teams, gchat])
async def test_tokens(here: Scene, sign: Callable[..., Signed], claims: Any, reason: str) -> None:
    """A token must be of the issuer, for us, of now, and signed with a key that is known."""
    await refused(here, sign.__name__, sign(SAMPLES[sign.__name__], **claims), reason)


@pytest.mark.parametrize("channel", ["teams", "gchat"])
async def test_forged_tokens(here: Scene, channel: str) -> None:
    """The token does not choose how it is checked, and what is none is refused."""
    claims = jwt.decode(token(channel), options={"verify_signature": False})
    public = token_key().public_key().public_numbers().n.to_bytes(256, "big")
    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode().rstrip("=")
    forged = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": "key-1"}),
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": "key-1"}),
        f"{deep}.{deep}.{deep}",
        "a.b.c",
        base64.b64encode(json.dumps({"alg": "RS256", "kid": ["list"]}).encode()).decode() + ".e30.AAAA",
    ]
    for each in forged:
        await refused(here, channel, Signed({"Authorization": f"Bearer {each}"}, json_of(SAMPLES[channel])))


@pytest.mark.parametrize("claims", [{"serviceurl": "https://evil.example/"}, {"serviceurl": None}])
async def test_teams_service_url(here: Scene, claims: Any) -> None:
    """Replies go to the activity's service URL, so it must be the one that was signed."""
    await refused(here, "teams", teams(TEAMS, **claims), "service_url")
    documented = teams(TEAMS, serviceurl=None, serviceUrl=TEAMS["serviceUrl"])
    assert (await here.post("teams", documented)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [{"email": "anybody@project.iam.gserviceaccount.com"}, {"email": None}, {"email_verified": False}],
)
async def test_google_accounts(here: Scene, claims: Any) -> None:
    """Google signs tokens for every account, with any audience: only ours count."""
    await refused(here, "gchat", gchat(GCHAT, **claims), "email")


async def test_google_project_number(secrets: Path) -> None:
    """Chat's own issuer signs for itself, and states no email."""
    issuer = "chat@system.gserviceaccount.com"
    webhooks = {
        "gchat": {
            INSTANCE: {"issuers": [issuer], "audience": "12345", "keys": {"file": str(secrets / "jwks")}}
        }
    }
    async with scene(secrets, webhooks=webhooks) as here:
        signed = gchat(GCHAT, iss=issuer, aud="12345", email=None, email_verified=None)
        assert (await here.post("gchat", signed)).status_code == 200


@pytest.mark.parametrize(
    ("channel", "instance"), [("slack", "nobody"), ("nothing", "bot"), ("slack", "bot%2F..")]
)
async def test_nobody_there(here: Scene, channel: str, instance: str) -> None:
    """Who is not in the settings has no webhook."""
    answer = await here.http.post(f"/webhooks/{channel}/{instance}", content=b"{}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert await here.stored() == 0


async def test_expressly_open(secrets: Path) -> None:
    """An endpoint that was opened takes everything in."""
    webhooks = {channel: {INSTANCE: {"open": True}} for channel in PLATFORMS}
    async with scene(secrets, webhooks=webhooks) as here:
        for channel, payload in SAMPLES.items():
            answer = await here.post(channel, Signed({}, json_of(payload)))
            assert answer.status_code == 200, (channel, answer.text)
        assert here.count("received.accepted") >= len(PLATFORMS)


async def test_one_instance_does_not_vouch_for_another(secrets: Path) -> None:
    """Each has its own secret."""
    bots = {name: {"secret_token": {"file": str(secrets / name)}} for name in ("telegram", "other")}
    async with scene(secrets, webhooks={"telegram": bots}) as here:
        signed = PLATFORMS["telegram"](TELEGRAM)
        assert (await here.post("telegram", signed, "other")).status_code == 401
        assert (await here.post("telegram", signed, "telegram")).status_code == 200
        assert await here.router.get("telegram:telegram:-100:4") is not None
        assert await here.router.get("telegram:other:-100:4") is None


async def test_a_slack_form_is_signed_like_any_body(here: Scene) -> None:
    """The signature is over the form as it was sent."""
    signed = slack(None, form={"command": "/hello", "text": "a b"})
    await refused(here, "slack", signed.tampered(), "signature")
    answer = await here.post("slack", signed)
    assert (answer.status_code, answer.content) == (200, b"")
    assert here.count("ignored.command") == 1


async def test_secrets_stay_secret(here: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """No secret, signature or content is logged or shown when a delivery is refused."""
    signed = PLATFORMS["telegram"](changed(TELEGRAM, message__text="private words"))
    answer = await here.post("telegram", signed.having(x_telegram_bot_api_secret_token="a wrong guess"))
    assert answer.status_code == 401
    shown = caplog.text + answer.text + repr(here.front.settings) + repr(here.front.endpoints)
    assert not any(secret in shown for secret in (*SECRETS.values(), "private words", "a wrong guess"))
    assert "telegram/bot was not authentic: token" in caplog.text
