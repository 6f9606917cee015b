"""The whole loop over HTTP, on a real Ray Serve: webhooks in, routes stored, replies out; with a kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

import httpx
import ray
from channels.test_recorded import FILES, IGNORED, MESSAGES, METADATA, REFUSED, WEBHOOKS, channel_of, recorded
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

from ray_router import Route, RouterConfig, RouterHandle, deploy, shutdown
from ray_router.errors import InvalidConfigError, RouterError
from ray_router.model import SessionKey
from ray_router.runtime.gateway_deployment import deploy_gateway, shutdown_gateway
from ray_router.serve import FrontSettings
from ray_router.serve.deployment import FrontFailedError, from_config, start, stop
from ray_router.testing import wait_until

from . import agent
from .platforms import BEARER, INSTANCE, as_sent, front_settings, telegram

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(not WEBHOOKS.is_dir(), reason=f"no recorded payloads in {WEBHOOKS}"),
]

NAME = "fronted"
NAMESPACE = "fronts"
LARGE = 100_000_000
REPEATED = ("whatsapp/02_image.json", "whatsapp/05_callback_button.json")  # recorded with the id of the first
ANSWERED = [file for file in FILES if file in MESSAGES and file not in REPEATED]
VICTIM = 0


class Running(NamedTuple):
    """A front on Ray Serve, and what stands behind it."""

    url: str
    settings: FrontSettings
    router: RouterHandle
    recorder: Any

    def counts(self) -> Counter[str]:
        """What the one replica counted."""
        return Counter(httpx.get(f"{self.url}/v1/counts", headers=BEARER).raise_for_status().json())

    def sent(self) -> list[agent.Sent]:
        """The replies, in order."""
        sent: list[agent.Sent] = ray.get(self.recorder.sent.remote())
        return sent


def free_port() -> int:
    """A port that nobody listens at."""
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def running(ray_cluster: str, secrets: Path) -> Iterator[Running]:
    """One front, for all tests here: a start of Serve is dear."""
    config = RouterConfig(name=NAME, partitions=2, ttl_s=None, call_timeout_s=0.5)
    router = deploy(config, namespace=NAMESPACE)
    recorder: Any = ray.remote(agent.Recorder)
    there = recorder.options(name=agent.RECORDER, namespace=agent.NAMESPACE, num_cpus=0).remote()
    settings = FrontSettings.build(
        **front_settings(
            secrets,
            router=NAME,
            namespace=NAMESPACE,
            handler=f"{agent.__name__}:make_handler",
            senders=f"{agent.__name__}:make_senders",
            sending={"router_level_every_s": None},
            answer_within_s=30.0,
            port=free_port(),
        )
    )
    url = start(settings)
    yield Running(url, settings, router, there)
    end_serve: Callable[[], None] = serve.shutdown
    end_serve()
    ray.kill(there)
    shutdown(NAME, namespace=NAMESPACE)


def expected(file: str) -> agent.Sent:
    """The reply to a recorded message."""
    key, room, thread, _, _ = MESSAGES[file]
    channel = SessionKey.parse(key).channel
    return agent.Sent(channel, INSTANCE, room, thread, METADATA.get(channel, {}), None)


def test_every_recorded_payload(running: Running) -> None:
    """Signed and posted: its route is stored, and the reply leaves for its very room and thread."""
    with httpx.Client() as http:
        for file in FILES:
            channel = channel_of(file)
            signed = as_sent(channel, recorded(file))
            url = f"{running.url}/webhooks/{channel}/{INSTANCE}"
            answer = http.post(url, content=signed.body, headers=signed.headers)
            if file in REFUSED:
                assert (answer.status_code, answer.json()["field"]) == (400, REFUSED[file])
            else:
                assert answer.status_code == 200, (file, answer.text)
    replies = [sent._replace(payload=None) for sent in running.sent()]
    assert replies == [expected(file) for file in ANSWERED]
    for key, room, thread, *_ in MESSAGES.values():
        answer = httpx.get(f"{running.url}/v1/resolve", params={"key": key}, headers=BEARER).json()
        assert (answer["route"]["external_room_id"], answer["route"]["external_thread_id"]) == (room, thread)
        assert answer["source"] == "exact"
        assert answer["confidence"] in ("observed", "confirmed")
    counts = running.counts()
    assert (counts["received.accepted"], counts["received.duplicate"]) == (len(ANSWERED), len(REPEATED))
    assert counts["broken"] == len(REFUSED)
    assert sum(counts[name] for name in counts if name.startswith("ignored")) == sum(
        map(len, IGNORED.values())
    )
    written = [counts[f"route.{outcome}"] for outcome in ("stored", "refreshed", "superseded")]
    assert sum(written) == len(ANSWERED)


def test_what_is_not_let_in(running: Running) -> None:
    """Unsigned, wrongly signed, replayed and huge: refused over the wire, and nothing is stored."""
    before = running.router.stats().result().holdings.entries
    sent = len(running.sent())
    url = f"{running.url}/webhooks/telegram/{INSTANCE}"
    message: dict[str, Any] = {"message_id": 1, "date": 1, "chat": {"id": 77, "type": "private"}}
    signed = telegram({"update_id": 1, "message": message})
    assert httpx.post(url, content=signed.body).status_code == 401
    wrong = signed.having(x_telegram_bot_api_secret_token="wrong")
    assert httpx.post(url, content=wrong.body, headers=wrong.headers).status_code == 401
    old = as_sent("slack", recorded("slack/01_channel_message_root.json"))
    old = old.having(X_Slack_Request_Timestamp="1767224888")
    slack = f"{running.url}/webhooks/slack/{INSTANCE}"
    assert httpx.post(slack, content=old.body, headers=old.headers).status_code == 401
    stated = httpx.post(url, content=b"x" * LARGE, headers=signed.headers)
    assert stated.status_code == 413
    chunk = b"x" * 1_000_000
    streamed = httpx.post(url, content=(chunk for _ in range(LARGE // len(chunk))), headers=signed.headers)
    assert streamed.status_code == 413
    api = httpx.post(f"{running.url}/v1/report", content=b"x" * LARGE, headers=BEARER)
    assert api.status_code == 413
    assert running.router.stats().result().holdings.entries == before
    assert len(running.sent()) == sent


class Load:
    """Users who write through the front, each as soon as the last message is answered."""

    def __init__(self, running: Running, users: int) -> None:
        self._url = f"{running.url}/webhooks/telegram/{INSTANCE}"
        self._users = users
        self._numbers = 0
        self.statuses: Counter[int] = Counter()

    async def round(self, http: httpx.AsyncClient) -> None:
        """Every user writes once."""
        await asyncio.gather(*(self._write(http, 10_000 + user) for user in range(self._users)))

    async def _write(self, http: httpx.AsyncClient, user: int) -> None:
        self._numbers += 1
        chat = {"id": user, "type": "private"}
        at = 1_700_000_000 + self._numbers
        message = {"message_id": self._numbers, "date": at, "chat": chat, "text": "hello"}
        signed = telegram({"update_id": self._numbers, "message": message})
        answer = await http.post(self._url, content=signed.body, headers=signed.headers)
        self.statuses[answer.status_code] += 1


async def test_a_partition_killed_under_load(running: Running) -> None:
    """Inbound goes on, replies leave along the messages' own routes, and all of it is counted."""
    before, sent = await asyncio.to_thread(running.counts), len(await asyncio.to_thread(running.sent))
    answered, down = await running.recorder.counts.remote()
    load = Load(running, users=20)

    async def unavailable() -> int:
        return int((await running.recorder.counts.remote())[1]) - int(down)

    async with httpx.AsyncClient(timeout=60.0) as http:
        await load.round(http)
        assert await unavailable() == 0
        stats = await running.router.stats()
        os.kill(stats.partitions[VICTIM].pid, signal.SIGKILL)
        while not await unavailable():
            await load.round(http)
        while True:
            so_far = await unavailable()
            await load.round(http)
            if await unavailable() == so_far and not (await running.router.stats()).down:
                break
    messages = load.statuses.total()
    assert load.statuses == {200: messages}
    counts = await asyncio.to_thread(running.counts)
    counts.subtract(before)
    assert counts["received.accepted"] == messages
    assert sum(counts[name] for name in counts if name.startswith("route.")) == messages
    replies = (await asyncio.to_thread(running.sent))[sent:]
    assert len({each.payload["to"] for each in replies}) == len(replies) == messages
    results, _ = await running.recorder.counts.remote()
    assert results - answered == messages


def test_replies_through_a_deployed_gateway(running: Running) -> None:
    """Then the senders are in its lanes, and the front names it alone."""
    deploy_gateway(
        "lanes", 1, NAME, senders=f"{agent.__name__}:make_senders", namespace=NAMESPACE, num_cpus=0.0
    )
    settings = running.settings.model_copy(
        update={"name": "laned", "route_prefix": "/laned", "gateway": "lanes", "senders": None}
    )
    url = start(settings)
    try:
        message = {"message_id": 1, "date": 1, "chat": {"id": 99, "type": "private"}, "text": "hello"}
        signed = telegram({"update_id": 1, "message": message})
        answer = httpx.post(
            f"{url}/webhooks/telegram/{INSTANCE}", content=signed.body, headers=signed.headers
        )
        assert answer.status_code == 200
        assert running.sent()[-1].room == "99"
    finally:
        stop(settings.name)
        shutdown_gateway("lanes", namespace=NAMESPACE)


def test_a_router_that_is_not_there(running: Running, secrets: Path) -> None:
    """The front starts all the same: /v1 says 503, what comes in is received, and its route is not kept."""
    other = running.settings.model_copy(
        update={"name": "orphan", "router": "nobody", "route_prefix": "/orphan"}
    )
    url = start(other)
    try:
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{url}/readyz").json() == {"ready": True, "router": "down"}
        answer = httpx.get(f"{url}/v1/resolve", params={"key": "a:b:c"}, headers=BEARER)
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        message = {"message_id": 9, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "hello"}
        signed = telegram({"update_id": 1, "message": message})
        answer = httpx.post(
            f"{url}/webhooks/telegram/{INSTANCE}", content=signed.body, headers=signed.headers
        )
        assert answer.status_code == 200
        counts = httpx.get(f"{url}/v1/counts", headers=BEARER).json()
        assert (counts["received.accepted"], counts["route.unavailable"]) == (1, 1)
    finally:
        stop(other.name)


def test_a_serve_config_file(running: Running) -> None:
    """Serve makes the front itself, of the settings in such a file; it answers for the same routes."""
    args = running.settings.model_dump(mode="json", exclude_unset=True)
    args = {field: args[field] for field in args.keys() - {"port"}}
    application = {
        "name": "filed",
        "route_prefix": "/filed",
        "import_path": "ray_router.serve.deployment:from_config",
        "args": args,
    }
    client = _get_global_client()
    assert client is not None
    client.deploy_apps(ServeDeploySchema.model_validate({"applications": [application]}), _blocking=True)
    url = f"{running.url}/filed"
    try:
        wait_until(lambda: httpx.get(f"{url}/healthz").status_code == 200)  # the proxy hears of it last
        running.router.set("telegram:bot:filed", Route("1")).result()
        answer = httpx.get(f"{url}/v1/resolve", params={"key": "telegram:bot:filed"}, headers=BEARER).json()
        assert answer["route"]["external_room_id"] == "1"
    finally:
        stop("filed")


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"port": 8000}, "port: is said by the Serve config itself"),
        ({"name": "front"}, "name: is said by the Serve config itself"),
        ({"replicas": 0}, "replicas: Input should be greater than or equal to 1"),
        ({"router": "chat", "colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_a_serve_config_file_with_settings_that_are_none(args: dict[str, Any], problem: str) -> None:
    """They are named, those of Serve's own among them: it would go by its own alone."""
    with pytest.raises(InvalidConfigError, match=problem):
        from_config(args)


def test_settings_that_do_not_work_in_the_cluster(running: Running, tmp_path: Path) -> None:
    """They are named before anything is started, and the running front is left alone."""
    missing = front_settings(tmp_path)
    with pytest.raises(
        InvalidConfigError, match=r"webhooks.discord.bot.forwarder_token: file .* cannot be read"
    ):
        start(FrontSettings.build(**missing, port=running.settings.port))
    nothing = running.settings.model_copy(update={"handler": "no_such_module:make", "name": "another"})
    with pytest.raises(InvalidConfigError, match="handler: 'no_such_module:make' failed: ModuleNotFound"):
        start(nothing)
    elsewhere = running.settings.model_copy(update={"port": free_port(), "name": "another"})
    with pytest.raises(InvalidConfigError, match="Ray Serve runs in this cluster already"):
        start(elsewhere)
    too_much = running.settings.model_copy(
        update={"num_cpus": 1_000.0, "name": "another", "route_prefix": "/another", "start_timeout_s": 0.5}
    )
    with pytest.raises(FrontFailedError, match="could not be placed in time"):
        start(too_much)
    no_gateway = running.settings.model_copy(update={"gateway": "nobody", "senders": None})
    with pytest.raises(RouterError, match="no gateway 'nobody'"):
        start(no_gateway)
    assert httpx.get(f"{running.url}/healthz").json() == {"status": "ok"}
