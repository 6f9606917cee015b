"""Durations and shares, as they are said."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.insight.words import duration, percent, round_up_s


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "no limit"),
        (inf, "no limit"),
        (0.5, "0.5 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (86_400, "1 day"),
        (129_600, "36 hours"),
        (2_505_600, "29 days"),
    ],
)
def test_durations_have_one_unit(seconds: float | None, words: str) -> None:
    """The greatest in which they are not small."""
    assert duration(seconds) == words


@given(seconds=st.floats(min_value=1.0, max_value=1e9))
def test_rounding_up_adds_at_most_a_tenth(seconds: float) -> None:
    """Never takes anything away, and rounding again changes nothing."""
    rounded = round_up_s(seconds)
    assert seconds * (1 - 1e-9) <= rounded <= seconds * 1.1 + 1e-6
    assert round_up_s(rounded) == pytest.approx(rounded)


def test_no_limit_stays_no_limit() -> None:
    """However it is rounded."""
    assert round_up_s(inf) == inf


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0.0%"), (0.432, "43.2%"), (0.0098, "0.98%"), (1.0, "100.0%")]
)
def test_small_shares_have_more_digits(share: float, words: str) -> None:
    """So that a hundredth of a point is seen."""
    assert percent(share) == words
