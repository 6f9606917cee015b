"""One session for people: an answer, a record; and times and routes as words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from math import inf

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ray_router.model import Resolution, Route, RouteRecord


def resolution_view(answer: Resolution) -> RenderableType:
    """Where a reply goes, and how that was found."""
    source = (
        answer.source.value if answer.reason is None else f"{answer.source.value} ({answer.reason.value})"
    )
    return Group(
        Text("no route", style="bold yellow") if answer.route is None else route_words(answer.route),
        named_values(
            {
                "session": str(answer.key),
                "source": source,
                "confidence": answer.confidence.name.lower(),
                "scope": None if answer.matched_scope is None else answer.matched_scope.name.lower(),
                "stale": "yes" if answer.stale else None,
                "age": _seconds(answer.age_s),
                "expires in": _seconds(answer.expires_in_s),
                "partition": f"{answer.partition}{', its standby' if answer.served_by_standby else ''}",
            }
        ),
    )


def record_view(record: RouteRecord) -> RenderableType:
    """What is stored for a session itself."""
    return Group(
        route_words(record.route),
        named_values(
            {
                "session": str(record.key),
                "freshness": record.freshness.value
                + (", held back by a failed delivery" if record.failed else ""),
                "origin": record.origin.name.lower(),
                "observed": _moment(record.observed_at),
                "age": _seconds(record.age_s),
                "expires in": _seconds(record.expires_in_s),
                "alternates": ", ".join(route_words(each).plain for each in record.alternates) or None,
            }
        ),
    )


def answers_table(answers: Iterable[tuple[str, Resolution]]) -> Table:
    """Some answers, each with what it is to show."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for title in ("where does a reply go to", "session", "answer", "source", "confidence", "reason"):
        table.add_column(title, overflow="fold")
    for title, answer in answers:
        table.add_row(
            Text(title, style="dim"),
            str(answer.key),
            Text("no route", style="yellow") if answer.route is None else route_words(answer.route),
            Text(answer.source.value, style="green" if answer else "yellow"),
            answer.confidence.name.lower(),
            "" if answer.reason is None else answer.reason.value,
        )
    return table


def named_values(values: Mapping[str, str | None]) -> Table:
    """Names and values, those that there are."""
    table = Table.grid(padding=(0, 2))
    for name, value in values.items():
        if value is not None:
            table.add_row(Text(name, style="dim"), Text(value))
    return table


def route_words(route: Route) -> Text:
    """A route in one line."""
    words = Text(route.external_room_id, style="bold")
    for name, value in (
        ("thread", route.external_thread_id),
        ("channel", route.channel),
        ("instance", route.instance),
        *route.metadata.items(),
    ):
        if value is not None:
            words.append(f" · {name} ", style="not bold dim").append(value, style="not bold")
    return words


def some(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def day(at: float) -> str:
    """The date of an epoch time, if there is a calendar for it."""
    try:
        return datetime.fromtimestamp(at, timezone.utc).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{at:g}"


def _moment(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, timezone.utc).isoformat(" ", "milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{at:g}"


def _seconds(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return "never" if seconds == inf else f"{seconds:,.1f} s"
