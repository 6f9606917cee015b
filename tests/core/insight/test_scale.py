"""Numbers on a logarithmic scale."""

from __future__ import annotations

from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.insight.scale import AGES, INTERVALS, Scale

numbers = st.floats(min_value=0.0, max_value=1e9)


@pytest.mark.parametrize("scale", [AGES, INTERVALS, Scale(1, 4)])
def test_upper_ends_belong_to_their_class(scale: Scale) -> None:
    """And what is greater to the next; the last class has no end."""
    for number in range(scale.classes - 1):
        assert scale.class_of(scale.upper_end(number)) == number
        assert scale.class_of(scale.upper_end(number) * 1.0001) == number + 1
    assert scale.class_of(inf) == scale.class_of(1e300) == scale.classes - 1


@given(value=numbers)
def test_a_number_lies_in_its_class(value: float) -> None:
    """All of the classes before it lie below it, none of those after it, and part of its own."""
    number = AGES.class_of(value)
    assert value <= AGES.upper_end(number)
    assert number == 0 or value > AGES.upper_end(number - 1)
    if number:
        assert isclose(AGES.share_below(value, number - 1), 1.0)
    assert 0.0 <= AGES.share_below(value, number) <= 1.0
    assert isclose(AGES.share_below(value, number + 1), 0.0, abs_tol=1e-9)


@given(one=numbers, other=numbers, number=st.integers(0, AGES.classes - 1))
def test_more_lies_below_a_greater_number(one: float, other: float, number: int) -> None:
    """Of every class."""
    low, high = sorted((one, other))
    assert AGES.share_below(low, number) <= AGES.share_below(high, number)
    assert AGES.share_below(inf, number) == 1.0
