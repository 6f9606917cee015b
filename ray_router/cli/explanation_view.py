"""How an answer was found, for people: the answer, and a row for each route on each rung."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ray_router.cli.session_view import resolution_view, route_words
from ray_router.model import Candidate, Explanation, Verdict

_STYLES = {
    Verdict.ANSWERED: "bold green",
    Verdict.OUTRANKED: "dim",
    Verdict.FAILED: "red",
    Verdict.DEFERRED: "red",
    Verdict.FAILED_HERE: "red",
}


def explanation_view(explanation: Explanation) -> RenderableType:
    """The answer as without an explanation, and the ladder below it."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for title in ("rung", "route", "of", "why", "seen"):
        table.add_column(title, overflow="fold")
    for rung in explanation.rungs:
        answered = rung.source is explanation.resolution.source
        style = "bold green" if answered else "" if rung.reached else "dim"
        name = Text(rung.source.value, style=style)
        if not rung.candidates:
            table.add_row(name, "", "", Text(rung.note, style="dim"), "")
        for number, candidate in enumerate(rung.candidates):
            table.add_row("" if number else name, *_cells(candidate))
    return Group(resolution_view(explanation.resolution), table)


def _cells(candidate: Candidate) -> tuple[RenderableType, ...]:
    return (
        route_words(candidate.route),
        "the caller" if candidate.scope is None else candidate.scope.name.lower(),
        Text(candidate.why, style=_STYLES.get(candidate.verdict, "yellow")),
        Text(candidate.seen, style="dim"),
    )
