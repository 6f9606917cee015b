"""From an inbound message to a handler that has done its work, and a route that is known."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.config import RouterConfig
from ray_router.errors import InvalidCallError, RouterNotFoundError
from ray_router.handle import RouterHandle
from ray_router.ingest import Ingest, IngestOutcome, Ruling, Stage
from ray_router.model import Origin, Route, SetOutcome
from ray_router.testing import FaultyTransport, local_router
from ray_router.transport import LocalTransport

from .scene import Scene, message, saying

KEY = "tg:bot:room"


async def test_accepted() -> None:
    """A message reaches the handler, and its route the router, with the time of the event."""
    scene = Scene()
    scene.clock.advance(60)
    result = await scene.ingest.receive(message())
    assert result and result.accepted
    assert (result.outcome, result.returned, result.route_write) == (
        IngestOutcome.ACCEPTED,
        1,
        SetOutcome.STORED,
    )
    assert (result.problem, result.route_problem, result.first, result.decisions) == (None, None, None, ())
    record = await scene.router.get(KEY)
    assert record is not None
    assert (record.route, record.observed_at, record.origin) == (
        Route("room"),
        1_700_000_000.0,
        Origin.INBOUND,
    )
    assert scene.handled[0].message == message()


async def test_platform_states_no_time() -> None:
    """A message without a time was written when it was received."""
    scene = Scene()
    scene.clock.advance(60)
    await scene.ingest.receive(message(at=None))
    record = await scene.router.get(KEY)
    assert record is not None and record.observed_at == scene.clock()


async def test_route_only_after_success() -> None:
    """While the handler works the route is not written; a reply needs the message's own."""
    scene = Scene()
    seen: list[bool] = []

    async def handler(admitted: object) -> None:
        seen.append(bool(await scene.router.resolve(KEY)))

    ingest = Ingest(scene.router, handler)
    await ingest.receive(message())
    assert seen == [False]
    assert await scene.router.resolve(KEY)


async def test_handler_fails() -> None:
    """A failure is on the result, writes no route, and is not remembered: the retry gets through."""
    scene = Scene()
    scene.fail = LookupError("no such order")
    result = await scene.ingest.receive(message())
    assert (result.outcome, result.problem) == (
        IngestOutcome.FAILED,
        "the handler raised LookupError: no such order",
    )
    assert (result.route_write, result.returned) == (None, None)
    assert not await scene.router.resolve(KEY)
    scene.fail = None
    assert (await scene.ingest.receive(message())).accepted
    assert len(scene.handled) == 2


@pytest.mark.parametrize("failure", [None, asyncio.CancelledError()])
async def test_handler_takes_too_long(failure: BaseException | None) -> None:
    """A handler that is out of time, or cancels itself, has failed."""
    scene = Scene(handler_timeout_s=0.005)
    scene.fail = failure
    scene.gate = None if failure else asyncio.Event()
    result = await scene.ingest.receive(message())
    assert result.outcome is IngestOutcome.FAILED
    assert result.problem is not None and result.problem.startswith("the handler: ")
    assert not await scene.router.resolve(KEY)


async def test_denied() -> None:
    """A denied message reaches no handler and writes no route; the decision stands."""
    scene = Scene(gaters=[saying(Ruling.deny("not on the list"), name="list")])
    result = await scene.ingest.receive(message())
    assert (result.outcome, result.problem) == (IngestOutcome.DENIED, "list: not on the list")
    assert (scene.handled, result.route_write) == ([], None)
    assert not await scene.router.resolve(KEY)
    again = await scene.ingest.receive(message())
    assert (again.outcome, again.first) == (IngestOutcome.DUPLICATE, IngestOutcome.DENIED)


async def test_stages_in_order() -> None:
    """Gaters come before moderators, each in its order; the first to deny is the last to be asked."""
    heard: list[Any] = []
    scene = Scene(
        gaters=[saying(Ruling.allow(), name="g1"), saying(Ruling.flag("new here"), name="g2")],
        moderators=[
            saying(Ruling.allow(), name="m1"),
            saying(Ruling.deny("rude"), name="m2"),
            saying(Ruling.allow(), name="m3", heard=heard),
        ],
    )
    result = await scene.ingest.receive(message())
    assert [(each.stage, each.policy) for each in result.decisions] == [
        (Stage.GATING, "g1"),
        (Stage.GATING, "g2"),
        (Stage.MODERATION, "m1"),
        (Stage.MODERATION, "m2"),
    ]
    assert heard == []


async def test_flags_reach_the_handler() -> None:
    """The remarks of policies go with the message."""
    scene = Scene(gaters=[saying(Ruling.flag("new here"))], moderators=[saying(Ruling.flag("shouting"))])
    result = await scene.ingest.receive(message())
    assert [each.reason for each in scene.handled[0].flags] == ["new here", "shouting"]
    assert result.flags == scene.handled[0].flags


async def test_modified() -> None:
    """What a policy rewrites is what the next one and the handler read; key and route stay."""
    heard: list[Any] = []
    scene = Scene(
        gaters=[saying(Ruling.modify("h***o", "masked"))],
        moderators=[saying(Ruling.allow(), heard=heard), saying(Ruling.modify(None, "dropped"))],
    )
    result = await scene.ingest.receive(message())
    assert heard[0].text == "h***o"
    assert scene.handled[0].message.text is None
    assert result.message == scene.handled[0].message
    assert (result.message.key, result.message.route) == (message().key, message().route)


async def test_duplicate() -> None:
    """A message is handled once, whatever else of it changed; its id in another room is another's."""
    scene = Scene()
    await scene.ingest.receive(message(1))
    again = await scene.ingest.receive(message(1, text="edited"))
    assert (again.outcome, again.first, again.route_write) == (
        IngestOutcome.DUPLICATE,
        IngestOutcome.ACCEPTED,
        None,
    )
    assert not again
    assert (await scene.ingest.receive(message(1, room="other"))).accepted
    assert (await scene.ingest.receive(message(1, thread="t"))).accepted
    assert len(scene.handled) == 3


async def test_remembered_for_a_time() -> None:
    """A message is forgotten when its time is over, or when many newer ones came."""
    scene = Scene(remembered_for_s=100.0, remembered_messages=3)
    await scene.ingest.receive(message(1))
    scene.clock.advance(99.0)
    assert (await scene.ingest.receive(message(1))).outcome is IngestOutcome.DUPLICATE
    scene.clock.advance(2.0)
    assert (await scene.ingest.receive(message(1))).accepted
    for number in range(2, 5):
        await scene.ingest.receive(message(number))
    assert (await scene.ingest.receive(message(1))).accepted


async def test_two_at_once() -> None:
    """The second delivery waits for the first: one run of the handler, the second a duplicate."""
    scene = Scene()
    scene.gate = asyncio.Event()
    both = [asyncio.create_task(scene.ingest.receive(message())) for _ in range(2)]
    await asyncio.sleep(0)
    scene.gate.set()
    first, second = await asyncio.gather(*both)
    assert (first.outcome, second.outcome) == (IngestOutcome.ACCEPTED, IngestOutcome.DUPLICATE)
    assert second.first is IngestOutcome.ACCEPTED
    assert len(scene.handled) == 1


async def test_two_at_once_fail_together() -> None:
    """When the first fails the second has failed too: whoever answers the platform asks for a retry."""
    scene = Scene()
    scene.gate, scene.fail = asyncio.Event(), OSError("down")
    both = [asyncio.create_task(scene.ingest.receive(message())) for _ in range(2)]
    await asyncio.sleep(0)
    scene.gate.set()
    results = await asyncio.gather(*both)
    assert [result.outcome for result in results] == [IngestOutcome.FAILED] * 2
    assert len(scene.handled) == 1


async def test_first_of_two_is_cancelled() -> None:
    """A delivery that is cancelled has no fate: the one that waited takes its place."""
    scene = Scene()
    scene.gate = asyncio.Event()
    first, second, third = (asyncio.create_task(scene.ingest.receive(message())) for _ in range(3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    scene.gate.set()
    assert first.cancelled()
    assert {(await second).outcome, (await third).outcome} == {
        IngestOutcome.ACCEPTED,
        IngestOutcome.DUPLICATE,
    }
    assert len(scene.handled) == 2


async def test_second_of_two_is_cancelled() -> None:
    """Who waits may give up; the first goes on."""
    scene = Scene()
    scene.gate = asyncio.Event()
    first, second = (asyncio.create_task(scene.ingest.receive(message())) for _ in range(2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait({second})
    scene.gate.set()
    assert (await first).accepted


async def test_cancelled_while_the_route_is_written() -> None:
    """The work is done and is not done again."""
    scene = Scene()
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    scene.router.set = lambda *_: never  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(scene.ingest.receive(message()))
    while not scene.handled:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    again = await scene.ingest.receive(message())
    assert (again.outcome, again.first) == (IngestOutcome.DUPLICATE, IngestOutcome.ACCEPTED)


async def test_too_many_at_once() -> None:
    """Deliveries in progress are bounded; what is refused is not remembered."""
    scene = Scene(max_in_progress=2)
    scene.gate = asyncio.Event()
    tasks = [asyncio.create_task(scene.ingest.receive(message(number))) for number in range(2)]
    await asyncio.sleep(0)
    refused = await scene.ingest.receive(message(9))
    assert refused.outcome is IngestOutcome.OVERLOADED
    assert refused.problem == "2 messages are being received, which is the limit"
    scene.gate.set()
    await asyncio.gather(*tasks)
    assert (await scene.ingest.receive(message(9))).accepted


async def test_router_down() -> None:
    """A partition that is down never fails a message: the route is not written, and the result says so."""
    transport = FaultyTransport(LocalTransport(RouterConfig(partitions=1, call_timeout_s=0.05)))
    scene = Scene(router=RouterHandle(transport))
    await scene.ingest.receive(message(1))
    transport.kill(0)
    result = await scene.ingest.receive(message(2))
    assert (result.outcome, result.route_write) == (IngestOutcome.ACCEPTED, SetOutcome.UNAVAILABLE)
    assert result.route_problem is not None and "partition 0" in result.route_problem
    assert (await scene.ingest.receive(message(2))).outcome is IngestOutcome.DUPLICATE
    transport.revive(0)


async def test_no_such_router() -> None:
    """Nor does a router that cannot be found."""

    class Nowhere(LocalTransport):
        def open(self) -> object:  # type: ignore[override]
            raise RouterNotFoundError("no router 'default' is deployed")

    scene = Scene(router=RouterHandle(Nowhere(RouterConfig())))  # type: ignore[arg-type]
    result = await scene.ingest.receive(message())
    assert (result.outcome, result.route_write) == (IngestOutcome.ACCEPTED, SetOutcome.UNAVAILABLE)


async def test_router_refuses() -> None:
    """A key or route that the router cannot take is a problem of the route's, not of the message's."""
    scene = Scene(router=local_router(RouterConfig(max_key_part_bytes=4)))
    result = await scene.ingest.receive(message(room="far too long"))
    assert (result.outcome, result.route_write) == (IngestOutcome.ACCEPTED, None)
    assert result.route_problem == "room: is 12 bytes long; the limit is 4"


async def test_late_backlog() -> None:
    """A backlog of older messages that arrives after newer ones changes no route."""
    scene = Scene()
    newest = message(100, at=1_700_000_100.0, lang="de")
    await scene.ingest.receive(newest)
    before = await scene.router.get(KEY)
    assert before is not None and before.route == newest.route
    for number in range(50):
        late = await scene.ingest.receive(message(number, at=1_700_000_000.0 + number))
        assert late.accepted
    after = await scene.router.get(KEY)
    assert after is not None
    assert (after.route, after.observed_at) == (before.route, before.observed_at)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12))
def test_order_of_arrival_does_not_matter(seed: int, count: int) -> None:
    """However a session's messages arrive, some twice, the route is that of the newest."""
    numbers = [number for number in range(count) for _ in range(2)]
    Random(seed).shuffle(numbers)

    async def play() -> Route | None:
        scene = Scene()
        for number in numbers:
            await scene.ingest.receive(message(number, at=1_600_000_000.0 + number, seat=str(number % 3)))
        assert len(scene.handled) == count
        return (await scene.router.resolve(KEY)).route

    assert asyncio.run(play()) == message(seat=str((count - 1) % 3)).route


@pytest.mark.parametrize("origin", [Origin.AGENT, Origin.SYSTEM])
async def test_a_guess_never_displaces_a_user(origin: Origin) -> None:
    """What an agent or the system says, however late, does not displace where a user was heard."""
    scene = Scene()
    scene.clock.advance(60.0)
    heard = await scene.ingest.receive(message())
    await scene.router.set(KEY, Route("guess"), origin=origin)
    assert (await scene.router.resolve(KEY)).route == heard.message.route
    scene.clock.advance(60.0)
    await scene.router.set(KEY, Route("guess again"), origin=origin)
    assert (await scene.router.resolve(KEY)).route == heard.message.route


def test_no_policy() -> None:
    """A gater must be a Policy, with its name and budget."""
    with pytest.raises(InvalidCallError, match=r"moderators\[1\]: must be a Policy, not function"):
        Scene(moderators=[saying(Ruling.allow()), lambda message: None])  # type: ignore[list-item]
