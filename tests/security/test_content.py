"""Logs, events and metrics have nothing of users in them, whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ray_router import (
    InvalidInputError,
    LocalTransport,
    Route,
    RouterConfig,
    RouterError,
    RouterHandle,
    SessionKey,
)
from ray_router.channels import InboundMessage, InvalidPayloadError, RoomKind, find_channel, place
from ray_router.core.operations import Delete, Get, Group, Report, Resolve, Set
from ray_router.gateway import OutboundGateway
from ray_router.ingest import Admitted, Ingest
from ray_router.telemetry import HandleTelemetry
from ray_router.testing import FaultyTransport, RecordingObserver
from ray_router.transport import Batch

MARK = "marker-7f3a"
KEY = f"tg:bot:{MARK}"
BAD_KEYS = [MARK, f"tg:{MARK}", f"a:b:c:d:{MARK}", f"tg:bot:%zz{MARK}", f"tg:bot:{MARK * 100}"]
BAD_ROUTES = [
    Route(MARK, channel="another"),
    Route(MARK, instance="another"),
    Route(MARK * 1_000),
    Route("room", metadata={MARK: MARK * 500}),
]


@pytest.fixture
def observer() -> RecordingObserver:
    """Keeps every event, of partitions and of the handle."""
    return RecordingObserver()


@pytest.fixture
def transport(observer: RecordingObserver) -> FaultyTransport:
    """Partitions that fail on demand."""
    return FaultyTransport(LocalTransport(RouterConfig(partitions=2), observer=observer))


@pytest.fixture
def router(transport: FaultyTransport, observer: RecordingObserver) -> RouterHandle:
    """A router that knows a session with the marker in it."""
    router = RouterHandle(transport, watching=lambda config: HandleTelemetry(observer, None))
    router.set(KEY, Route(MARK, metadata={"name": MARK})).result()
    return router


@pytest.fixture(autouse=True)
def clean(caplog: pytest.LogCaptureFixture, observer: RecordingObserver) -> Any:
    """Whatever a test does, nothing that was logged or told has the marker in it."""
    caplog.set_level(logging.DEBUG)
    yield
    assert MARK not in caplog.text
    assert observer.events
    assert MARK not in repr(observer.events)


def refused(call: Callable[[], object]) -> None:
    """It is refused, and the error has nothing of the input in it."""
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert MARK not in str(caught.value)


def test_bad_input_in_the_handle(router: RouterHandle) -> None:
    """Each error names the field and the limit."""
    for key in BAD_KEYS:
        refused(lambda key=key: router.set(key, Route("room")).result())  # type: ignore[misc]
        refused(lambda key=key: router.resolve_many([KEY, key]).result())  # type: ignore[misc]
        refused(lambda key=key: router.delete(key).result())  # type: ignore[misc]
    for route in BAD_ROUTES:
        refused(lambda route=route: router.set(KEY, route).result())  # type: ignore[misc]


def test_bad_input_in_the_actor(router: RouterHandle, transport: FaultyTransport) -> None:
    """Whoever calls it past the handle: what is refused there says as little."""
    operations: list[Any] = [Get(key) for key in BAD_KEYS]
    operations += [Set(KEY, route.text, 1.0) for route in BAD_ROUTES]
    operations += [Delete(KEY, MARK), Report(KEY, MARK, MARK, 1.0), Resolve((KEY,), (MARK * 1_000,))]  # type: ignore[arg-type]
    operations += [Set(KEY, MARK, 1.0, MARK), Set(KEY, MARK, MARK), Resolve((MARK,))]  # type: ignore[arg-type]
    fingerprint = router.config.fingerprint
    for operation in operations:
        batch = Batch(1, fingerprint, 0, [Group((operation,))])
        assert MARK not in repr(transport.submit(0, batch).wait(0).results)


def test_replies_that_nobody_waits_for(router: RouterHandle, transport: FaultyTransport) -> None:
    """What they would have raised is logged, without what they were about."""
    for partition in range(2):
        transport.kill(partition)
    router.set(KEY, Route(MARK))
    router.resolve(KEY)
    with pytest.raises(RouterError) as caught:
        router.get(KEY).result()
    assert MARK not in str(caught.value)


async def test_messages_that_come_and_go(router: RouterHandle, caplog: pytest.LogCaptureFixture) -> None:
    """A handler and a sender that fail with the user's own words: what and where is logged, and no more."""

    async def handler(admitted: Admitted) -> None:
        raise ValueError(f"cannot answer {admitted.message.text}")

    class Sender:
        async def send(self, route: Route, payload: object) -> object:
            raise ValueError(f"cannot send {payload} to {route.external_room_id}")

    key, route = place("tg", "bot", MARK)
    message = InboundMessage(key, route, MARK, 1.0, MARK, MARK, RoomKind.GROUP)
    received = await Ingest(router, handler).receive(message)
    assert MARK in str(received.problem)  # for whoever called
    await OutboundGateway(router, {"tg": Sender()}).send(SessionKey.parse(KEY), MARK)  # type: ignore[dict-item]
    assert "the handler failed with ValueError at" in caplog.text


def test_payloads_that_are_broken(router: RouterHandle) -> None:
    """Each channel says which field, and not what was in it."""
    for name in ("telegram", "slack", "discord", "matrix", "whatsapp", "teams", "gchat"):
        for payload in (MARK, {"update_id": MARK, "message": {"chat": MARK, "text": MARK}}, {MARK: MARK}):
            try:
                find_channel(name).parse(payload, "bot")
            except InvalidPayloadError as error:
                assert MARK not in str(error)


def test_snapshots(router: RouterHandle, tmp_path: Path) -> None:
    """Taken, restored, and damaged."""
    taken = router.snapshot(str(tmp_path)).result()
    router.restore(str(tmp_path)).result()
    for path in tmp_path.glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RouterError) as caught:
        router.restore(str(tmp_path)).result()
    assert MARK not in repr(taken) + str(caught.value)
