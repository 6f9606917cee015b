"""The calendar: in order, never early, and nothing left behind."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.calendar import NEVER, Calendar

from .strategies import steadily


def drain(calendar: Calendar[str], now: float) -> list[str]:
    """Take all that is due."""
    taken = []
    while (item := calendar.take_due(now)) is not None:
        taken.append(item)
    return taken


@pytest.mark.parametrize(
    ("due_at", "day"), [(0.0, 0), (0.999, 0), (1.0, 1), (-0.5, -1), (1e15, 10**15), (inf, NEVER)]
)
def test_days(due_at: float, day: int | None) -> None:
    """A day is a whole second, and what never falls due has none."""
    assert Calendar.day_of(due_at) == day


@steadily(200)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 9) | st.just(inf)),
    st.lists(st.floats(0, 12), max_size=5),
)
def test_taken_in_order_and_never_early(due: dict[str, float], moments: list[float]) -> None:
    """Items come out earliest day first, at most a second late and never early."""
    calendar: Calendar[str] = Calendar()
    for item, due_at in due.items():
        calendar.add(item, Calendar.day_of(due_at))
    left = dict(due)
    for now in sorted(moments):
        taken = drain(calendar, now)
        days = [Calendar.day_of(left.pop(item)) for item in taken]
        assert days == sorted(days)  # type: ignore[type-var]  # None is never taken
        assert all(due[item] < now for item in taken)
        assert all(due_at >= now - 1 for due_at in left.values())


def test_what_is_discarded_is_not_taken() -> None:
    """An item taken off its day does not fall due, and the others of its day do."""
    calendar: Calendar[str] = Calendar()
    calendar.add("stays", 5)
    calendar.add("goes", 5)
    calendar.add("goes too", 7)
    calendar.discard("goes", 5)
    calendar.discard("goes too", 7)
    assert drain(calendar, 100.0) == ["stays"]


def test_an_item_may_come_back_to_a_day_that_was_emptied() -> None:
    """An emptied day that is filled again is taken once."""
    calendar: Calendar[str] = Calendar()
    for _ in range(3):
        calendar.add("a", 5)
        calendar.discard("a", 5)
    calendar.add("a", 5)
    assert drain(calendar, 100.0) == ["a"]


def test_never_is_no_day() -> None:
    """What never falls due can be added and discarded, and is never taken."""
    calendar: Calendar[str] = Calendar()
    calendar.add("a", NEVER)
    calendar.discard("a", NEVER)
    assert calendar.take_due(inf) is None


def test_discarding_what_was_taken_changes_nothing() -> None:
    """An item that was taken may be discarded from the day it lay on."""
    calendar: Calendar[str] = Calendar()
    calendar.add("a", 5)
    calendar.add("b", 5)
    assert calendar.take_due(6.0) == "b"
    calendar.discard("b", 5)
    assert calendar.take_due(6.0) == "a"
    calendar.discard("a", 5)
    assert calendar.take_due(6.0) is None


def test_moving_one_item_for_ever_leaves_nothing_behind() -> None:
    """Days that were emptied are forgotten, however far apart they lie."""
    calendar: Calendar[str] = Calendar()
    calendar.add("a", 0)
    for day in range(10_000):
        calendar.discard("a", day)
        calendar.add("a", day + 1)
    assert len(calendar._days) == 1
    assert len(calendar._order) < 100
    assert drain(calendar, inf) == ["a"]
