"""The curves of reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_router.bench.measure import Figure, Report
from ray_router.bench.plot import has_curves, plot
from ray_router.errors import RouterError

CURVES = Report(
    "batch",
    "how many?",
    (
        *(Figure("ours", "1/s", (size * 1.0, size * 2.0), size) for size in (10, 100)),
        *(Figure("theirs", "1/s", (size * 3.0,), size) for size in (10, 100)),
        *(Figure("ours over theirs", "ratio", (0.5,), size) for size in (10, 100)),
    ),
    "keys in a call",
)
FROM_NOTHING = Report(
    "mixed",
    "and then?",
    tuple(Figure("ours", "1/s", (1.0,), share) for share in (0.0, 0.5)),
    "share of writes",
)
POINT = Report("single", "how long?", (Figure("ours", "ms", (1.0,)),))


def test_reports_with_an_axis_are_drawn(tmp_path: Path) -> None:
    """A picture with a curve for each name, and none for ratios."""
    picture = tmp_path / "curves.svg"
    plot([CURVES, POINT, FROM_NOTHING], picture)
    text = picture.read_text()
    assert text.count("<!-- how many? -->") == text.count("<!-- and then? -->") == 1
    assert "<!-- theirs -->" in text
    assert "<!-- ours over theirs -->" not in text
    assert "<!-- how long? -->" not in text


def test_what_has_no_curve_is_not_drawn(tmp_path: Path) -> None:
    """Nor is anything that cannot be written."""
    assert [has_curves(report) for report in (CURVES, POINT)] == [True, False]
    with pytest.raises(RouterError, match="none of these measures has a curve"):
        plot([POINT], tmp_path / "curves.svg")
    with pytest.raises(RouterError, match="cannot be written"):
        plot([CURVES], tmp_path / "missing" / "curves.svg")
