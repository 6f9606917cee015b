"""The calendar: in order, never early, and little left behind."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.calendar import NEVER, Calendar

from .strategies import steadily


class Diary:
    """Items that know their days, as whoever uses a calendar does."""

    def __init__(self) -> None:
        self.days: dict[str, int | None] = {}
        self.calendar: Calendar[str] = Calendar(lambda item, day: self.days.get(item) == day)

    def put(self, item: str, day: int | None) -> None:
        """Move an item to a day."""
        if self.days.get(item, NEVER) != day:
            self.days[item] = day
            self.calendar.add(item, day, len(self.days))

    def drain(self, now: float) -> list[str]:
        """Take all that is due."""
        taken = []
        while (item := self.calendar.take_due(now)) is not None:
            taken.append(item)
            del self.days[item]
        return taken


@pytest.fixture
def diary() -> Diary:
    """An empty diary."""
    return Diary()


@pytest.mark.parametrize(
    ("due_at", "day"), [(0.0, 0), (0.999, 0), (1.0, 1), (-0.5, -1), (1e15, 10**15), (inf, NEVER)]
)
def test_days(due_at: float, day: int | None) -> None:
    """A day is a whole second, and what never falls due has none."""
    assert Calendar.day_of(due_at) == day


@steadily(200)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 9) | st.just(inf)),
    st.lists(st.tuples(st.floats(0, 12), st.booleans()), max_size=5),
)
def test_taken_in_order_and_never_early(due: dict[str, float], moments: list[tuple[float, bool]]) -> None:
    """Items come out earliest day first, at most a second late, never early, reached or not."""
    diary = Diary()
    for item, due_at in due.items():
        diary.put(item, Calendar.day_of(due_at))
    left = dict(due)
    for now, reached in sorted(moments):
        if reached:
            while not diary.calendar.all_reached(now):
                diary.calendar.reach(now)
        taken = diary.drain(now)
        days = [Calendar.day_of(left.pop(item)) for item in taken]
        assert days == sorted(days)  # type: ignore[type-var]  # None is never taken
        assert all(due[item] < now for item in taken)
        assert all(due_at >= now - 1 for due_at in left.values())


def test_the_last_of_a_day_comes_first(diary: Diary) -> None:
    """What was listed last on a day is taken first."""
    for item in "abc":
        diary.put(item, 5)
    diary.put("a", 4)
    diary.put("a", 5)
    assert diary.drain(100.0) == ["a", "c", "b"]


def test_a_moved_item_is_taken_once(diary: Diary) -> None:
    """An item moved to and fro is taken once, on the day on which it lies at last."""
    for day in (5, 7, 5, 6, 7):
        diary.put("a", day)
    assert diary.drain(7.9) == []
    assert diary.drain(8.0) == ["a"]
    assert len(diary.calendar) == 0


def test_what_is_gone_is_passed_over(diary: Diary) -> None:
    """An item that is no longer anywhere does not fall due, and the others of its day do."""
    diary.put("stays", 5)
    diary.put("goes", 5)
    del diary.days["goes"]
    assert diary.drain(100.0) == ["stays"]


def test_never_is_no_day(diary: Diary) -> None:
    """What never falls due is listed nowhere, and never taken."""
    diary.put("a", NEVER)
    assert diary.calendar.take_due(inf) is None


def test_each_day_is_reached_once_when_it_begins(diary: Diary) -> None:
    """A day gives what is listed on it when it has begun, the earliest first, and is due when it is over."""
    for item, day in (("b", 7), ("a", 5)):
        diary.put(item, day)
    assert diary.calendar.all_reached(4.9)
    assert not diary.calendar.all_reached(5.0)
    assert diary.calendar.reach(7.5) == ["a"]
    assert diary.calendar.reach(7.5) == ["b"]
    assert diary.calendar.all_reached(7.9)
    assert diary.calendar.reach(7.9) == []
    assert diary.drain(7.9) == ["a"]
    assert diary.drain(8.0) == ["b"]


def test_what_is_added_to_a_day_that_was_reached_is_taken_in_time(diary: Diary) -> None:
    """A day that has begun still takes items, and needs not be reached again for them."""
    assert diary.calendar.reach_all(5.5) == 5
    diary.put("a", 5)
    assert diary.calendar.all_reached(5.9)
    assert diary.drain(6.0) == ["a"]


def test_a_day_that_was_swept_empty_is_passed_over(diary: Diary) -> None:
    """A day on which nothing holds any more has nothing to give when it is reached."""
    for day in range(265):
        diary.put("a", day)
    assert 0 not in diary.calendar._days
    assert diary.calendar._ahead[0] == 0
    reached = []
    while not diary.calendar.all_reached(5_000.0):
        reached += diary.calendar.reach(5_000.0)
    assert reached[-1] == "a"
    assert diary.drain(5_000.0) == ["a"]


def test_moving_items_for_ever_leaves_little_behind(diary: Diary) -> None:
    """Listings that do not hold are swept away: there are never many more than twice the items."""
    for number in range(100):
        diary.put(f"stays {number}", 1_000_000)
    for day in range(50_000):
        diary.put("a", day)
        assert len(diary.calendar) <= 2 * len(diary.days) + 300
    assert sum(map(len, diary.calendar._days.values())) == len(diary.calendar)
    assert diary.drain(100_000) == ["a"]
    assert len(diary.drain(inf)) == 100


def test_moving_to_and_fro_for_ever_leaves_little_behind(diary: Diary) -> None:
    """An item that comes back to the same day again and again is swept together there."""
    for number in range(50_000):
        diary.put("a", number % 2)
    assert len(diary.calendar) < 600
    assert diary.drain(inf) == ["a"]
