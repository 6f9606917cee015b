"""A gateway on Ray: deployment, handles, and what the death of its actors means."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import ray

from ray_router import RouterConfig, RouterHandle
from ray_router.core.slots import slot_function
from ray_router.errors import InvalidConfigError, RouterError
from ray_router.gateway import (
    Delivered,
    GatewayMismatchError,
    GatewayNotFoundError,
    GatewayOverloadedError,
    GatewaySettings,
    GatewayUnavailableError,
    OutcomeUnknownError,
    SendOutcome,
    SendResult,
    Verdict,
)
from ray_router.model import Route
from ray_router.runtime import deploy, gateway_handle, shutdown
from ray_router.runtime.gateway_actor import GatewayPlan, factory_name, lane_name, lane_of
from ray_router.runtime.gateway_deployment import connect_gateway, deploy_gateway, shutdown_gateway
from ray_router.runtime.gateway_handle import GatewayHandle
from ray_router.runtime.naming import partition_of

from . import senders
from .senders import job

pytestmark = pytest.mark.ray

FACTORY = f"{senders.__name__}:make"
HERE = Route("here")
QUICK = GatewaySettings(backoff_first_s=0.001, backoff_cap_s=0.01, drain_s=5.0)


@pytest.fixture(scope="module")
def router(ray_cluster: str) -> Iterator[RouterHandle]:
    """A router for the gateways of this module; they find it by its name and namespace."""
    yield deploy(RouterConfig(name="beside", partitions=1), namespace="gateways")
    shutdown("beside", namespace="gateways")


@pytest.fixture
def deployed(router: RouterHandle, request: pytest.FixtureRequest) -> Iterator[partial[GatewayHandle]]:
    """Deploys gateways of the test's own name, and ends them."""
    name = f"gw{abs(hash(request.node.name)) % 10**9}"
    yield partial(
        deploy_gateway, name, router_name="beside", senders=FACTORY, settings=QUICK, namespace="gateways"
    )
    if name in [each["name"].split(":")[1] for each in ray.util.list_named_actors(all_namespaces=True)]:
        shutdown_gateway(name, namespace="gateways", drain_s=0.0)


def pid_of(handle: GatewayHandle, lane: int = 0) -> int:
    """The process of a lane's actor."""

    def pid(_: Any) -> int:
        return os.getpid()

    actor = ray.get_actor(lane_name(handle.plan.name, lane), namespace=handle.plan.namespace)
    return int(ray.get(actor.__ray_call__.remote(pid)))


def room_of(lane: int, lanes: int) -> str:
    """A session of a lane."""
    slot_of = slot_function("room")
    return next(
        key for key in (f"tg:bot:{number}" for number in range(10_000)) if slot_of(key) % lanes == lane
    )


def sent_when_it_answers(handle: GatewayHandle, key: str, number: int) -> SendResult:
    """A message sent as soon as its lane is not only silent any more."""
    while True:
        try:
            return handle.send(key, job(number), [HERE], "again").result()
        except GatewayUnavailableError as error:
            if "is restarting" not in str(error):
                raise


def test_deploy_is_idempotent(deployed: partial[GatewayHandle]) -> None:
    """The same config again finds the running gateway, with what it remembers; another is refused."""
    first = deployed(2)
    key = room_of(1, 2)
    result = first.send(key, job(1), [HERE], "once").result()
    assert result.delivered
    again = deployed(2)
    assert again.plan == first.plan
    assert again.send(key, job(2), [HERE], "once").result() == result
    with pytest.raises(GatewayMismatchError, match="lanes is 2, not 3") as caught:
        deployed(3)
    assert "gateway" in str(caught.value)
    with pytest.raises(GatewayMismatchError, match="max_pending is 4096, not 7"):
        deployed(2, settings=QUICK.model_copy(update={"max_pending": 7}))
    with pytest.raises(GatewayMismatchError, match="senders is"):
        deployed(2, senders=senders.make_nothing)
    assert first.send(key, job(3), [HERE]).result().delivered


def test_connect_and_shut_down(deployed: partial[GatewayHandle]) -> None:
    """Any process finds it by its name, until it is shut down; then its name is free."""
    handle = deployed(2)
    name = handle.plan.name
    found = connect_gateway(name, namespace="gateways")
    assert found.plan == handle.plan
    assert repr(found) == f"<GatewayHandle {name}, 2 lanes>"
    assert found.send("tg:bot:room", job(1), [HERE]).result().delivered
    shutdown_gateway(name, namespace="gateways")
    for again in (connect_gateway, shutdown_gateway):
        with pytest.raises(GatewayNotFoundError, match="no gateway"):
            again(name, namespace="gateways")
    with pytest.raises(GatewayNotFoundError):
        shutdown_gateway(name, namespace="gateways", drain_s=0.0)
    with pytest.raises(OutcomeUnknownError):
        found.send("tg:bot:room", job(2), [HERE]).result()
    with pytest.raises(GatewayUnavailableError, match="no actor has its name"):
        sent_when_it_answers(found, "tg:bot:room", 3)
    with pytest.raises(GatewayUnavailableError, match="no actor has its name"):
        GatewayHandle(found.plan).send("tg:bot:room", job(4), [HERE]).result()
    assert found.stats().result() == (None, None)


def test_shutdown_drains(deployed: partial[GatewayHandle]) -> None:
    """What was accepted is sent before the actors end."""
    handle = deployed(1)
    sends = [handle.send("tg:bot:room", job(number, {"here": ["pause"]}), [HERE]) for number in range(20)]
    assert sends[0].result().delivered
    shutdown_gateway(handle.plan.name, namespace="gateways")
    assert [send.result().message_id for send in sends] == [str(number + 1) for number in range(20)]


@pytest.mark.parametrize(
    ("factory", "problem"),
    [
        (f"{senders.__name__}:fail", "OSError: no credentials"),
        (f"{senders.__name__}:nothing_here", "AttributeError"),
        ("no.such.module:make", "ModuleNotFoundError"),
        (senders.make_nothing, "it made NoneType, neither a mapping nor a function"),
    ],
)
def test_factory_fails(deployed: partial[GatewayHandle], factory: Any, problem: str) -> None:
    """Senders that cannot be made in the actors are told at deployment, and nothing is left."""
    with pytest.raises(InvalidConfigError, match=problem):
        deployed(2, senders=factory)
    named = ray.util.list_named_actors(all_namespaces=True)
    assert not [each for each in named if each["name"].startswith(f"ray_router_gateway:{deployed.args[0]}")]


def test_factory_by_value(deployed: partial[GatewayHandle]) -> None:
    """Senders may be made by a function that no module has; two of them are compared by name."""

    class Local:
        async def send(self, route: Route, payload: Any) -> Verdict:
            return Delivered(route.instance)

    def make() -> Any:
        return lambda channel: Local() if channel == "tg" else None

    handle = deployed(1, senders=make)
    assert handle.send("tg:bot:room", "hello", [HERE]).result().message_id == "bot"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "a:b"}),
        ("n", {"n": 0}),
        ("n", {"n": True}),
        ("router_name", {"router_name": ""}),
        ("senders", {"senders": "no_colon"}),
        ("senders", {"senders": 7}),
    ],
)
def test_refused_arguments(ray_cluster: str, field: str, wrong: dict[str, Any]) -> None:
    """What cannot be deployed is refused before anything is."""
    with pytest.raises(InvalidConfigError, match=field):
        deploy_gateway(**{"name": "gw", "senders": FACTORY, **wrong})


def test_not_placed(deployed: partial[GatewayHandle]) -> None:
    """Lanes that no node has room for fail in time, and leave nothing."""
    with pytest.raises(RouterError, match=r"lanes \[0\] could not be placed in time"):
        deployed(1, num_cpus=1_000, deploy_timeout_s=0.2)


def test_names() -> None:
    """A lane's actor is named after its gateway, and never taken for a partition of a router."""
    assert lane_name("chat", 3) == "ray_router_gateway:chat:3"
    assert lane_of("ray_router_gateway:chat:3", "chat") == 3
    for name in ("ray_router:chat:3", "ray_router_gateway:other:3", "ray_router_gateway:chat:x"):
        assert lane_of(name, "chat") is None
    for router_name in ("chat", "gateway", "ray_router_gateway"):
        assert partition_of(lane_name("chat", 3), router_name) is None
    assert factory_name(FACTORY) == factory_name(senders.make) == FACTORY
    assert factory_name(partial(senders.make)) == "functools:partial"


def test_plan() -> None:
    """Plans differ by what they say."""
    plan = GatewayPlan("gw", "ns", 2, "router", FACTORY)
    other = GatewayPlan("gw", "ns", 3, "router", FACTORY, QUICK)
    assert plan.differences(plan) == ()
    assert plan.differences(other)[0] == "lanes is 3, not 2"
    assert plan.fingerprint != other.fingerprint


async def test_handle_travels(deployed: partial[GatewayHandle]) -> None:
    """A handle works in a task, in an actor, and in an event loop, and after pickling."""
    handle = deployed(2)

    @ray.remote(num_cpus=0)
    def in_a_task(gateway: GatewayHandle) -> SendResult:
        return gateway.send("tg:bot:task", job(1), [HERE]).result()

    @ray.remote(num_cpus=0)
    class Agent:
        def __init__(self, gateway: GatewayHandle) -> None:
            self.gateway = gateway

        async def answer(self) -> SendResult:
            return await self.gateway.send("tg:bot:actor", job(2), [HERE])

    assert (await in_a_task.remote(handle)).delivered
    assert (await Agent.remote(handle).answer.remote()).delivered  # type: ignore[attr-defined]
    assert (await pickle.loads(pickle.dumps(handle)).send("tg:bot:here", job(3), [HERE])).delivered


async def test_callers_share_lanes(deployed: partial[GatewayHandle]) -> None:
    """One at a time per session holds across handles."""
    handles = [deployed(2) for _ in range(3)]
    sends = [
        asyncio.ensure_future(handle.send("tg:bot:room", job(number * 10 + each), [HERE]))
        for number in range(10)
        for each, handle in enumerate(handles)
    ]
    results = await asyncio.gather(*sends)
    assert sorted(int(result.message_id or 0) for result in results) == list(range(1, 31))
    for each in range(3):
        mine = [int(result.message_id or 0) for result in results[each::3]]
        assert mine == sorted(mine)


def test_stats(deployed: partial[GatewayHandle]) -> None:
    """Each lane tells what it holds and has done; one that is down tells nothing."""
    handle = deployed(2)
    assert handle.send(room_of(1, 2), job(1), [HERE], "once").result()
    idle, used = handle.stats().result()
    assert idle is not None and used is not None
    assert (idle.remembered, used.remembered, used.outcomes[SendOutcome.DELIVERED]) == (0, 1, 1)


def test_a_reply_that_nobody_waits_for(deployed: partial[GatewayHandle]) -> None:
    """A message is sent whether anybody waits or not; and a wait may be given up."""
    handle = deployed(1)
    handle.send("tg:bot:room", job(1), [HERE])
    assert handle.send("tg:bot:room", job(2), [HERE]).result().message_id == "2"
    slow = handle.send("tg:bot:room", job(3, {"here": ["wait:gate"]}), [HERE])
    with pytest.raises(RouterError, match="no answer within"):
        slow.result(timeout_s=0.01)
    assert handle.send("tg:bot:other", job(4, {"here": ["open:gate"]}), [HERE]).result()
    assert slow.result().delivered


def test_shutdown_of_the_frozen(deployed: partial[GatewayHandle], monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that answers nobody can be ended all the same."""
    monkeypatch.setattr("ray_router.runtime.gateway_deployment._ANSWERS_WITHIN_S", 0.3)
    handle = deployed(1)
    os.kill(pid_of(handle), signal.SIGSTOP)
    with pytest.raises(GatewayNotFoundError, match="does not answer"):
        connect_gateway(handle.plan.name, namespace="gateways")
    shutdown_gateway(handle.plan.name, namespace="gateways")


def test_redeployed_otherwise(deployed: partial[GatewayHandle]) -> None:
    """A handle of an earlier deployment does not send through a later one with another config."""
    handle = deployed(1)
    shutdown_gateway(handle.plan.name, namespace="gateways", drain_s=0.0)
    deployed(1, settings=QUICK.model_copy(update={"max_pending": 7}))
    fresh = GatewayHandle(handle.plan)
    with pytest.raises(GatewayUnavailableError, match="deployed anew with another config: connect again"):
        fresh.send("tg:bot:room", job(1), [HERE]).result()


def test_too_many_calls_of_one_handle(
    deployed: partial[GatewayHandle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handle refuses by itself what the lane could not hold anyway; pings and stats get through."""
    monkeypatch.setattr(gateway_handle, "SPARE_CALLS", 0)
    handle = deployed(1, settings=QUICK.model_copy(update={"max_pending": 2}))
    held = [handle.send(f"tg:bot:{each}", job(each, {"here": ["wait:gate"]}), [HERE]) for each in range(2)]
    with pytest.raises(GatewayOverloadedError, match="2 calls of this handle are unanswered; the limit is 2"):
        handle.send("tg:bot:9", job(9), [HERE]).result()
    assert handle.stats().result()[0] is not None
    shutdown_gateway(handle.plan.name, namespace="gateways", drain_s=0.0)
    for reply in held:
        with pytest.raises(RouterError):
            reply.result()


async def test_lane_is_killed(deployed: partial[GatewayHandle]) -> None:
    """What a killed lane had is unknown; what comes then fails at once unsent, until it lives again.

    The other lane never notices, and what the dead one remembered is forgotten.
    """
    handle = deployed(2)
    key, other = room_of(0, 2), room_of(1, 2)
    assert (await handle.send(key, job(1), [HERE], "again")).message_id == "1"
    waiting = [handle.send(key, job(2, {"here": ["wait:gate"]}), [HERE]), handle.send(key, job(3), [HERE])]
    beyond = handle.send(other, job(4, {"here": ["wait:gate"]}), [HERE])
    while (stats := (await handle.stats())[0]) is None or stats.pending < len(waiting):
        continue
    os.kill(pid_of(handle), signal.SIGKILL)
    for reply in waiting:
        with pytest.raises(OutcomeUnknownError, match="lane 0 of the gateway was lost, the message may have"):
            await reply
    result = await asyncio.to_thread(sent_when_it_answers, handle, key, 5)
    assert (result.delivered, result.message_id) == (True, "1")
    openers = (f"tg:bot:opener {number}" for number in itertools.count())
    opener = next(each for each in openers if slot_function("room")(each) % 2)
    assert await handle.send(opener, job(7, {"here": ["open:gate"]}), [HERE])
    assert (await beyond).delivered


async def test_lane_is_frozen(deployed: partial[GatewayHandle], monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that falls silent is given up on after a time; its stats are missing; thawed, it goes on."""
    monkeypatch.setattr(gateway_handle, "_BEYOND_THE_SEND_S", 0.2)
    monkeypatch.setattr(gateway_handle, "_STATS_WITHIN_S", 0.2)
    handle = deployed(1, settings=QUICK.model_copy(update={"send_timeout_s": 0.3}))
    assert await handle.send("tg:bot:room", job(1), [HERE])
    pid = pid_of(handle)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(OutcomeUnknownError, match="it did not answer in time"):
            await handle.send("tg:bot:room", job(2), [HERE])
        with pytest.raises(GatewayUnavailableError, match="does not answer"):
            await handle.send("tg:bot:room", job(3), [HERE])
        assert await handle.stats() == (None,)
        silent = GatewayHandle(handle.plan)
        assert await asyncio.to_thread(lambda: silent.stats().result()) == (None,)
        with pytest.raises(OutcomeUnknownError):
            await asyncio.to_thread(lambda: silent.send("tg:bot:room", job(4), [HERE]).result())
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await asyncio.to_thread(sent_when_it_answers, handle, "tg:bot:room", 5)).delivered


async def test_nobody_waits_for_what_is_lost(
    deployed: partial[GatewayHandle], caplog: pytest.LogCaptureFixture
) -> None:
    """A lost message that nobody waits for is logged, and its lane counts as down until it answers."""
    handle = deployed(1)
    assert await handle.send("tg:bot:room", job(1), [HERE])
    handle.send("tg:bot:room", job(2, {"here": ["wait:gate"]}), [HERE])
    os.kill(pid_of(handle), signal.SIGKILL)
    while "the message may have been sent" not in caplog.text:
        await asyncio.sleep(0.001)
    assert (await asyncio.to_thread(sent_when_it_answers, handle, "tg:bot:room", 3)).message_id == "1"


async def test_ping_fails(deployed: partial[GatewayHandle], monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that cannot even be pinged is looked up anew by the next call."""
    handle = deployed(1)
    assert await handle.send("tg:bot:room", job(1), [HERE])
    (lane,) = handle._lanes
    monkeypatch.setattr(lane, "_actor", object())
    lane._lose(lane._lives)
    assert (await asyncio.to_thread(sent_when_it_answers, handle, "tg:bot:room", 2)).message_id == "2"


def test_payload_that_cannot_be_read(deployed: partial[GatewayHandle]) -> None:
    """A payload that the actor cannot unpickle fails that message alone."""
    handle = deployed(1)

    class Poison:
        def __reduce__(self) -> Any:
            return os.stat, ("/no/such/file",)

    with pytest.raises(OutcomeUnknownError):
        handle.send("tg:bot:room", Poison(), [HERE]).result()
    assert sent_when_it_answers(handle, "tg:bot:room", 1).delivered
