"""What waits for a partition leaves together, in order, and within bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ray_router import (
    FallbackReason,
    InvalidKeyError,
    PartitionUnavailableError,
    ResolutionSource,
    Route,
    RouterConfig,
    SessionKey,
    SetOutcome,
    Write,
)
from ray_router.testing import FaultyTransport
from ray_router.transport import Directory, LocalTransport, Ticket
from ray_router.transport.local import Settled

from .scene import AWAY, HOME, Scene, Stage, key_on, keys_on

KEY = "tg:bot:room"


class Lenient(FaultyTransport):
    """Tells handles of greater limits than the partitions have."""

    def __init__(self, inner: LocalTransport) -> None:
        super().__init__(inner)
        config, topology = inner.open().wait(0)
        lenient = RouterConfig(**{**config.model_dump(), "max_key_part_bytes": 65_536})
        lenient.__dict__["fingerprint"] = config.fingerprint  # passes for the same deployment
        self._directory = Directory(lenient, topology)

    def open(self) -> Ticket[Directory]:
        """Say what is not so."""
        return Settled(self._directory)


def test_what_arrives_meanwhile_leaves_together() -> None:
    """While a batch is under way all else queues, and the next batch takes it all."""
    scene = Scene()
    keys = keys_on(0, 1, 100)
    scene.transport.freeze(0)
    replies = [scene.router.set(key, Route(str(key))) for key in keys]
    assert scene.transport.sent == {0: 1}
    scene.transport.thaw(0)
    assert [reply.result().outcome for reply in replies] == [SetOutcome.STORED] * 100
    assert scene.transport.sent == {0: 2}
    answers = scene.router.resolve_many(keys).result()
    assert [answer.require().external_room_id for answer in answers] == [str(key) for key in keys]


async def test_what_tasks_submit_meanwhile_leaves_together() -> None:
    """The same holds for the tasks of an event loop."""
    scene = Scene()
    scene.transport.freeze(0)

    async def write_one(number: int) -> SetOutcome:
        return (await scene.router.set(f"tg:bot:room_{number}", HOME)).outcome

    waiting = asyncio.gather(*(write_one(number) for number in range(100)))
    await asyncio.sleep(0)
    scene.transport.thaw(0)
    assert await waiting == [SetOutcome.STORED] * 100
    assert scene.transport.sent == {0: 2}


def test_an_idle_partition_is_called_at_once() -> None:
    """Nothing waits for company: with nothing under way a call leaves in the call itself."""
    scene = Scene()
    for sent in range(1, 4):
        reply = scene.router.set(KEY, HOME)
        assert scene.transport.sent == {0: sent}
        reply.result()


def test_partitions_do_not_wait_for_each_other() -> None:
    """One that stands still holds up its own calls alone."""
    scene = Scene(partitions=2)
    scene.transport.freeze(0)
    held = scene.router.set(key_on(0, 2), HOME)
    for key in keys_on(1, 2, 5):
        assert scene.router.set(key, HOME).result().outcome is SetOutcome.STORED
    scene.transport.thaw(0)
    assert held.result().outcome is SetOutcome.STORED


def test_one_submitter_keeps_its_order() -> None:
    """Calls are carried out in the order of their submission, whichever is waited for first."""
    scene = Scene()
    scene.transport.freeze(0)
    first = scene.router.set(KEY, HOME)
    looked = scene.router.get(KEY)
    deleted = scene.router.delete(KEY)
    looked_again = scene.router.get(KEY)
    again = scene.router.set(KEY, AWAY)
    resolved = scene.router.resolve(KEY)
    scene.transport.thaw(0)
    assert resolved.result().route == AWAY
    assert again.result().outcome is SetOutcome.STORED
    assert looked_again.result() is None
    assert deleted.result() is True
    record = looked.result()
    assert record is not None
    assert record.route == HOME
    assert first.result().outcome is SetOutcome.STORED


def test_a_long_queue_leaves_in_batches_of_the_limit() -> None:
    """No batch holds more operations than ``max_batch``; each key of a batch call counts."""
    scene = Scene(max_batch=10)
    keys = keys_on(0, 1, 7)
    scene.transport.freeze(0)
    replies: list[Any] = [scene.router.set(KEY, HOME)]
    replies += [scene.router.set_many([(key, HOME) for key in keys]) for _ in range(3)]
    replies += [scene.router.set(KEY, HOME) for _ in range(4)]
    scene.transport.thaw(0)
    for reply in replies:
        reply.result()
    assert scene.transport.sent == {0: 1 + 1 + 1 + 2}  # the first alone; 7; 7; 7 and 3; 1


def test_the_queue_is_bounded() -> None:
    """Over ``max_pending_calls`` a call is answered from its fallbacks at once, or fails; others go on."""
    scene = Scene(max_pending_calls=2)
    scene.transport.freeze(0)
    under_way = [scene.router.set(KEY, HOME) for _ in range(3)]
    fallen_back = scene.router.resolve(KEY, [AWAY]).result()
    assert (fallen_back.route, fallen_back.source) == (AWAY, ResolutionSource.PROVIDED)
    assert fallen_back.reason is FallbackReason.OVERLOADED
    for refused in (scene.router.set(KEY, AWAY), scene.router.get(KEY), scene.router.resolve(KEY)):
        with pytest.raises(PartitionUnavailableError, match=r"2 operations wait for it.*limit is 2"):
            refused.result()
    written = scene.router.set_many([(KEY, AWAY)]).result()
    assert [result.outcome for result in written] == [SetOutcome.UNAVAILABLE]
    scene.transport.thaw(0)
    assert [reply.result().outcome for reply in under_way] == [SetOutcome.STORED] + [SetOutcome.REFRESHED] * 2
    assert scene.router.get(KEY).result() is not None  # and there is room again


def test_the_bound_counts_operations() -> None:
    """A batch call takes as much room as it has items; one that is alone is let in, whatever its size."""
    scene = Scene(max_pending_calls=5)
    keys = keys_on(0, 1, 8)
    scene.transport.freeze(0)
    scene.router.get(KEY)
    large = scene.router.resolve_many(keys)
    crowded = scene.router.resolve_many([KEY], [HOME]).result()
    assert crowded[0].reason is FallbackReason.OVERLOADED
    scene.transport.thaw(0)
    assert len(large.result()) == 8


def test_each_partition_has_its_own_queue() -> None:
    """A full queue in front of one partition refuses nothing for the others."""
    scene = Scene(partitions=2, max_pending_calls=1)
    here, there = key_on(0, 2), key_on(1, 2)
    scene.transport.freeze(0)
    for _ in range(2):
        scene.router.get(here)
    answers = scene.router.resolve_many([here, there], [HOME]).result()
    assert [answer.reason for answer in answers] == [FallbackReason.OVERLOADED, FallbackReason.MISS]


def test_an_error_reaches_its_own_reply_alone() -> None:
    """What the partition refuses fails the one call that asked for it; the rest of the batch is answered."""
    scene = Stage(Lenient)
    scene.router.connect()
    bad = SessionKey("tg", "bot", "x" * 1_000)
    scene.transport.freeze(0)
    first = scene.router.set(KEY, HOME)
    before, refused, after = (
        scene.router.set(KEY, AWAY),
        scene.router.set(bad, HOME),
        scene.router.resolve(KEY),
    )
    asked, looked = scene.router.resolve(bad, [HOME]), scene.router.get(bad)
    many = scene.router.resolve_many([KEY, bad])
    writes = scene.router.set_many([Write(KEY, HOME), (bad, HOME)])
    scene.transport.thaw(0)
    for reply in (refused, asked, looked, many, writes):
        with pytest.raises(InvalidKeyError) as raised:
            reply.result()
        assert raised.value.field == "room"
        assert "the limit is 512" in raised.value.problem
    assert first.result().outcome is SetOutcome.STORED
    assert before.result().outcome is SetOutcome.STORED
    assert after.result().route == AWAY
    assert scene.transport.sent == {0: 2}
