"""Advice as HTML: what to change and why, and a picture of each curve."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ray_router.model.advice import Advice, CurvePoint, Expected, Suggestion
from ray_router.model.html.page import Cell, Column, Html, badge, fragment, named_values, paragraph, table

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 460, 190, 44, 26, 40


def advice_html(advice: Advice) -> str:
    """The whole advice."""
    lost = advice.losses
    changes = any(each.is_change for each in advice.suggestions)
    ttl, capacity = advice.suggested.ttl_s, advice.suggested.max_entries_per_partition
    titles = (Column("setting"), Column("now", True), Column("suggested", True), Column("why"))
    return fragment(
        named_values(
            f"router {advice.name}: {advice.asks:,} resolves over {advice.span_s:,.0f} s",
            (
                ("hit ratio now", f"{advice.measured:.1%}"),
                ("as suggested", _expected(advice.expected)),
                ("without any limit", _expected(advice.limit)),
                (
                    "missing now",
                    f"{lost.expired:.1%} came back after their TTL, {lost.evicted:.1%} after they were "
                    f"evicted, {lost.unknown:.1%} had never been written",
                ),
            ),
        ),
        table(
            "what the traffic speaks for" if changes else "nothing to change",
            titles,
            [_suggestion(each) for each in advice.suggestions],
        ),
        *[paragraph(each) for each in advice.findings],
        _curve("hit ratio by TTL, seconds", advice.ttl_curve, ttl),
        _curve("hit ratio by entries of each partition", advice.capacity_curve, capacity),
    )


def _suggestion(each: Suggestion) -> tuple[Cell, ...]:
    suggested = _value(each.suggested)
    return (
        each.setting,
        _value(each.current),
        badge(suggested, "good") if each.is_change else suggested,
        each.why,
    )


def _curve(title: str, points: Sequence[CurvePoint], suggested: float | None) -> Html:
    """A line over values at even distances, with a dot at the one nearest to what is suggested."""
    if len(points) < 2:
        return Html("")
    step = (_WIDTH - _LEFT - 20) / (len(points) - 1)
    height = _HEIGHT - _TOP - _BOTTOM
    places = [
        (_LEFT + number * step, _TOP + height * (1 - each.hit_ratio)) for number, each in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    levels = [(share, _TOP + height * (1 - share)) for share in (0.0, 0.5, 1.0)]
    grid = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
        f'stroke-opacity=".25"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share, y in levels
    )
    nearest = _nearest(points, suggested)
    labelled = {0, nearest, len(points) - 1}
    labels = "".join(
        f'<text x="{places[number][0]:.1f}" y="{_HEIGHT - 22}" text-anchor="{_anchor(number, points)}">'
        f"{escape(_value(points[number].value))}</text>"
        for number in sorted(labelled)
    )
    x, y = places[nearest]
    said = f"{title}: {points[nearest].hit_ratio:.1%} at {_value(points[nearest].value)}, as suggested"
    return Html(
        f'<svg role="img" aria-label="{escape(said)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-size="11" fill="currentColor" style="max-width:100%">'
        f'<text x="0" y="12" font-weight="600">{escape(title)}</text>{grid}'
        f'<polyline points="{line}" fill="none" stroke="#2f81f7" stroke-width="2"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#1a7f37" stroke="currentColor"/>{labels}'
        f'<text x="{_LEFT}" y="{_HEIGHT - 4}">the dot: as suggested, '
        f"{points[nearest].hit_ratio:.1%}</text></svg>"
    )


def _nearest(points: Sequence[CurvePoint], value: float | None) -> int:
    """The first point that is no smaller than a value; no limit is the last."""
    bigger = [
        number
        for number, each in enumerate(points)
        if each.value is None or (value is not None and each.value >= value)
    ]
    return bigger[0] if bigger else len(points) - 1


def _anchor(number: int, points: Sequence[CurvePoint]) -> str:
    return "end" if number == len(points) - 1 else "middle" if number else "start"


def _value(value: float | None) -> str:
    return "no limit" if value is None else f"{value:,.0f}"


def _expected(expected: Expected) -> str:
    return f"{expected.hit_ratio:.1%} ± {100 * expected.uncertainty:.1f}"
