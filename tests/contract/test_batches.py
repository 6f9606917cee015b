"""``set_many`` and ``resolve_many``: in order, one call to each partition, all or nothing on bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ray_router import (
    Confidence,
    FallbackReason,
    InvalidCallError,
    InvalidInputError,
    InvalidKeyError,
    InvalidRouteError,
    Origin,
    ResolutionSource,
    Route,
    SessionKey,
    SetOutcome,
    Write,
)

from .subjects import AWAY, EVENT, HOME, WALL, Routers, varied

MANY = 200


@pytest.fixture
def rooms(channel: str) -> list[SessionKey]:
    """Many rooms, on all partitions."""
    return [SessionKey(channel, "bot", f"room_{number}") for number in range(MANY)]


def test_answers_come_in_the_order_given(routers: Routers, rooms: list[SessionKey]) -> None:
    """Results and answers stand where their items stood, whichever partition gave them."""
    router = routers()
    results = router.set_many([(key, Route(str(key))) for key in rooms]).result()
    answers = router.resolve_many(rooms[::-1]).result()
    assert [answer.key for answer in answers] == rooms[::-1]
    assert [answer.require().external_room_id for answer in answers] == [str(key) for key in rooms[::-1]]
    assert [result.partition for result in results] == [answer.partition for answer in answers[::-1]]
    assert {result.partition for result in results} == set(range(WALL.partitions))


def test_a_batch_is_one_call_to_each_partition(routers: Routers, rooms: list[SessionKey]) -> None:
    """However many items there are, each partition is called once."""
    router, batches = routers.counted()
    router.set_many([(key, HOME) for key in rooms]).result()
    assert batches == dict.fromkeys(range(WALL.partitions), 1)
    router.resolve_many(rooms).result()
    assert batches == dict.fromkeys(range(WALL.partitions), 2)


def test_only_the_partitions_concerned_are_called(routers: Routers, room: SessionKey) -> None:
    """Threads of one room are one call to one partition."""
    router, batches = routers.counted()
    threads = [replace(room, thread=f"thread_{number}") for number in range(20)]
    router.set_many([(key, HOME) for key in threads]).result()
    assert sum(batches.values()) == 1


def test_a_batch_of_nothing_calls_nobody(routers: Routers) -> None:
    """An empty batch has an empty answer and costs no call."""
    router, batches = routers.counted()
    assert list(router.set_many([]).result()) == []
    assert list(router.resolve_many([]).result()) == []
    assert not batches


def test_items_are_pairs_or_writes(routers: Routers, room: SessionKey, start: float) -> None:
    """A pair takes the defaults of ``set``; a ``Write`` has all its arguments."""
    router = routers(EVENT).at(start)
    other = replace(room, room="other")
    items: list[tuple[SessionKey, Route] | Write] = [
        (room, HOME),
        Write(str(other), AWAY, start - 7, Origin.AGENT, 20.0),
    ]
    assert [result.outcome for result in router.set_many(items).result()] == [SetOutcome.STORED] * 2
    record = router.get(other).result()
    assert record is not None
    assert (record.origin, record.observed_at, record.expires_in_s) == (Origin.AGENT, start - 7, 13)
    assert router.resolve(room).result().route == HOME


def test_a_key_may_come_twice(routers: Routers, room: SessionKey, start: float) -> None:
    """The same key twice in a batch is two writes, in order, and two answers."""
    router = routers(EVENT).at(start)
    results = router.set_many([(room, HOME), (room, AWAY)]).result()
    assert [result.outcome for result in results] == [SetOutcome.STORED] * 2
    assert [answer.route for answer in router.resolve_many([room, room]).result()] == [AWAY] * 2


def test_resolve_many_takes_what_resolve_takes(routers: Routers, room: SessionKey, start: float) -> None:
    """Fallbacks, staleness, scope and confidence hold for every key of the batch."""
    router = routers(EVENT).at(start)
    stale, unknown = replace(room, room="stale"), replace(room, room="unknown")
    router.set(replace(stale, room=None), AWAY).result()
    router.set(stale, HOME, observed_at=start - 500).result()
    fallen_back = router.resolve_many([stale, unknown], [HOME]).result()
    assert [answer.source for answer in fallen_back] == [ResolutionSource.PROVIDED] * 2
    tired, missed = router.resolve_many([stale, unknown], allow_stale=True).result()
    assert (tired.source, missed.source) == (ResolutionSource.STALE, ResolutionSource.NONE)
    wide = router.resolve_many([stale, unknown], widest_scope=2).result()  # type: ignore[arg-type]  # its value
    assert [answer.source for answer in wide] == [ResolutionSource.SCOPE] * 2
    sure = router.resolve_many([unknown], [HOME], min_confidence=Confidence.INHERITED).result()
    assert sure[0].reason is FallbackReason.LOW_CONFIDENCE


@pytest.mark.parametrize(
    ("bad", "error", "field"),
    [
        (("not a key", HOME), InvalidKeyError, "key"),
        (("a:b:c", "not a route"), InvalidRouteError, "route"),
        (Write("a:b:c", HOME, float("nan")), InvalidCallError, "observed_at"),
        (Write("a:b:c", HOME, ttl_s=-1.0), InvalidCallError, "ttl_s"),
        (Write("a:b:c", Route("x", channel="other")), InvalidRouteError, "channel"),
        (("a:b:" + "c" * 600, HOME), InvalidKeyError, "room"),
        ("neither", InvalidCallError, "items[2]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_item_refuses_the_whole_batch(
    routers: Routers, rooms: list[SessionKey], bad: object, error: type[InvalidInputError], field: str
) -> None:
    """One bad item raises at once, names the field, and nothing of the batch is sent."""
    router, batches = routers.counted()
    with pytest.raises(error) as raised:
        router.set_many([(rooms[0], HOME), (rooms[1], HOME), bad])  # type: ignore[list-item]
    assert raised.value.field == field
    assert not batches
    assert not any(router.resolve_many(rooms[:2]).result())


def test_batches_are_bounded(routers: Routers, rooms: list[SessionKey]) -> None:
    """A batch over ``max_batch`` is refused with the limit, before anything is sent."""
    router, batches = routers.counted(varied(WALL, max_batch=10))
    with pytest.raises(InvalidCallError, match="items: are 11 in one call; the limit is 10"):
        router.set_many([(key, HOME) for key in rooms[:11]])
    with pytest.raises(InvalidCallError, match="keys: are 11 in one call; the limit is 10"):
        router.resolve_many(rooms[:11])
    assert not batches
    assert len(router.set_many([(key, HOME) for key in rooms[:10]]).result()) == 10


def test_one_key_is_not_a_batch(routers: Routers, room: SessionKey) -> None:
    """A key where keys are expected is refused, rather than taken apart letter by letter."""
    router = routers()
    for keys in (room, str(room)):
        with pytest.raises(InvalidCallError, match="keys"):
            router.resolve_many(keys)  # type: ignore[arg-type]
