"""What HTML representations are made of. All text is escaped here; nothing is loaded from elsewhere.

Text takes the colour of its surroundings and lines are half transparent, so that it reads on a light page
and on a dark one, whatever tells the two apart there; what has a colour brings its own background.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple, Union

_STYLE = """<style>
.ray-router{font:13px/1.5 system-ui,sans-serif;color:inherit;max-width:72rem;overflow-x:auto}
.ray-router p{margin:.3em 0}
.ray-router table{border-collapse:collapse;margin:.5em 0;width:auto}
.ray-router caption{text-align:left;font-weight:600;padding:.2em 0}
.ray-router th,.ray-router td{text-align:left;vertical-align:top;padding:.15em 1em .15em 0;\
border:0;border-top:1px solid rgba(128,128,128,.4);background:none}
.ray-router th{font-weight:600}
.ray-router .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.ray-router .badge{border-radius:.3em;padding:.05em .45em;color:#fff;white-space:nowrap}
.ray-router .good{background:#1a7f37}
.ray-router .warn{background:#8a5a00}
.ray-router .bad{background:#b91c2b}
.ray-router .quiet{background:#57606a}
.ray-router .route{font-weight:600}
.ray-router .bar{display:inline-block;width:6em;height:.7em;border:1px solid rgba(128,128,128,.7);\
vertical-align:baseline}
.ray-router .bar span{display:block;height:100%;background:#2f81f7}
</style>"""

Mood = Literal["good", "warn", "bad", "quiet"]


class Html(NamedTuple):
    """HTML that may be written as it is."""

    text: str


Cell = Union[str, Html]


class Column(NamedTuple):
    """A column's title, and whether it holds numbers."""

    title: str
    number: bool = False


def fragment(*parts: Cell) -> str:
    """One representation, with the style that it needs."""
    return f'<div class="ray-router">{_STYLE}{"".join(map(_written, parts))}</div>'


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Html:
    """A table of these rows."""
    head = "".join(f'<th scope="col"{_class(each)}>{escape(each.title)}</th>' for each in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(column)}>{_written(cell)}</td>" for column, cell in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Html(f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def named_values(caption: str, values: Iterable[tuple[str, Cell | None]]) -> Html:
    """Names and values, those that there are."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_written(value)}</td></tr>'
        for name, value in values
        if value is not None and value != ""
    )
    return Html(f"<table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>")


def paragraph(*parts: Cell) -> Html:
    """A line of text."""
    return Html(f"<p>{''.join(map(_written, parts))}</p>")


def badge(text: str, mood: Mood) -> Html:
    """A word on a colour."""
    return Html(f'<span class="badge {mood}">{escape(text)}</span>')


def strong(text: str) -> Html:
    """What matters most."""
    return Html(f'<span class="route">{escape(text)}</span>')


def bar(share: float) -> Html:
    """A share, 0 to 1, as a bar and a number."""
    width = f"{100 * min(1.0, max(0.0, share)):.1f}%"
    return Html(f'<span class="bar"><span style="width:{width}"></span></span> {share:.0%}')


def together(*parts: Cell) -> Html:
    """Several in one."""
    return Html("".join(map(_written, parts)))


def _written(cell: Cell) -> str:
    return cell.text if isinstance(cell, Html) else escape(cell)


def _class(column: Column) -> str:
    return ' class="number"' if column.number else ""
