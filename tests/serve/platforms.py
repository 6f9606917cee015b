"""The platforms' side: their secrets and keys, and deliveries signed as each of them does it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import RSAAlgorithm

INSTANCE = "bot"
SECRETS = {
    "slack": "slack-signing-secret",
    "telegram": "telegram_secret-token",
    "whatsapp": "whatsapp-app-secret",
    "verify": "whatsapp-verify-token",
    "matrix": "matrix-hs-token",
    "forwarder": "discord-forwarder-token",
    "api": "api-token",
    "other": "other-token",
}
AUDIENCE = {"teams": "the-app-id", "gchat": "https://front.example/webhooks/gchat/bot"}
ISSUER = {"teams": "https://api.botframework.com", "gchat": "https://accounts.google.com"}
EMAIL = "chat@system.gserviceaccount.com"
KEY_ID = "key-1"
BEARER = {"Authorization": f"Bearer {SECRETS['api']}"}

Headers = dict[str, str]


class Signed(NamedTuple):
    """A delivery: its headers, and the bytes that they vouch for."""

    headers: Headers
    body: bytes

    def tampered(self) -> Signed:
        """The same signature over another body."""
        return Signed(self.headers, self.body + b" ")

    def without(self, *names: str) -> Signed:
        """The same without some headers."""
        left = {name: value for name, value in self.headers.items() if name.lower() not in names}
        return Signed(left, self.body)

    def having(self, **headers: str) -> Signed:
        """The same with other headers; an underscore is a hyphen."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in changed}
        return Signed({**kept, **changed}, self.body)


@cache
def discord_key() -> Ed25519PrivateKey:
    """The application's key."""
    return Ed25519PrivateKey.generate()


@cache
def token_key(key_id: str = KEY_ID) -> rsa.RSAPrivateKey:
    """An issuer's key."""
    return rsa.generate_private_key(65_537, 2_048)


def published(*key_ids: str) -> dict[str, Any]:
    """A JSON Web Key Set of some keys."""
    return {
        "keys": [
            RSAAlgorithm.to_jwk(token_key(each).public_key(), as_dict=True) | {"kid": each, "use": "sig"}
            for each in key_ids
        ]
    }


def write_secrets(folder: Path) -> None:
    """Each secret in a file of its own, as a cluster mounts them."""
    for name, secret in SECRETS.items():
        (folder / name).write_text(f"{secret}\n")
    (folder / "jwks").write_text(json.dumps(published(KEY_ID)))


def front_settings(folder: Path, **others: Any) -> dict[str, Any]:
    """Settings as a YAML file has them: a bot of each platform, its secrets in files of a folder."""

    def file(name: str) -> dict[str, str]:
        return {"file": str(folder / name)}

    webhooks = {
        "slack": {"signing_secret": file("slack")},
        "telegram": {"secret_token": file("telegram")},
        "discord": {
            "public_key": discord_key().public_key().public_bytes_raw().hex(),
            "forwarder_token": file("forwarder"),
        },
        "whatsapp": {"app_secret": file("whatsapp"), "verify_token": file("verify")},
        "matrix": {"homeserver_token": file("matrix")},
        "teams": {"audience": AUDIENCE["teams"], "keys": file("jwks")},
        "gchat": {"audience": AUDIENCE["gchat"], "keys": file("jwks")},
    }
    return {
        "webhooks": {channel: {INSTANCE: each} for channel, each in webhooks.items()},
        "api_tokens": [file("api")],
        **others,
    }


def token(channel: str, *, key_id: str = KEY_ID, signed_with: str | None = None, **claims: Any) -> str:
    """A token of the channel's issuer for us, good for an hour; a claim of None is left out."""
    usual = {"iss": ISSUER[channel], "aud": AUDIENCE[channel], "exp": int(time.time()) + 3_600}
    if channel == "gchat":
        usual |= {"email": EMAIL, "email_verified": True}
    stated = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(stated, token_key(signed_with or key_id), "RS256", headers={"kid": key_id})


def json_of(payload: object) -> bytes:
    """A body."""
    return json.dumps(payload).encode()


def slack(
    payload: object,
    at: float | None = None,
    *,
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Signed:
    """JSON, a form, or the body of one."""
    is_json = form is None and body is None
    if body is None:
        body = json_of(payload) if form is None else urlencode(form).encode()
    stamp = str(int(time.time() if at is None else at))
    base = f"v0:{stamp}:".encode() + body
    signature = hmac.new(SECRETS["slack"].encode(), base, hashlib.sha256).hexdigest()
    kind = "application/json" if is_json else "application/x-www-form-urlencoded"
    return Signed(
        {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
        },
        body,
    )


def telegram(payload: object) -> Signed:
    return Signed({"X-Telegram-Bot-Api-Secret-Token": SECRETS["telegram"]}, json_of(payload))


def discord(payload: object, at: float | None = None) -> Signed:
    stamp, body = str(int(time.time() if at is None else at)), json_of(payload)
    signature = discord_key().sign(stamp.encode() + body).hex()
    return Signed({"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp}, body)


def whatsapp(payload: object) -> Signed:
    body = json_of(payload)
    signature = hmac.new(SECRETS["whatsapp"].encode(), body, hashlib.sha256).hexdigest()
    return Signed({"X-Hub-Signature-256": f"sha256={signature}"}, body)


def matrix(payload: object) -> Signed:
    return Signed({"Authorization": f"Bearer {SECRETS['matrix']}"}, json_of(payload))


def teams(payload: Any, **claims: Any) -> Signed:
    if isinstance(payload, dict):
        claims = {"serviceurl": payload.get("serviceUrl"), **claims}
    return Signed({"Authorization": f"Bearer {token('teams', **claims)}"}, json_of(payload))


def gchat(payload: object, **claims: Any) -> Signed:
    return Signed({"Authorization": f"Bearer {token('gchat', **claims)}"}, json_of(payload))


PLATFORMS: dict[str, Callable[[Any], Signed]] = {
    "discord": discord,
    "gchat": gchat,
    "matrix": matrix,
    "slack": slack,
    "teams": teams,
    "telegram": telegram,
    "whatsapp": whatsapp,
}


def as_sent(channel: str, payload: Any) -> Signed:
    """A recorded payload as its platform posts it: Slack's interactions and commands are forms."""
    if channel == "slack" and "command" in payload:
        return slack(None, form=payload)
    if channel == "slack" and payload.get("type") == "block_actions":
        return slack(None, form={"payload": json.dumps(payload)})
    return PLATFORMS[channel](payload)
