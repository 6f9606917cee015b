"""How a load lies on partitions, in words."""

from __future__ import annotations

from ray_router.model import HotRoom, Load
from ray_router.model.balance import explained, hot_rooms, imbalance_of

HOT = Load(100.0, (HotRoom("irc:net:busy", 7, 75.0), HotRoom("irc:net:quiet", 8, 5.0)))
OWNER = {"irc:net:busy": 1, "irc:net:quiet": 0}


def test_imbalance_is_the_largest_over_the_mean() -> None:
    """And 1 for what is even, nothing included."""
    assert imbalance_of([3.0, 1.0]) == 1.5
    assert imbalance_of([2.0, 2.0]) == imbalance_of([0.0]) == imbalance_of([]) == 1.0


def test_a_room_with_most_of_the_traffic_is_named_and_explained() -> None:
    """With its share, its partition, and why more partitions would not help."""
    assert explained({0: 20.0, 1: 80.0}, HOT, OWNER) == (
        "room irc:net:busy has 75% of the traffic, on partition 1",
        "partition 1 has 80% of the load, 1.6 times the mean of 2",
        "that is because of irc:net:busy: the sessions of a room share a slot, and so a partition, however "
        "many there are",
    )


def test_an_even_load_needs_no_words() -> None:
    """Nor does a single partition, but for what is hot on it."""
    even = Load(100.0, tuple(HotRoom(f"irc:net:{number}", number, 5.0) for number in range(10)))
    owner = {each.room: each.slot % 2 for each in even.rooms}
    assert explained({0: 50.0, 1: 50.0}, even, owner) == ()
    assert explained({0: 100.0}, HOT, {"irc:net:busy": 0, "irc:net:quiet": 0}) == (
        "room irc:net:busy has 75% of the traffic, on partition 0",
    )
    assert explained({}, Load(), {}) == ()


def test_uneven_for_another_reason_is_not_laid_on_a_room() -> None:
    """Where the hot room is elsewhere."""
    found = explained({0: 80.0, 1: 20.0}, Load(100.0, (HotRoom("irc:net:busy", 7, 15.0),)), OWNER)
    assert found[-1] == "partition 0 has 80% of the load, 1.6 times the mean of 2"


def test_a_room_is_hot_only_if_that_is_certain() -> None:
    """What may be others' does not count."""
    assert hot_rooms(Load(100.0, (HotRoom("a:b:c", 1, 12.0, over=5.0),))) == ()
    assert hot_rooms(Load()) == ()


def test_loads_add_up() -> None:
    """The hottest of both are the hottest, and shares are of the whole."""
    both = HOT + Load(300.0, (HotRoom("irc:net:other", 3, 200.0),), ((3, 200.0),))
    assert [each.room for each in both.rooms][:2] == ["irc:net:other", "irc:net:busy"]
    assert both.share(200.0) == 0.5
    assert Load().share(1.0) == 0.0
