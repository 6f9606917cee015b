"""Idempotency keys: what is the same send, and what its repeats get."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ray_router.errors import InvalidInputError
from ray_router.gateway import GatewayClosedError, GatewayOverloadedError, SendOutcome

from .scene import HERE, KEY, Scene, turns
from .senders import job

OTHER = "tg:bot:other"


async def scene_with_route(**settings: Any) -> Scene:
    scene = Scene(**settings)
    await scene.router.set_many([(KEY, HERE), (OTHER, HERE)])
    return scene


async def test_repeat_after_delivery() -> None:
    """A repeated send returns the very result of the first, and sends nothing."""
    scene = await scene_with_route()
    first = await scene.gateway.send(KEY, job(1), (), "once")
    assert await scene.gateway.send(KEY, job(2), (), "once") is first
    assert len(scene.sender.calls) == 1
    assert scene.gateway.stats().remembered == 1


async def test_key_belongs_to_its_session() -> None:
    """The same key in another session is another send; so is another key, and none."""
    scene = await scene_with_route()
    for key, name in ((KEY, "a"), (OTHER, "a"), (KEY, "b"), (KEY, None), (KEY, None)):
        await scene.gateway.send(key, job(1), (), name)
    assert len(scene.sender.calls) == 5


async def test_concurrent_repeats() -> None:
    """Repeats of a send under way wait for it, one message for all."""
    scene = await scene_with_route()
    results = await asyncio.gather(
        *(scene.gateway.send(KEY, job(1, {"here": ["retryable", "pause"]}), (), "once") for _ in range(5))
    )
    assert all(result is results[0] for result in results)
    assert scene.sender.delivered["here"] == [1]
    assert scene.gateway.stats().outcomes[SendOutcome.DELIVERED] == 1


async def test_failure_is_not_remembered() -> None:
    """A send that did not deliver is forgotten: its repeat is a new try."""
    scene = await scene_with_route()
    failed = await scene.gateway.send(KEY, job(1, {"here": ["refused"]}), (), "once")
    assert not failed
    again = await scene.gateway.send(KEY, job(1, {"here": ["refused"]}), (), "once")
    assert again.delivered
    assert await scene.gateway.send(KEY, job(1), (), "once") is again


async def test_concurrent_repeats_share_a_failure() -> None:
    """Whoever waits for a send that fails has failed with it, by result or by error."""
    scene = await scene_with_route()
    results = await asyncio.gather(
        *(scene.gateway.send(KEY, job(1, {"here": ["refused"]}), (), "once") for _ in range(3))
    )
    assert {result.outcome for result in results} == {SendOutcome.MESSAGE_REFUSED}
    assert len(scene.sender.calls) == 1
    errors = await asyncio.gather(
        *(scene.gateway.send(KEY, job(1), [HERE] * 40, "bad") for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(error, InvalidInputError) for error in errors)


async def test_refused_send_is_not_remembered() -> None:
    """A send that found no room was never begun."""
    scene = await scene_with_route(max_pending_per_session=1)
    ahead = asyncio.create_task(scene.gateway.send(KEY, job(1, {"here": ["pause"]})))
    await turns(2)
    with pytest.raises(GatewayOverloadedError):
        await scene.gateway.send(KEY, job(2), (), "once")
    await ahead
    assert await scene.gateway.send(KEY, job(2), (), "once")


async def test_repeats_need_no_room() -> None:
    """A repeat of what is under way or remembered is answered even when there is no room."""
    scene = await scene_with_route(max_pending_per_session=1)
    sends = [scene.gateway.send(KEY, job(1, {"here": ["pause"]}), (), "once") for _ in range(3)]
    first, *others = await asyncio.gather(*sends)
    assert all(other is first for other in others)


async def test_remembered_for_a_time() -> None:
    """A key is forgotten when its time is over."""
    scene = await scene_with_route(remembered_for_s=100.0)
    first = await scene.gateway.send(KEY, job(1), (), "once")
    scene.clock.advance(99.0)
    assert await scene.gateway.send(KEY, job(1), (), "once") is first
    scene.clock.advance(2.0)
    assert await scene.gateway.send(KEY, job(1), (), "once") is not first


async def test_memory_is_bounded() -> None:
    """The oldest keys make room."""
    scene = await scene_with_route(remembered_keys=3)
    for number in range(5):
        await scene.gateway.send(KEY, job(number), (), str(number))
    assert scene.gateway.stats().remembered == 3
    await scene.gateway.send(KEY, job(4), (), "4")
    await scene.gateway.send(KEY, job(0), (), "0")
    assert scene.sender.delivered["here"] == [0, 1, 2, 3, 4, 0]


async def test_one_of_two_callers_is_cancelled() -> None:
    """The send goes on for the other."""
    scene = await scene_with_route()
    script = {"here": ["pause", "pause"]}
    one, two = (asyncio.create_task(scene.gateway.send(KEY, job(1, script), (), "once")) for _ in range(2))
    await turns(4)
    one.cancel()
    assert (await two).delivered
    assert one.cancelled()


async def test_all_callers_are_cancelled() -> None:
    """With its last caller the send is cancelled, and a repeat is a new try."""
    scene = await scene_with_route()
    tasks = [
        asyncio.create_task(scene.gateway.send(KEY, job(1, {"here": ["hang"]}), (), "once")) for _ in range(2)
    ]
    await turns()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert (await scene.gateway.send(KEY, job(1), (), "once")).delivered
    assert scene.gateway.stats().pending == 0


async def test_a_repeat_while_the_first_is_being_cancelled() -> None:
    """It does not share the cancellation, but goes after it."""
    scene = await scene_with_route()
    first = asyncio.create_task(scene.gateway.send(KEY, job(1, {"here": ["hang"]}), (), "once"))
    await turns()
    first.cancel()
    repeat = asyncio.create_task(scene.gateway.send(KEY, job(2), (), "once"))
    assert (await repeat).delivered
    assert first.cancelled()


async def test_closed_under_way() -> None:
    """All who wait for a send that is cut short are told."""
    scene = await scene_with_route()
    tasks = [
        asyncio.create_task(scene.gateway.send(KEY, job(1, {"here": ["hang"]}), (), "once")) for _ in range(2)
    ]
    await turns()
    assert await scene.gateway.aclose(0) == 1
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(error, GatewayClosedError)
