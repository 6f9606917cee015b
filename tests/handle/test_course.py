"""Whom to ask, until enough have answered."""

from __future__ import annotations

from ray_router.handle.course import Course, Leg
from ray_router.handle.strays import Strays
from ray_router.testing import ManualClock

ORDER = (0, 1, 2, 3)


def test_a_read_goes_to_the_owner_then_to_the_standby_then_to_whoever_answers() -> None:
    """Each failure asks the next; the last resort waits for both."""
    course = Course(ORDER)
    assert course.begin() == [Leg(0, copy=False)]
    assert course.failed(0) == [Leg(1, copy=True)]
    assert course.failed(1) == [Leg(0, copy=False, patient=True), Leg(1, copy=True, patient=True)]
    assert course.answered(1, 1, {}) == []
    assert course.over
    assert course.acknowledged == (1,)
    assert course.failed(0) == course.answered(0, 1, {}) == []


def test_two_copies_need_two_that_live() -> None:
    """An acknowledgement of a life that another knows to be over is asked for again."""
    course = Course(ORDER, copies=2, writes=True)
    assert course.begin() == [Leg(0, copy=False), Leg(1, copy=True)]
    assert course.answered(1, 1, {}) == []
    assert course.answered(0, 1, {1: 2}) == [Leg(1, copy=True, astray=True)]
    assert not course.over
    assert course.answered(1, 2, {1: 2}) == []
    assert course.over
    assert course.acknowledged == (0, 1)


def test_all_who_have_it_are_told_that_a_keeper_missed_it() -> None:
    """Known to be down, one is not asked at all."""
    course = Course(ORDER, copies=2, writes=True)
    assert course.begin([0, 2]) == [Leg(1, copy=True, astray=True), Leg(3, copy=True, astray=True)]
    course.answered(1, 1, {})
    course.answered(3, 1, {})
    assert course.over


def test_whoever_had_it_before_another_missed_it_is_told_in_the_end() -> None:
    """Whoever takes the place may die before it has passed it on."""
    course = Course(ORDER, copies=2, writes=True)
    course.begin()
    assert course.answered(0, 1, {}) == []
    assert course.failed(1) == [Leg(2, copy=True, astray=True)]
    assert course.answered(2, 1, {}) == [Leg(0, copy=False, astray=True)]
    assert not course.over
    assert course.answered(0, 1, {}) == []
    assert course.over


def test_who_is_left_alone_is_told_so() -> None:
    """With two partitions, and one of them failing, the other passes on what it took."""
    course = Course((0, 1), copies=2, writes=True)
    course.begin()
    assert course.answered(0, 1, {}) == []
    assert course.failed(1) == [Leg(0, copy=False, astray=True)]
    assert course.answered(0, 1, {}) == []
    assert course.over


def test_nobody_at_all() -> None:
    """When all have failed it is over, and nobody has it."""
    course = Course((0,), writes=True)
    assert course.begin([0]) == [Leg(0, copy=False, patient=True)]
    assert course.failed(0) == []
    assert (course.over, course.acknowledged) == (True, ())


def test_strays_are_forgotten_in_time_and_bounded() -> None:
    """A key is passed by for some seconds; of very many the oldest go first."""
    clock = ManualClock(0.0)
    strays = Strays(clock)
    assert "a" not in strays
    strays.note(["a"])
    clock.advance(5)
    assert "a" in strays
    clock.advance(1)
    assert "a" not in strays
    strays.note(map(str, range(10_001)))
    assert "0" not in strays
    assert "10000" in strays


def test_a_keeper_that_failed_and_lives_again_is_asked_again() -> None:
    """Before one copy has to do: others may read from it by now. Once for each life that is heard of."""
    course = Course((0, 1), copies=2, writes=True)
    course.begin()
    assert course.failed(0) == []
    assert course.answered(1, 1, {0: 2}) == [Leg(0, copy=False, astray=True)]
    assert not course.over
    assert course.failed(0) == [Leg(1, copy=True, astray=True)]  # it is gone again: one must do
    assert course.answered(1, 1, {0: 2}) == []
    assert course.over
    assert course.acknowledged == (1,)
    again = Course((0, 1), copies=2, writes=True)
    again.begin()
    again.failed(0)
    again.answered(1, 1, {0: 2})
    assert again.answered(0, 2, {0: 2}) == [Leg(1, copy=True, astray=True)]
    again.answered(1, 1, {})
    assert again.over
    assert again.acknowledged == (1, 0)
