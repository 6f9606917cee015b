"""What partitions give to snapshots and take from them: facts, merged like any other."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.archive import Archive, checked_state
from ray_router.core.candidates import NOTHING, Observation, SessionState, merge
from ray_router.core.operations import Operation
from ray_router.core.parcels import packed
from ray_router.core.partition import Partition
from ray_router.core.reading import Place, Reading
from ray_router.core.settings import Limits
from ray_router.core.slots import Topology, slot_function
from ray_router.errors import InvalidInputError

from .strategies import (
    CHANNEL,
    INSTANCE,
    LIMIT,
    LINEAGE,
    ROOM,
    THREAD,
    ask,
    operations_on,
    partition_of,
    states,
    steadily,
    ttls,
    write,
)

NOW = 8.0
LIMITS = Limits()
ROUTE = Observation(2, 1.0, 5.0, "A")
operations = st.lists(st.sampled_from(LINEAGE).flatmap(lambda key: operations_on(key, ttls)), max_size=6)


def archive_of(partition: Partition, index: int = 0, partitions: int = 1) -> Archive:
    """The archive of a partition that keeps no copies."""
    topology = Topology.balanced(partitions)
    return Archive(index, partition, lambda: topology, slot_function("room"), None)


def sorted_through(reading: Reading) -> Reading:
    """A reading, all of whose keys are sorted."""
    while reading.sort_some(2):
        pass
    return reading


def snapshot_of(
    partition: Partition, meanwhile: Callable[[], None] = lambda: None
) -> dict[str, SessionState]:
    """What a snapshot has of a partition, read key by key; something happens before each."""
    archive = archive_of(partition)
    reading = sorted_through(archive.begin())
    found: dict[str, SessionState] = {}
    place: Place | None = Place()
    while place is not None:
        meanwhile()
        keys, place = reading.keys_from(place, 1)
        found |= {key: archive.state(key) for key in keys}
    return found


def carried_out(partition: Partition, some: list[Operation]) -> None:
    """Carry out operations."""
    if some:
        ask(partition, *some, now=NOW)


def known(partition: Partition) -> dict[str, SessionState]:
    """All that a partition knows of the sessions of these tests."""
    return {key: partition.known(key) for key in LINEAGE}


def held(partition: Partition) -> dict[str, SessionState]:
    """The same but for sessions of which only the deletion is known: no key is left of those."""
    return {key: NOTHING if state[:-1] == NOTHING[:-1] else state for key, state in known(partition).items()}


def restored_into(partition: Partition, snapshot: dict[str, SessionState]) -> None:
    """Take in a snapshot, each state checked."""
    archive = archive_of(partition)
    for key, state in snapshot.items():
        archive.take_in(key, checked_state(key, packed(state), LIMITS), NOW)


def roomy() -> Partition:
    """A partition that forgets nothing during a test."""
    return partition_of(max_candidates=LIMIT, capacity=100)


@steadily(40)
@given(operations, st.lists(operations, max_size=3), operations)
def test_a_snapshot_during_writes_is_a_merge(
    before: list[Operation], during: list[list[Operation]], elsewhere: list[Operation]
) -> None:
    """It has all that was held when it began, and nothing that was not known when it ended."""
    source, target = roomy(), roomy()
    carried_out(source, before)
    at_first, left = held(source), list(during)
    snapshot = snapshot_of(source, lambda: carried_out(source, left.pop()) if left else None)
    at_last = known(source)
    carried_out(target, elsewhere)
    was = known(target)
    restored_into(target, snapshot)
    for key, state in known(target).items():
        least = merge(was[key], at_first[key], LIMIT)
        most = merge(was[key], at_last[key], LIMIT)
        assert merge(state, least, LIMIT) == state
        assert merge(state, most, LIMIT) == most


@steadily(40)
@given(operations, operations)
def test_it_does_not_matter_when_it_is_restored(first: list[Operation], live: list[Operation]) -> None:
    """Before or after what is written live, once or twice."""
    source, early, late = roomy(), roomy(), roomy()
    carried_out(source, first)
    snapshot = snapshot_of(source)
    restored_into(early, snapshot)
    carried_out(early, live)
    carried_out(late, live)
    restored_into(late, snapshot)
    restored_into(late, snapshot)
    assert known(early) == known(late)


def test_stamps_are_those_of_then() -> None:
    """One of a time to come as well: nothing is clamped, so nothing is another than it was."""
    source, target = roomy(), roomy()
    ask(source, write(ROOM, "A", 1.0, ttl_s=5.0), now=NOW)
    restored_into(target, {ROOM: SessionState((ROUTE._replace(observed_at=1e6),))} | snapshot_of(source))
    assert target.known(ROOM) == source.known(ROOM)
    restored_into(target, {THREAD: SessionState((ROUTE._replace(observed_at=1e6),))})
    assert target.known(THREAD).observations[0].observed_at == 1e6


def test_each_default_is_given_by_the_owner_of_its_slot_alone() -> None:
    """All partitions hold them, and a snapshot holds each once."""
    partitions = 5
    given = []
    for index in range(partitions):
        partition = partition_of()
        ask(partition, write(INSTANCE, "A", 1.0), write(CHANNEL, "B", 1.0), now=NOW)
        reading = sorted_through(archive_of(partition, index, partitions).begin())
        given += reading.keys_from(Place(), 10)[0]
    assert sorted(given) == sorted([INSTANCE, CHANNEL])


def test_what_makes_room_is_counted() -> None:
    """A full partition takes in a living session, and says what that cost."""
    target = partition_of(capacity=1)
    ask(target, write("tg:bot:live", "A", 1.0), now=NOW)
    assert archive_of(target).take_in(ROOM, SessionState((ROUTE._replace(ttl_s=inf),)), NOW) == 1
    assert target.known(ROOM) != NOTHING


@given(states)
def test_whatever_can_be_known_is_accepted(state: SessionState) -> None:
    """As it travels."""
    assert checked_state(ROOM, packed(state), LIMITS) == state


def state_with(**fields: Any) -> tuple[Any, ...]:
    """A state as it travels, good but for these fields."""
    good = {"observations": (), "failed": (), "confirmed": (), "deferred": (), "deleted_at": -inf}
    return tuple((good | fields).values())


@pytest.mark.parametrize(
    ("state", "field"),
    [
        (None, "state"),
        ((), "state"),
        ((1, 2, 3, 4), "state"),
        (state_with(observations=7), "observations"),
        (state_with(observations=(7,)), "observations"),
        (state_with(observations=((2, 1.0, 5.0),)), "observations"),
        (state_with(observations=((9, 1.0, 5.0, "A"),)), "origin"),
        (state_with(observations=((True, 1.0, 5.0, "A"),)), "origin"),
        (state_with(observations=((2, nan, 5.0, "A"),)), "observed_at"),
        (state_with(observations=((2, 1e16, 5.0, "A"),)), "observed_at"),
        (state_with(observations=((2, "1", 5.0, "A"),)), "observed_at"),
        (state_with(observations=((2, 1.0, 0.0, "A"),)), "ttl_s"),
        (state_with(observations=((2, 1.0, None, "A"),)), "ttl_s"),
        (state_with(observations=((2, 1.0, 5.0, ""),)), "external_room_id"),
        (state_with(observations=((2, 1.0, 5.0, 7),)), "route"),
        (state_with(observations=((2, 1.0, 5.0, "A" * 4_000),)), "route"),
        (state_with(failed=((1.0,),)), "failed"),
        (state_with(failed=((inf, "A"),)), "at"),
        (state_with(confirmed=(("x", "A"),)), "at"),
        (state_with(confirmed=((1.0, b"A"),)), "route"),
        (state_with(deferred=((1.0, "A", -1.0),)), "retry_after_s"),
        (state_with(deferred=((1.0, "A"),)), "deferred"),
        (state_with(deleted_at=None), "deleted_at"),
        (state_with(deleted_at=inf), "deleted_at"),
    ],
)
def test_what_cannot_be_is_refused_by_name(state: object, field: str) -> None:
    """Whoever wrote it."""
    with pytest.raises(InvalidInputError) as caught:
        checked_state(ROOM, state, LIMITS)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "key", [None, 7, "", "tg", "tg:bot:a:b:c", "tg:bot:%zz", "tg:" + "b" * 600 + ":room"]
)
def test_what_is_no_key_is_refused(key: object) -> None:
    """Before its state is looked at."""
    with pytest.raises(InvalidInputError):
        checked_state(key, packed(NOTHING), LIMITS)


def test_who_keeps_no_copies_is_always_ready() -> None:
    """It holds what it holds."""
    assert archive_of(partition_of()).ready
