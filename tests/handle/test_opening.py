"""Getting to know the router: once, lazily, in order, and what happens when there is none."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from ray_router import InvalidConfigError, RouterHandle, RouterNotFoundError, SetOutcome
from ray_router.handle import link as link_module
from ray_router.handle.link import Link
from ray_router.testing import FaultyTransport, wait_until
from ray_router.transport import Directory, PartitionBroken, PartitionLost, Ticket

from .scene import AWAY, HOME, PATIENT_S, HeldDoor, Scene, Stage, in_threads, until

KEY = "tg:bot:room"


class Nowhere(FaultyTransport):
    """There is no such router, until there is."""

    deployed = False

    def open(self) -> Ticket[Directory]:
        """Look."""
        if not self.deployed:
            raise RouterNotFoundError("no router 'default' is deployed")
        return super().open()


def whimsical(channel: str, instance: str | None, room: str | None) -> str:
    """A hash strategy that knows only some rooms."""
    if room == "unknown":
        raise LookupError("which room?")
    return room or channel


def test_a_thread_connects_at_its_first_call() -> None:
    """A handle knows nothing until it is used, and then waits for the router once."""
    stage = Stage(HeldDoor)
    assert repr(stage.router) == "<RouterHandle not yet connected>"
    assert stage.transport.opened == 0
    opening = threading.Thread(target=lambda: stage.router.set(KEY, HOME).result())
    opening.start()
    wait_until(lambda: stage.transport.opened == 1)
    stage.transport.let_in()
    opening.join()
    assert stage.router.resolve(KEY).result().route == HOME
    assert stage.transport.opened == 1
    assert repr(stage.router) == "<RouterHandle default>"


def test_connecting_beforehand() -> None:
    """``connect`` and ``config`` wait for the router in a thread; later calls need not."""
    stage = Stage(HeldDoor, name="chat")
    stage.transport.let_in()
    stage.router.connect()
    assert stage.router.config == stage.config
    assert stage.router.set(KEY, HOME).result().outcome is SetOutcome.STORED
    assert stage.transport.opened == 1


async def test_an_event_loop_is_not_held_up() -> None:
    """In an event loop a call returns before the router is known, and is sent when it is."""
    stage = Stage(HeldDoor)
    reply = stage.router.set(KEY, HOME)
    assert stage.transport.sent == {}
    stage.transport.let_in()
    assert (await reply).outcome is SetOutcome.STORED
    assert await reply == await reply


async def test_connecting_in_an_event_loop() -> None:
    """``connect`` in an event loop begins to, and a router that is known already is not asked for again."""
    stage = Stage(HeldDoor)
    stage.router.connect()
    stage.router.connect()
    stage.transport.let_in()
    await until(lambda: "default" in repr(stage.router))
    stage.router.connect()
    assert stage.transport.opened == 1
    assert (await stage.router.set(KEY, HOME)).outcome is SetOutcome.STORED


async def test_submissions_before_the_router_is_known_keep_their_order() -> None:
    """What was submitted first is sent first, although none could be sent when it was submitted."""
    stage = Stage(HeldDoor)
    looked = stage.router.get(KEY)
    written = [stage.router.set(KEY, HOME) for _ in range(20)]
    deleted, looked_again = stage.router.delete(KEY), stage.router.get(KEY)
    stage.transport.let_in()
    assert await looked_again is None
    assert await deleted is True
    outcomes = [(await reply).outcome for reply in written]
    assert outcomes == [SetOutcome.STORED] + [SetOutcome.REFRESHED] * 19
    assert await looked is None
    assert stage.transport.opened == 1


async def test_later_submissions_do_not_overtake() -> None:
    """Submissions made while the router becomes known are sent after those made before."""
    stage = Stage(HeldDoor)
    replies = [stage.router.set(KEY, HOME)]
    stage.transport.let_in()
    while "default" not in repr(stage.router):
        replies.append(stage.router.set(KEY, HOME))
        await asyncio.sleep(0)
    replies.append(stage.router.set(KEY, HOME))
    outcomes = [(await reply).outcome for reply in replies]
    assert outcomes == [SetOutcome.STORED] + [SetOutcome.REFRESHED] * (len(replies) - 1)


def test_many_threads_at_once() -> None:
    """Threads and loops that all come first are all served, each call once."""
    stage = Stage(HeldDoor, partitions=3)

    async def write(number: int) -> Any:
        return await stage.router.set(f"tg:bot:room_{number}", HOME)

    jobs: list[Any] = [
        (lambda number=number: stage.router.set(f"tg:bot:room_{number}", HOME).result())
        for number in range(8)
    ]
    jobs += [(lambda number=number: asyncio.run(write(number))) for number in range(8, 16)]
    results = in_threads([*jobs, stage.transport.let_in])
    assert [result.outcome for result in results[:-1]] == [SetOutcome.STORED] * 16
    stats = stage.router.stats().result()
    assert stats.traffic.stored == 16
    assert stats.traffic.refreshed == 0


async def test_there_is_no_router_at_once() -> None:
    """A runtime that knows at once that there is none says so in the call; later there may be one."""
    stage = Stage(Nowhere)
    for submit in (stage.router.connect, lambda: stage.router.get(KEY)):
        with pytest.raises(RouterNotFoundError, match="no router 'default' is deployed"):
            submit()
        with pytest.raises(RouterNotFoundError):
            await asyncio.to_thread(submit)
    stage.transport.deployed = True
    assert (await stage.router.set(KEY, HOME)).outcome is SetOutcome.STORED


async def test_whoever_waited_hears_that_there_is_none() -> None:
    """All that was submitted meanwhile fails when the router cannot be used; what comes later tries anew."""
    stage = Stage(HeldDoor)
    replies: list[Any] = [stage.router.set(KEY, HOME), stage.router.get(KEY), stage.router.stats()]
    stage.transport.turn_away(PartitionBroken("it is of another version"))
    for reply in replies:
        with pytest.raises(RouterNotFoundError, match="does not answer: it is of another version"):
            await reply
        with pytest.raises(RouterNotFoundError):
            await asyncio.to_thread(reply.result)
    stage.transport.let_in()
    assert (await stage.router.set(KEY, HOME)).outcome is SetOutcome.STORED
    assert stage.transport.opened == 2


def test_a_thread_hears_that_there_is_none() -> None:
    """In a thread the call itself raises, and the next one tries anew."""
    stage = Stage(HeldDoor)

    def turn_away() -> None:
        wait_until(lambda: stage.transport.opened == 1)
        stage.transport.turn_away(PartitionBroken("it is of another version"))

    with pytest.raises(RouterNotFoundError, match="it is of another version"):
        in_threads([lambda: stage.router.get(KEY), turn_away])
    stage.transport.let_in()
    assert stage.router.get(KEY).result() is None


async def test_whoever_was_asked_dies() -> None:
    """When the partition that was asked for the directory dies, another is asked."""
    stage = Stage(HeldDoor)
    reply = stage.router.set(KEY, HOME)
    stage.transport.turn_away(PartitionLost("it died"))
    await until(lambda: stage.transport.opened == 2)
    stage.transport.let_in()
    assert (await reply).outcome is SetOutcome.STORED


def test_whoever_was_asked_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it does not answer within a while it may be frozen, and another is asked."""
    monkeypatch.setattr(link_module, "_ASK_ANOTHER_AFTER_S", 0.01)
    stage = Stage(HeldDoor)

    def let_in() -> None:
        wait_until(lambda: stage.transport.opened >= 3)
        stage.transport.let_in()

    result, _ = in_threads([lambda: stage.router.set(KEY, HOME).result(), let_in])
    assert result.outcome is SetOutcome.STORED


def test_nobody_answers_in_time() -> None:
    """Asking ends, with an error that says that the router does not answer."""
    stage = Stage(HeldDoor)
    with pytest.raises(RouterNotFoundError, match="the router does not answer"):
        Link(stage.transport).open(timeout_s=0.01)


@pytest.mark.parametrize("connected", [True, False])
async def test_a_hash_strategy_that_fails(connected: bool) -> None:
    """What a hash strategy raises reaches the caller whose key it was given, and nobody else."""
    stage = Stage(HeldDoor, partitions=2, hash_strategy=f"{__name__}:whimsical")
    stage.transport.let_in()
    if connected:
        await asyncio.to_thread(stage.router.connect)
        with pytest.raises(LookupError, match="which room"):
            stage.router.get("tg:bot:unknown")
        reply = stage.router.set(KEY, HOME)
    else:
        failed, reply = stage.router.get("tg:bot:unknown"), stage.router.set(KEY, HOME)
        with pytest.raises(LookupError, match="which room"):
            await failed
    assert (await reply).outcome is SetOutcome.STORED


def test_a_hash_strategy_that_cannot_be_imported() -> None:
    """A handle that lacks the router's hash strategy says so; it guesses no partition."""
    scene = Scene(hash_strategy="nowhere.to.be.found:strategy")
    with pytest.raises(InvalidConfigError, match="hash_strategy"):
        scene.router.get(KEY)
    assert scene.transport.sent == {}


async def test_bad_input_is_refused_before_the_router_is_known() -> None:
    """What is wrong in itself is refused in the call; what breaks a limit of the router, on waiting."""
    stage = Stage(HeldDoor)
    with pytest.raises(ValueError, match="key"):
        stage.router.get("not a key")
    too_long = stage.router.get("tg:bot:" + "x" * 1_000)
    untimely = stage.router.at(1.0).set(KEY, AWAY)
    stage.transport.let_in()
    with pytest.raises(ValueError, match="room: is 1000 bytes long"):
        await too_long
    with pytest.raises(ValueError, match="only a router with clock='event'"):
        await untimely
    assert stage.transport.sent == {}


def test_a_link_outlives_an_impatient_handle() -> None:
    """Handles over one transport each have a link of their own, and see the same router."""
    stage = Stage(HeldDoor)
    stage.transport.let_in()
    handles = [RouterHandle(stage.transport) for _ in range(3)]
    handles[0].set(KEY, HOME).result(PATIENT_S)
    assert [handle.resolve(KEY).result().route for handle in handles] == [HOME] * 3
