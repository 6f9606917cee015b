"""Loads by room and by slot, and how partitions would share them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ray_router import PartitionStats, RouterStats, Traffic, Window
from ray_router.core.insight import Insight, NoInsight, loads
from ray_router.core.insight.loads import Loads
from ray_router.core.insight.spread import advise_partitions, busiest_share
from ray_router.core.slots import SLOTS, slot_function
from ray_router.model import Load, PartitionInsight, ReuseCounts

slot_of = slot_function("room")


def test_a_rooms_threads_are_its_load() -> None:
    """And share its slot."""
    found = Loads(slot_of)
    for thread in range(3):
        found.add(f"irc:net:busy:{thread}", 2.0)
    found.add("irc:net:quiet", 2.0)
    load = found.load()
    assert [(each.room, each.uses, each.slot) for each in load.rooms] == [
        ("irc:net:busy", 6.0, slot_of("irc:net:busy")),
        ("irc:net:quiet", 2.0, slot_of("irc:net:quiet")),
    ]
    assert load.slots == ((slot_of("irc:net:busy"), 6.0), (slot_of("irc:net:quiet"), 2.0))
    assert load.share(6.0) == 0.75


def test_a_default_is_no_room() -> None:
    """It is load, in its slot, on every partition that holds it."""
    found = Loads(slot_of)
    found.add("irc:net:*", 1.0)
    found.add("irc:net:busy", 3.0)
    load = found.load()
    assert [(each.room, each.uses) for each in load.rooms] == [("irc:net:busy", 3.0)]
    assert load.slots == ((slot_of("irc:net:busy"), 3.0), (slot_of("irc:net:*"), 1.0))
    assert load.share(3.0) == 0.75


def test_shares_are_of_late_and_volume_is_of_all_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the loads of a busy and of a quiet partition can be added up."""
    monkeypatch.setattr(loads, "_FADES_AT", 50)
    found = Loads(slot_of)
    for _ in range(200):
        found.add("irc:net:once", 1.0)
    for _ in range(200):
        found.add("irc:net:now", 1.0)
    load = found.load()
    assert load.uses == 400.0
    assert load.rooms[0].room == "irc:net:now"
    assert sum(uses for _, uses in load.slots) == pytest.approx(400.0)
    assert sum(each.uses for each in load.rooms) == pytest.approx(400.0)


def test_a_strategy_that_fails_breaks_nothing() -> None:
    """It is foreign code, and the handle has said so already."""

    def broken(key: str) -> int:
        raise RuntimeError(key)

    found = Loads(broken)
    assert found.add("irc:net:room", 1.0) is None
    assert found.load() == Load()
    insight = Insight(0, broken)
    insight.asked(("irc:net:room",), 1.0)
    assert insight.counts(1.0).recent == ()


def test_a_partition_may_learn_nothing() -> None:
    """Where nobody will ask."""
    insight = NoInsight()
    insight.wrote(("a:b:c",), 0.0)
    insight.asked(("a:b:c",), 1.0)
    assert (insight.counts(1.0).reuse.uses, insight.hottest()) == (0, Load())


def test_a_partition_shows_its_hottest_alone() -> None:
    """All of its slots are for advice, which is asked for more rarely."""
    insight = Insight(3, slot_of)
    insight.wrote([f"irc:net:room{number}" for number in range(40)], 0.0)
    assert len(insight.hottest().slots) == len(insight.hottest().rooms) == 10
    assert len(insight.counts(1.0).load.slots) == 40
    assert insight.counts(1.0).partition == 3


def stats(busy: float, loads: Sequence[int]) -> RouterStats:
    """Partitions with these loads, which spend so much of a minute on calls, all together."""
    total = sum(loads)
    return RouterStats(
        "chat",
        1,
        tuple(
            PartitionStats(
                number,
                traffic=Traffic(resolves=load),
                windows=(Window(60.0, 60.0, busy_s=60.0 * busy * load / total),),
            )
            for number, load in enumerate(loads)
        ),
    )


def insights(slots: Sequence[tuple[int, float]]) -> list[PartitionInsight]:
    """One partition with these slots."""
    return [PartitionInsight(0, ReuseCounts(), Load(sum(uses for _, uses in slots), (), tuple(slots)))]


EVEN = [(slot, 1.0) for slot in range(0, SLOTS, 16)]


def test_slots_are_dealt_out_in_turn() -> None:
    """As they are in a balanced topology."""
    assert busiest_share([(0, 1.0), (1, 1.0), (2, 2.0)], 2) == 0.75
    assert busiest_share([(0, 1.0), (1, 1.0), (2, 2.0)], 3) == 0.5
    assert busiest_share([], 3) == 0.0


def test_partitions_that_are_not_busy_are_left_as_they_are() -> None:
    """Whatever their number."""
    suggestion, _ = advise_partitions(
        4, stats(0.8, [1, 1, 1, 1]), insights([(each, 1.0) for each in range(4)]), False
    )
    assert not suggestion.is_change
    assert "20.0% of its time" in suggestion.why


def test_busy_partitions_want_more() -> None:
    """As few as leave half of the time of the busiest free."""
    slots = [(slot, 1.0) for slot in range(96)]
    suggestion, _ = advise_partitions(2, stats(1.8, [1, 1]), insights(slots), False)
    assert suggestion.suggested == 4
    assert "90.0% of its time" in suggestion.why


def test_more_partitions_do_not_divide_a_hot_slot() -> None:
    """Which is said, instead of a number that would not help."""
    slots = [(0, 300.0), *((slot, 1.0) for slot in range(1, 101))]
    suggestion, _ = advise_partitions(2, stats(1.6, [350, 50]), insights(slots), False)
    assert not suggestion.is_change
    assert "one slot has 75.0% of the load" in suggestion.why


@pytest.mark.parametrize(("event_clock", "slots"), [(True, EVEN), (False, [])])
def test_what_cannot_be_told_is_not_guessed(event_clock: bool, slots: list[tuple[int, float]]) -> None:
    """Neither on a clock of events, nor before there was any traffic."""
    suggestion, findings = advise_partitions(3, stats(2.9, [1, 1, 1]), insights(slots), event_clock)
    assert (suggestion.suggested, findings) == (3, ())
