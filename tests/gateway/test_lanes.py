"""Lanes: order within a session, independence between sessions, bounds; against a model."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.gateway import GatewayOverloadedError, Priority
from ray_router.gateway.lanes import Lanes, Place
from ray_router.model import PressureLevel

from .scene import turns

CALM = PressureLevel.NORMAL


def admit(lanes: Lanes, session: str = "a", priority: Priority = Priority.HIGH) -> Place:
    return lanes.admit(session, priority, CALM)


async def test_one_at_a_time_in_order() -> None:
    """A session's messages have their turn one by one, as they came."""
    lanes = Lanes(10, 10)
    went: list[int] = []

    async def go(number: int, place: Place) -> None:
        await place.turn()
        went.append(number)

    places = [admit(lanes) for _ in range(4)]
    tasks = [asyncio.create_task(go(number, place)) for number, place in enumerate(places)]
    for number in range(4):
        await turns(3)
        assert went == list(range(number + 1))
        places[number].leave()
    await asyncio.gather(*tasks)
    assert (lanes.pending, lanes.sessions) == (0, 0)


async def test_other_sessions_do_not_wait() -> None:
    """A session that is stuck holds up nobody else."""
    lanes = Lanes(10, 10)
    admit(lanes, "stuck")
    await admit(lanes, "other").turn()
    assert lanes.sessions == 2


async def test_cancelled_while_waiting() -> None:
    """Who leaves without having had a turn takes nobody's, and gives nobody one."""
    lanes = Lanes(10, 10)
    first, second, third = (admit(lanes) for _ in range(3))
    waiting = asyncio.create_task(third.turn())
    await turns(2)
    second.leave()
    await turns(2)
    assert not waiting.done()
    first.pass_on()
    await waiting
    assert lanes.pending == 2
    first.leave()
    first.leave()
    assert lanes.pending == 1


async def test_called_after_it_gave_up() -> None:
    """A turn that comes when nobody waits for it any more does no harm."""
    lanes = Lanes(10, 10)
    first, second = admit(lanes), admit(lanes)
    waiting = asyncio.create_task(second.turn())
    await turns(2)
    waiting.cancel()
    first.leave()
    await asyncio.wait({waiting})
    second.leave()
    assert lanes.sessions == 0


def test_full() -> None:
    """The total and the session's share are bounded, for high priority too; both say so."""
    lanes = Lanes(3, 2)
    admit(lanes)
    admit(lanes)
    with pytest.raises(GatewayOverloadedError, match="2 messages of its session are pending; the limit is 2"):
        admit(lanes)
    admit(lanes, "b")
    with pytest.raises(GatewayOverloadedError, match="3 messages are pending; the limit is 3") as caught:
        admit(lanes, "c")
    assert (caught.value.level, caught.value.priority) == (PressureLevel.SHED, Priority.HIGH)
    assert (lanes.pending, lanes.refused) == (3, 2)


def test_low_before_normal_before_high() -> None:
    """As the places go, low priority is refused first, then normal of a busy session, then normal."""
    lanes = Lanes(100, 100)
    refused_from: dict[tuple[Priority, bool], int] = {}
    for taken in range(100):
        for priority in Priority:
            for busy in (False, True):
                session = "0" if busy and taken else f"new {taken} {priority}"
                try:
                    lanes.admit(session, priority, CALM).leave()
                except GatewayOverloadedError:
                    refused_from.setdefault((priority, busy), taken)
        admit(lanes, str(taken))
    assert refused_from == {
        (Priority.LOW, False): 70,
        (Priority.LOW, True): 70,
        (Priority.NORMAL, True): 85,
        (Priority.NORMAL, False): 95,
    }


def test_router_under_pressure() -> None:
    """The router's own level counts where it is higher."""
    lanes = Lanes(100, 100)
    with pytest.raises(GatewayOverloadedError, match="priority LOW was refused at pressure WARN"):
        lanes.admit("a", Priority.LOW, PressureLevel.WARN)
    lanes.admit("a", Priority.NORMAL, PressureLevel.WARN)


STEPS = st.lists(st.tuples(st.sampled_from(["come", "go", "pass"]), st.integers(0, 3)), max_size=60)


@settings(deadline=None)
@given(steps=STEPS, most=st.integers(1, 6), most_each=st.integers(1, 4))
def test_against_a_model(steps: list[tuple[str, int]], most: int, most_each: int) -> None:
    """Whatever the order of comings and goings: bounds hold, heads are first comers, nothing is left over."""
    lanes = Lanes(most, most_each)
    model: dict[str, list[Place]] = defaultdict(list)
    passed: list[Place] = []
    for step, number in steps:
        session = str(number)
        queue = model[session]
        room = sum(map(len, model.values())) + len(passed) < most and len(queue) < most_each
        if step == "come":
            try:
                queue.append(admit(lanes, session))
            except GatewayOverloadedError:
                assert not room
            else:
                assert room
        elif step == "go" and queue:
            queue.pop(number % len(queue)).leave()
        elif step == "go" and passed:
            passed.pop().leave()
        elif step == "pass" and queue:
            passed.append(queue.pop(0))
            passed[-1].pass_on()
        assert lanes.pending == sum(map(len, model.values())) + len(passed) <= most
        assert lanes.sessions == sum(map(bool, model.values()))
        for name, places in model.items():
            assert lanes.head(name) is (places[0] if places else None)
