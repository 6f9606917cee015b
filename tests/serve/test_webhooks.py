"""What becomes of authentic deliveries, and how each platform is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from channels.samples import (
    DISCORD_PRESS,
    GCHAT,
    MATRIX,
    SLACK,
    SLACK_PRESS,
    TEAMS,
    TELEGRAM,
    WHATSAPP,
    changed,
)
from channels.test_recorded import FILES, IGNORED, MESSAGES, REFUSED, WEBHOOKS, channel_of, recorded

from ray_router.config import RouterConfig
from ray_router.handle import RouterHandle
from ray_router.model import SessionKey
from ray_router.testing import FaultyTransport
from ray_router.transport import LocalTransport

from . import agent
from .platforms import INSTANCE, PLATFORMS, SECRETS, as_sent, discord, matrix, slack, teams, telegram
from .scene import Scene, scene

FAILING = f"{agent.__name__}:make_failing_handler"


def room(number: int, message: int = 1, user: int = 7) -> dict[str, Any]:
    """A message to a room of Telegram's."""
    return {
        "update_id": message,
        "message": {
            "message_id": message,
            "date": 1_569_518_342 + message,
            "chat": {"id": number, "type": "private"},
            "from": {"id": user},
            "text": "hi",
        },
    }


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason=f"no recorded payloads in {WEBHOOKS}")
@pytest.mark.parametrize("file", FILES)
async def test_recorded(here: Scene, file: str) -> None:
    """Every recorded payload, as its platform posts it, gives its route, its reason or its broken field."""
    channel = channel_of(file)
    answer = await here.post(channel, as_sent(channel, recorded(file)))
    if file in REFUSED:
        assert (answer.status_code, answer.json()["field"]) == (400, REFUSED[file])
        assert await here.stored() == 0
        return
    assert answer.status_code == 200
    for reason in IGNORED.get(file, ()):
        assert here.count(f"ignored.{reason.value}") > 0
    assert await here.stored() == (file in MESSAGES)
    if file in MESSAGES:
        key, external_room, thread, *_ = MESSAGES[file]
        record = await here.router.get(key)
        assert record is not None
        assert (record.route.external_room_id, record.route.external_thread_id) == (external_room, thread)


async def test_slack_challenge(here: Scene) -> None:
    """Answered after the signature was checked, and only then."""
    signed = slack({"type": "url_verification", "challenge": "c\ud800"})
    assert (await here.post("slack", signed.without("x-slack-signature"))).status_code == 401
    answer = await here.post("slack", signed)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c?"})
    odd = await here.post("slack", slack({"type": "url_verification"}))
    assert (odd.status_code, here.count("ignored.challenge")) == (200, 1)


async def test_discord_ping(here: Scene) -> None:
    """PING is answered by PONG; a wrong signature, which Discord tries, by 401."""
    signed = discord({"type": 1})
    assert (await here.post("discord", signed.tampered())).status_code == 401
    answer = await here.post("discord", signed)
    assert (answer.status_code, answer.json(), here.count("challenged")) == (200, {"type": 1}, 1)


async def test_whatsapp_verification(here: Scene) -> None:
    """The challenge, as plain text, to whoever knows the token."""
    url = f"/webhooks/whatsapp/{INSTANCE}"
    asked = {"hub.mode": "subscribe", "hub.verify_token": SECRETS["verify"], "hub.challenge": "<b>1158201444"}
    answer = await here.http.get(url, params=asked)
    assert (answer.status_code, answer.text) == (200, "<b>1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "guess"}, {"hub.mode": "unsubscribe"}, {"hub.verify_token": ""}):
        assert (await here.http.get(url, params=asked | wrong)).status_code == 401
    assert (await here.http.get(url)).status_code == 401
    assert (await here.http.get(url, params=asked | {"hub.challenge": "x" * 1_001})).status_code == 422
    assert (await here.http.get(f"/webhooks/slack/{INSTANCE}", params=asked)).status_code == 404
    assert (await here.http.get("/webhooks/whatsapp/nobody", params=asked)).status_code == 404


async def test_whatsapp_without_a_verify_token(secrets: Path) -> None:
    """Nobody can know a token that is not there."""
    webhooks = {"whatsapp": {INSTANCE: {"app_secret": {"file": str(secrets / "whatsapp")}}}}
    async with scene(secrets, webhooks=webhooks) as here:
        asked = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
        assert (await here.http.get(f"/webhooks/whatsapp/{INSTANCE}", params=asked)).status_code == 401


@pytest.mark.parametrize(
    ("channel", "payload", "answered"),
    [
        ("slack", SLACK, b""),
        ("slack", SLACK_PRESS, b""),
        ("discord", DISCORD_PRESS, b'{"type":6}'),
        ("discord", {"type": 2, "id": "1"}, b"{}"),
        ("telegram", TELEGRAM, b"{}"),
        ("gchat", GCHAT, b"{}"),
        ("matrix", MATRIX, b"{}"),
        ("teams", TEAMS, b"{}"),
    ],
)
async def test_acknowledgements(here: Scene, channel: str, payload: Any, answered: bytes) -> None:
    """In the form that the platform expects, and in no other that it might act upon."""
    answer = await here.post(channel, as_sent(channel, payload))
    assert (answer.status_code, answer.content) == (200, answered)


async def test_a_pressed_card_of_teams_is_answered(here: Scene) -> None:
    """Or its user sees an error."""
    pressed = changed(TEAMS, type="invoke") | {"name": "adaptiveCard/action"}
    answer = (await here.post("teams", teams(pressed))).json()
    assert (answer["statusCode"], answer["type"]) == (200, "application/vnd.microsoft.activity.message")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5_000, b"null", b"[]", b"3", b'"x"']
)
@pytest.mark.parametrize("channel", ["telegram", "matrix"])
async def test_broken_bodies(here: Scene, channel: str, body: bytes) -> None:
    """Authentic, and yet nothing that can be read: refused, naming what is wrong."""
    answer = await here.post(channel, PLATFORMS[channel]({})._replace(body=body))
    assert (answer.status_code, answer.json()["error"]) == (400, "broken")
    assert await here.stored() == 0


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"payload": "{"}, "payload"),
        ({f"f{number}": "" for number in range(101)}, "body"),
        ({"command": "/x", "\U0001f600": "ok"}, None),
        ({"unknown": "1"}, "type"),
    ],
)
async def test_broken_forms(here: Scene, form: dict[str, str], field: str | None) -> None:
    """A form must be one of Slack's."""
    answer = await here.post("slack", slack(None, form=form))
    assert answer.status_code == (200 if field is None else 400)
    assert field is None or answer.json()["field"] == field


async def test_a_form_that_is_no_text(here: Scene) -> None:
    """Signed all the same."""
    answer = await here.post("slack", slack(None, body=b"payload=\xff"))
    assert (answer.status_code, answer.json()["field"]) == (400, "body")


async def test_a_homeserver_pushes_transactions(here: Scene) -> None:
    """By the paths of the application service API; what is broken in one is passed over."""
    broken = {"type": "m.room.message", "content": {}, "room_id": "!r:s", "event_id": "$x", "sender": "@u:s"}
    events = [broken, MATRIX, 7, changed(MATRIX, event_id="$later", origin_server_ts=1520372800470)]
    url = f"/webhooks/matrix/{INSTANCE}/_matrix/app/v1/transactions/1"
    signed = matrix({"events": events})
    assert (await here.http.put(url, content=signed.body)).status_code == 401
    answer = await here.http.put(url, content=signed.body, headers=signed.headers)
    assert (answer.status_code, answer.json()) == (200, {})
    assert here.count("received.accepted") == 2
    record = await here.router.get(SessionKey("matrix", INSTANCE, "!room:server.org", "$root"))
    assert record is not None
    assert record.observed_at == 1520372800.470


async def test_duplicates_and_denials_are_not_delivered_again(secrets: Path) -> None:
    """They are answered like what was accepted, and write nothing."""
    async with scene(secrets, gaters=f"{agent.__name__}:make_gaters") as here:
        for _ in range(2):
            assert (await here.post("telegram", telegram(room(1)))).status_code == 200
        assert (await here.post("telegram", telegram(room(2, user=42)))).status_code == 200
        assert here.count("received.duplicate") == here.count("received.denied") == 1
        assert await here.stored() == 1


async def test_a_failing_handler(secrets: Path) -> None:
    """The platform is to deliver it again: no route, no 5xx, and no word of what went wrong."""
    async with scene(secrets, handler=FAILING) as here:
        for _ in range(2):
            answer = await here.post("telegram", telegram(room(1)))
            assert (answer.status_code, answer.json()["error"]) == (424, "handler_failed")
            assert "disk" not in answer.text
        assert here.count("received.failed") == 2
        assert await here.stored() == 0
        # A homeserver would deliver nothing else until this one is taken.
        assert (await here.post("matrix", matrix(MATRIX))).status_code == 200


async def test_no_room(secrets: Path) -> None:
    """Refused at once, with when to try again."""
    async with scene(secrets, ingest={"max_in_progress": 1}) as here:
        gate = asyncio.Event()

        async def wait(admitted: object) -> None:
            await gate.wait()

        here.front._ingest._handler = wait
        first = asyncio.create_task(here.post("telegram", telegram(room(1))))
        while not here.front._ingest._receiving:
            await asyncio.sleep(0)
        answer = await here.post("telegram", telegram(room(2)))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        gate.set()
        assert (await first).status_code == 200


async def test_a_slow_handler(secrets: Path) -> None:
    """The platform is answered in time, and the work is done all the same."""
    async with scene(secrets, answer_within_s=0.01) as here:
        gate = asyncio.Event()

        async def wait(admitted: object) -> None:
            await gate.wait()

        here.front._ingest._handler = wait
        assert (await here.post("telegram", telegram(room(1)))).status_code == 202
        assert (await here.post("slack", slack(SLACK))).status_code == 202
        pressed = await here.post("discord", discord(DISCORD_PRESS))
        assert (pressed.status_code, pressed.json()) == (200, {"type": 6})
        assert await here.stored() == 0
        gate.set()
        await here.front.aclose()
        assert (here.count("received.accepted"), await here.stored()) == (3, 3)


async def test_order_within_a_session(secrets: Path) -> None:
    """Messages of one delivery are received one after the other where they are of one session."""
    async with scene(secrets) as here:
        running: list[str] = []
        most: dict[str, int] = {}
        seen: list[str] = []

        async def handler(admitted: Any) -> None:
            session = str(admitted.message.key)
            running.append(session)
            most[session] = max(most.get(session, 0), running.count(session))
            await asyncio.sleep(0)
            seen.append(admitted.message.message_id)
            running.remove(session)

        here.front._ingest._handler = handler
        events = [
            changed(MATRIX, event_id=f"${number}", room_id=f"!{number % 3}:s", content__body=str(number))
            for number in range(12)
        ]
        assert (await here.post("matrix", matrix({"events": events}))).status_code == 200
        assert set(most.values()) == {1}
        for number in range(3):
            of_room = [each for each in seen if int(each[1:]) % 3 == number]
            assert of_room == sorted(of_room, key=lambda each: int(each[1:]))


async def test_a_batch(here: Scene) -> None:
    """All messages of a delivery are received, and each is counted."""
    assert (await here.post("whatsapp", PLATFORMS["whatsapp"](WHATSAPP))).status_code == 200
    assert (here.count("received.accepted"), here.count("ignored.status")) == (2, 1)


async def test_inbound_goes_on_without_the_router(secrets: Path) -> None:
    """The message is received, its route is not, and that is counted."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, ttl_s=None, call_timeout_s=0.05)))
    async with scene(secrets, router=RouterHandle(transport)) as here:
        await here.post("telegram", telegram(room(1)))
        assert (await here.http.get("/readyz")).json() == {"ready": True, "router": "up"}
        transport.kill(0)
        answer = await here.post("telegram", telegram(room(2)))
        assert answer.status_code == 200
        assert (here.count("received.accepted"), here.count("route.unavailable")) == (2, 1)


@pytest.mark.parametrize("size", [1_025, 10_000_000])
@pytest.mark.parametrize("streamed", [False, True])
async def test_large_bodies(secrets: Path, size: int, streamed: bool) -> None:
    """Refused at the limit, however they come, without the rest being read."""
    async with scene(secrets, max_body_bytes=1_024) as here:
        taken = 0

        async def chunks() -> Any:
            nonlocal taken
            for _ in range(0, size, 512):
                taken += 512
                yield b"x" * 512

        for url in (f"/webhooks/telegram/{INSTANCE}", "/v1/report"):
            taken = 0
            headers = {"X-Telegram-Bot-Api-Secret-Token": SECRETS["telegram"]}
            headers |= {"Authorization": f"Bearer {SECRETS['api']}"}
            content = chunks() if streamed else b"x" * size
            answer = await here.http.post(url, content=content, headers=headers)
            assert answer.status_code == 413
            assert taken <= 2_048
        assert await here.stored() == 0


async def test_a_route_that_the_router_refuses(here: Scene) -> None:
    """A key that is too long for the router: the message is received, and the refusal counted."""
    long = changed(MATRIX, room_id="!" + "x" * 600)
    assert (await here.post("matrix", matrix(long))).status_code == 200
    assert (here.count("received.accepted"), here.count("route.refused")) == (1, 1)
