"""A room and all its threads share a partition, so a ladder is one call, under every strategy."""

from __future__ import annotations

from collections import Counter

import pytest

from ray_router import LocalTransport, ResolutionSource, Route, RouterHandle, Scope, SessionKey

from .subjects import HOME, WALL, CountingTransport, Routers, varied

CASES = 1_000


def climb(router: RouterHandle, batches: Counter[int], channel: str) -> None:
    """Resolve a thread without a route of its own in each of many rooms, one call each."""
    rooms = [SessionKey(channel, f"bot_{number % 7}", f"room_{number}") for number in range(CASES)]
    router.set_many([(room, Route(str(room))) for room in rooms]).result()
    for room in rooms:
        before = batches.total()
        thread = SessionKey(room.channel, room.instance, room.room, "thread")
        answer = router.resolve(thread).result()
        assert batches.total() == before + 1
        assert answer.require().external_room_id == str(room)
        assert (answer.source, answer.matched_scope) == (ResolutionSource.SCOPE, Scope.ROOM)


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_a_thread_resolves_to_its_room_in_one_call(routers: Routers, channel: str, partitions: int) -> None:
    """1,000 of 1,000 threads are answered with their room's route, by one call each."""
    router, batches = routers.counted(varied(WALL, partitions=partitions))
    climb(router, batches, channel)
    assert set(batches) == set(range(partitions))


def test_the_same_holds_for_many_partitions(channel: str) -> None:
    """It does not depend on the number of partitions."""
    transport = CountingTransport(LocalTransport(varied(WALL, partitions=64)))
    climb(RouterHandle(transport), transport.batches, channel)
    assert set(transport.batches) == set(range(64))


def test_instance_strategy_keeps_an_instance_together(routers: Routers, channel: str) -> None:
    """With ``hash_strategy="instance"`` a busy instance is one partition's load, and the ladder one call."""
    router, batches = routers.counted(varied(WALL, hash_strategy="instance"))
    busy = [SessionKey(channel, "busy", f"room_{number}") for number in range(90)]
    calm = [SessionKey(channel, f"bot_{number}", "room") for number in range(30)]
    before = router.stats().result()
    results = router.set_many([(key, HOME) for key in busy + calm]).result()
    (home,) = {result.partition for result in results[: len(busy)]}
    assert {result.partition for result in results[len(busy) :]} == set(range(WALL.partitions))
    after = router.stats().result()
    loads = [
        new.traffic.stored - old.traffic.stored
        for old, new in zip(before.partitions, after.partitions, strict=True)
    ]
    expected = Counter(result.partition for result in results[len(busy) :])
    expected[home] += len(busy)
    assert loads == [expected[partition] for partition in range(WALL.partitions)]
    batches.clear()
    router.set(SessionKey(channel, "busy"), HOME).result()
    batches.clear()
    lost = SessionKey(channel, "busy", "room_x", "thread")
    assert router.resolve(lost, widest_scope=Scope.INSTANCE).result().route == HOME
    assert batches == {home: 1}


def test_a_custom_strategy_places_as_it_says(routers: Routers, channel: str) -> None:
    """A ``module:function`` decides the partition, never sees the thread, and the ladder stays one call."""
    router, batches = routers.counted(varied(WALL, hash_strategy="contract.strategies:by_shop"))
    rooms = [
        SessionKey(channel, f"bot_{number}", f"shop_{number % 5}/{number}") for number in range(CASES // 10)
    ]
    results = router.set_many([(room, Route(str(room))) for room in rooms]).result()
    homes: dict[str, set[int]] = {}
    for room, result in zip(rooms, results, strict=True):
        homes.setdefault(str(room.room).partition("/")[0], set()).add(result.partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len(set.union(*homes.values())) > 1
    for room in rooms:
        batches.clear()
        thread = SessionKey(room.channel, room.instance, room.room, "thread")
        assert router.resolve(thread).result().require().external_room_id == str(room)
        assert batches.total() == 1
