"""Advice for people: what it is, what it might be, why, and the curves behind it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ray_router.cli.fitting import Cell, Column, fitted_table
from ray_router.cli.session_view import some
from ray_router.core.insight.words import duration
from ray_router.model import Advice, CurvePoint, Expected, Suggestion

_BAR_WIDTH = 30


def advice_view(advice: Advice, console: Console) -> RenderableType:
    """The whole advice, in the width that there is."""
    lost = advice.losses
    summary = Text.assemble(
        ("router ", "dim"),
        (advice.name, "bold"),
        (" · ", "dim"),
        some(advice.asks, "resolve"),
        (" over ", "dim"),
        duration(advice.span_s),
        ("\nhit ratio now ", "dim"),
        (f"{advice.measured:.1%}", "bold"),
        (", as suggested ", "dim"),
        (_expected(advice.expected), "bold green"),
        (", without any limit ", "dim"),
        _expected(advice.limit),
        ("\nmissing now: ", "dim"),
        f"{lost.expired:.1%} came back after their TTL, {lost.evicted:.1%} after they were evicted, "
        f"{lost.unknown:.1%} had never been written",
    )
    changes = [each for each in advice.suggestions if each.is_change]
    columns = [
        Column("setting", [each.setting for each in advice.suggestions], "left"),
        Column("now", [_value(each, each.current) for each in advice.suggestions]),
        Column("suggested", [_suggested(each) for each in advice.suggestions]),
    ]
    reasons: list[RenderableType] = [
        Padding(Text.assemble((f"{each.setting}: ", "bold"), each.why), (0, 0, 0, 2))
        for each in advice.suggestions
    ]
    if not changes:
        reasons.insert(0, Text("  nothing to change", style="green"))
    findings = [Padding(Text(f"! {each}", style="yellow"), (0, 0, 0, 2)) for each in advice.findings]
    return Group(
        summary,
        fitted_table(console, columns, ()),
        *reasons,
        *findings,
        "",
        curve_table(console, "TTL", [(duration(each.value), each) for each in advice.ttl_curve]),
        curve_table(
            console,
            "entries of each partition",
            [(_count(each.value), each) for each in advice.capacity_curve],
        ),
    )


def curve_table(console: Console, title: str, points: Sequence[tuple[str, CurvePoint]]) -> RenderableType:
    """A curve as bars, one for each value."""
    bars = [Text("█" * round(each.hit_ratio * _BAR_WIDTH), style="green") for _, each in points]
    columns = [
        Column(title, [label for label, _ in points]),
        Column("hit ratio", [f"{each.hit_ratio:.1%}" for _, each in points]),
        Column("", bars, "left"),
    ]
    return fitted_table(console, columns, [""])


def _expected(expected: Expected) -> str:
    return f"{expected.hit_ratio:.1%} ± {100 * expected.uncertainty:.1f}"


def _suggested(suggestion: Suggestion) -> Cell:
    return Text(
        _value(suggestion, suggestion.suggested), style="bold green" if suggestion.is_change else "dim"
    )


def _value(suggestion: Suggestion, value: float | None) -> str:
    if suggestion.setting == "ttl_s":
        return duration(value) + ("" if value is None else f" ({value:,.0f} s)")
    return _count(value)


def _count(value: float | None) -> str:
    return "no limit" if value is None else f"{value:,.0f}"
