"""What was counted over the last minute, ten minutes and hour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.insight.windows import SPANS_S, Totals, Windows


def played(times: list[float]) -> tuple[Windows, Totals]:
    """One resolve, and a second of work, at each time."""
    windows, totals = Windows(), Totals()
    for at in times:
        if windows.due(at):
            windows.copy(totals, at)
        totals = totals._replace(
            resolves=totals.resolves + 1, exact=totals.exact + 1, busy_s=totals.busy_s + 1
        )
    return windows, totals


@given(
    times=st.lists(st.floats(0.0, 20_000.0), min_size=1, max_size=80).map(sorted),
    later=st.floats(0.0, 9_000.0),
)
def test_a_window_counts_what_lies_in_it(times: list[float], later: float) -> None:
    """All of its span, and nothing that is more than ten seconds older."""
    windows, totals = played(times)
    now = times[-1] + later
    for window, span_s in zip(windows.over(totals, now), SPANS_S, strict=True):
        assert window.span_s == span_s
        assert sum(at > now - span_s for at in times) <= window.resolves
        assert window.resolves <= sum(at > now - span_s - 10.0 for at in times)
        assert window.exact == window.resolves == window.busy_s
        assert window.covered_s <= min(now - times[0], span_s + 10.0)


def test_ratios_are_of_the_window() -> None:
    """And 0 where nothing was asked."""
    windows, totals = Windows(), Totals()
    windows.copy(totals, 0.0)
    totals = Totals(resolves=8, exact=4, fallbacks=2, writes=3, busy_s=6.0)
    minute = windows.over(totals, 60.0)[0]
    assert (minute.hit_ratio, minute.fallback_ratio, minute.writes, minute.busy) == (0.5, 0.25, 3, 0.1)
    assert windows.over(totals, 1e6)[0].hit_ratio == 0.0
    assert Windows().over(Totals(), 5.0)[0].busy == 0.0


def test_windows_add_up() -> None:
    """Those of several partitions are one."""
    windows, totals = played([1.0, 2.0, 3.0])
    first = windows.over(totals, 5.0)[0]
    both = first + first
    assert (both.resolves, both.busy_s, both.covered_s, both.span_s) == (6, 6.0, first.covered_s, 60.0)


def test_copies_are_bounded() -> None:
    """By the hour that they are for."""
    windows, _ = played([float(at) for at in range(0, 100_000, 5)])
    assert len(windows._copies) <= 362
