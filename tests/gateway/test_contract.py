"""What holds for a gateway wherever it runs: in this process, and as actors on Ray."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from functools import partial
from random import Random
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from ray_router import RouterConfig, RouterHandle
from ray_router.core.slots import slot_function
from ray_router.errors import InvalidCallError, InvalidKeyError, InvalidRouteError
from ray_router.gateway import (
    AttemptOutcome,
    Gateway,
    GatewayOverloadedError,
    GatewaySettings,
    NoSenderError,
    OutboundGateway,
    Priority,
    SendOutcome,
    SendResult,
)
from ray_router.model import Confidence, FallbackReason, PressureLevel, ResolutionSource, Route
from ray_router.testing import local_router

from . import senders
from .senders import Script, job

LANES = 2
SETTINGS = GatewaySettings(
    backoff_first_s=0.001, backoff_cap_s=0.01, max_retries=4, max_pending_per_session=30
)
CONFIG = RouterConfig(name="contract", partitions=2, ttl_s=600.0)

_numbers = itertools.count()


class Subject(NamedTuple):
    """A gateway and its router, wherever they run."""

    router: RouterHandle
    gateway: Gateway

    def send(
        self, room: str, script: Script | None = None, *more: Any, **wishes: Any
    ) -> asyncio.Future[SendResult]:
        """Submit a message to the session of a room, now; the future is its result."""
        payload = job(next(_numbers), script)
        return asyncio.ensure_future(self.gateway.send(f"tg:bot:{room}", payload, *more, **wishes))

    async def knows(self, room: str, *routes: str) -> None:
        """Each route of the room's session was observed after the one before."""
        for route in routes:
            await self.router.set(f"tg:bot:{room}", Route(route))


def rooms() -> Iterator[str]:
    """Rooms that no other test uses, all of one lane."""
    lane = slot_function("room")
    return (room for room in map("room {}".format, _numbers) if lane(f"tg:bot:{room}") % LANES == 0)


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return next(rooms())


@pytest.fixture(scope="session")
def deployed(ray_cluster: str) -> Iterator[Subject]:
    """A gateway on Ray that the tests share."""
    from ray_router.runtime import deploy, shutdown
    from ray_router.runtime.gateway_deployment import deploy_gateway, shutdown_gateway

    namespace = "gateway_contract"
    router = deploy(CONFIG, namespace=namespace)
    gateway = deploy_gateway(
        "contract",
        LANES,
        CONFIG.name,
        senders=f"{senders.__name__}:make",
        settings=SETTINGS,
        namespace=namespace,
    )
    yield Subject(router, gateway)
    shutdown_gateway("contract", namespace=namespace, drain_s=0.0)
    shutdown(CONFIG.name, namespace=namespace)


@pytest_asyncio.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """A gateway of each kind in turn."""
    if request.param == "ray":
        yield request.getfixturevalue("deployed")
        return
    router = local_router(CONFIG)
    async with OutboundGateway(router, senders.make(), settings=SETTINGS) as gateway:
        yield Subject(router, gateway)


async def test_delivered_and_confirmed(subject: Subject, room: str) -> None:
    """A message goes along the session's route, and its delivery confirms it."""
    await subject.knows(room, f"{room} a")
    result = await subject.send(room)
    assert result.delivered
    assert (result.route, result.message_id, result.reports_written) == (Route(f"{room} a"), "1", 1)
    assert result.resolution is not None
    assert result.resolution.confidence is Confidence.OBSERVED
    again = await subject.send(room)
    assert again.resolution is not None
    assert (again.resolution.source, again.resolution.confidence) == (
        ResolutionSource.EXACT,
        Confidence.CONFIRMED,
    )


async def test_no_route(subject: Subject, room: str) -> None:
    """Nothing known, nothing sent."""
    result = await subject.send(room)
    assert (result.outcome, result.attempts) == (SendOutcome.NO_ROUTE, ())
    assert result.resolution is not None and result.resolution.reason is FallbackReason.MISS
    sure = await subject.send(room, None, [Route("x")], min_confidence=Confidence.OBSERVED)
    assert sure.outcome is SendOutcome.NO_ROUTE


async def test_primary_fails_alternate_delivers(subject: Subject, room: str) -> None:
    """A permanent failure leads to the next candidate at once, and the next send starts there."""
    bad, good = f"{room} bad", f"{room} good"
    await subject.knows(room, good, bad)
    result = await subject.send(room, {bad: ["permanent"]})
    assert [(each.route, each.outcome) for each in result.attempts] == [
        (Route(bad), AttemptOutcome.PERMANENT),
        (Route(good), AttemptOutcome.DELIVERED),
    ]
    again = await subject.send(room)
    assert len(again.attempts) == 1
    assert again.resolution is not None
    assert (again.resolution.source, again.resolution.reason, again.resolution.confidence) == (
        ResolutionSource.ALTERNATE,
        FallbackReason.FAILED,
        Confidence.CONFIRMED,
    )


async def test_moved(subject: Subject, room: str) -> None:
    """A move is followed once, and remembered."""
    old, new = f"{room} old", f"{room} new"
    await subject.knows(room, old)
    result = await subject.send(room, {old: [f"moved:{new}"]})
    assert [each.outcome for each in result.attempts] == [AttemptOutcome.MOVED, AttemptOutcome.DELIVERED]
    again = await subject.send(room)
    assert [each.route for each in again.attempts] == [Route(new)]
    assert again.resolution is not None and again.resolution.confidence is Confidence.CONFIRMED


async def test_retried(subject: Subject, room: str) -> None:
    """Temporary failures are retried, so often and no more."""
    place = f"{room} a"
    await subject.knows(room, place)
    result = await subject.send(room, {place: ["retryable", "oserror", "retryable:0"]})
    assert result.delivered
    assert [each.retry for each in result.attempts] == [0, 1, 2, 3]
    failed = await subject.send(room, {place: ["retryable"] * 9})
    assert (failed.outcome, len(failed.attempts)) == (SendOutcome.RETRIES_EXHAUSTED, 5)


async def test_message_refused(subject: Subject, room: str) -> None:
    """A message that no route would take blames none; so does a bug in the sender."""
    place = f"{room} a"
    await subject.knows(room, place)
    for step in ("refused", "typeerror", "nonsense"):
        result = await subject.send(room, {place: [step]})
        assert (result.outcome, result.reports_written) == (SendOutcome.MESSAGE_REFUSED, 0)
    assert (await subject.send(room)).delivered


async def test_order_within_a_session(subject: Subject, room: str) -> None:
    """A session's messages leave in the order in which they were submitted, whatever happens to each."""
    place = f"{room} a"
    await subject.knows(room, place)
    random = Random(room)
    scripts = [random.choices(["pause", "retryable", "oserror"], k=random.randrange(3)) for _ in range(30)]
    results = await asyncio.gather(*[subject.send(room, {place: script}) for script in scripts])
    assert [result.message_id for result in results] == [str(number + 1) for number in range(30)]


async def test_order_of_many_sessions(subject: Subject) -> None:
    """So do those of many sessions at once, with payloads of all sizes."""
    chosen = list(itertools.islice(rooms(), 10))
    for room in chosen:
        await subject.knows(room, f"{room} a")
    submitted: dict[str, list[asyncio.Future[SendResult]]] = {room: [] for room in chosen}
    for number in range(20):
        for room in chosen:
            big = {"ballast": ["x" * 150_000]} if (number + len(room)) % 5 == 0 else {}
            submitted[room].append(subject.send(room, big))
    for sends in submitted.values():
        results = await asyncio.gather(*sends)
        assert [result.message_id for result in results] == [str(number + 1) for number in range(20)]


async def test_sessions_do_not_wait_for_each_other(subject: Subject) -> None:
    """A message may wait for one of another session of its lane."""
    one, two = itertools.islice(rooms(), 2)
    await subject.knows(one, f"{one} a")
    await subject.knows(two, f"{two} a")
    waiting = subject.send(one, {f"{one} a": [f"wait:{one}"]})
    opening = subject.send(two, {f"{two} a": [f"open:{one}"]})
    assert all(await asyncio.gather(waiting, opening))


async def test_full_session(subject: Subject) -> None:
    """When a session's share is taken the next message is refused at once, until there is room again."""
    full, other = itertools.islice(rooms(), 2)
    place = f"{full} a"
    await subject.knows(full, place)
    most = SETTINGS.max_pending_per_session
    held = [subject.send(full, {place: [f"wait:{full}"]})]
    held += [subject.send(full) for _ in range(most - 1)]
    with pytest.raises(GatewayOverloadedError, match=f"the limit is {most}") as caught:
        await subject.send(full, priority=Priority.HIGH)
    assert (caught.value.priority, caught.value.level) == (Priority.HIGH, PressureLevel.NORMAL)
    await subject.knows(other, f"{other} a")
    assert await subject.send(other, {f"{other} a": [f"open:{full}"]})
    results = await asyncio.gather(*held)
    assert [result.message_id for result in results] == [str(number + 1) for number in range(most)]
    assert await subject.send(full)


async def test_idempotency(subject: Subject, room: str) -> None:
    """A repeat gets the first result, during and after; a failure is not remembered."""
    place = f"{room} a"
    await subject.knows(room, place)
    results = await asyncio.gather(*[subject.send(room, {place: ["pause"]}, (), "once") for _ in range(4)])
    assert results == [results[0]] * 4
    assert await subject.send(room, None, (), "once") == results[0]
    assert results[0].message_id == "1"
    assert not await subject.send(room, {place: ["refused"]}, (), "twice")
    assert (await subject.send(room, None, (), "twice")).message_id == "2"


async def test_bad_input(subject: Subject, room: str) -> None:
    """What cannot be accepted names its field."""
    send = partial(subject.gateway.send, f"tg:bot:{room}", job(1))

    async def refused(submit: Any, error: type[Exception], field: str) -> None:
        with pytest.raises(error, match=field):
            await submit()

    await refused(lambda: subject.gateway.send("tg", job(1)), InvalidKeyError, "key")
    await refused(lambda: send([room]), InvalidRouteError, r"fallbacks\[0\]")  # type: ignore[list-item]
    await refused(lambda: send((), ""), InvalidCallError, "idempotency_key")
    await refused(lambda: send(priority=9), InvalidCallError, "priority")  # type: ignore[arg-type]
    await refused(lambda: send([Route("x")] * 33), InvalidCallError, "fallbacks")
    await refused(lambda: subject.gateway.send("irc:bot:room", job(1)), NoSenderError, "irc")
    assert (await subject.send(room)).outcome is SendOutcome.NO_ROUTE
