"""Answers, records and explanations as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ray_router.model.explanation import Candidate, Explanation, Rung
from ray_router.model.html.page import (
    Cell,
    Column,
    Html,
    Mood,
    badge,
    fragment,
    named_values,
    strong,
    table,
    together,
)
from ray_router.model.resolution import Resolution, RouteRecord
from ray_router.model.vocabulary import Confidence, Freshness, ResolutionSource, Verdict
from ray_router.model.words import route_line, seconds

_SHOWN = 20  # answers of a batch

_MOODS: dict[Verdict, Mood] = {
    Verdict.ANSWERED: "good",
    Verdict.OUTRANKED: "quiet",
    Verdict.FAILED: "bad",
    Verdict.DEFERRED: "bad",
    Verdict.FAILED_HERE: "bad",
}


def resolution_html(answer: Resolution) -> str:
    """Where a reply goes, and how that was found."""
    standby = ", its standby" if answer.served_by_standby else ""
    return fragment(
        named_values(
            str(answer.key),
            (
                ("route", _route(answer)),
                ("source", together(_source(answer), _reason(answer))),
                ("confidence", answer.confidence.name.lower()),
                ("scope", None if answer.matched_scope is None else answer.matched_scope.name.lower()),
                ("session", badge("past its TTL", "warn") if answer.stale else None),
                ("age", seconds(answer.age_s)),
                ("fresh for", seconds(answer.expires_in_s)),
                ("partition", f"{answer.partition}{standby}"),
            ),
        )
    )


def resolutions_html(answers: Sequence[Resolution]) -> str:
    """The first of many answers."""
    rows = [
        (str(each.key), _route(each), _source(each), each.confidence.name.lower(), _reason(each))
        for each in islice(answers, _SHOWN)
    ]
    columns = [Column(title) for title in ("session", "route", "source", "confidence", "reason")]
    more = f", the first {_SHOWN}" if len(answers) > _SHOWN else ""
    return fragment(table(f"{len(answers):,} resolutions{more}", columns, rows))


def record_html(record: RouteRecord) -> str:
    """What is stored for a session itself."""
    held = together(" ", badge("held back by a failed delivery", "bad")) if record.failed else ""
    fresh = record.freshness is Freshness.FRESH
    return fragment(
        named_values(
            str(record.key),
            (
                ("route", strong(route_line(record.route))),
                ("freshness", together(badge(record.freshness.value, "good" if fresh else "warn"), held)),
                ("origin", record.origin.name.lower()),
                ("age", seconds(record.age_s)),
                ("fresh for", seconds(record.expires_in_s)),
                ("alternates", ", ".join(map(route_line, record.alternates))),
            ),
        )
    )


def explanation_html(explained: Explanation) -> str:
    """Each rung of the ladder, with what it made of each route."""
    answer = explained.resolution
    asked = [
        *(("stale answers allowed",) if explained.allow_stale else ()),
        f"widest scope {explained.widest_scope.name.lower()}",
        *(
            (f"at least {explained.min_confidence.name.lower()}",)
            if explained.min_confidence > Confidence.NONE
            else ()
        ),
    ]
    summary = named_values(
        str(explained.key),
        (
            ("route", _route(answer)),
            ("source", together(_source(answer), _reason(answer))),
            ("confidence", answer.confidence.name.lower()),
            ("asked for", ", ".join(asked)),
            ("answered by", explained.answered_by),
        ),
    )
    titles = ("rung", "route", "of", "", "why", "seen", "would be")
    rows = [row for rung in explained.rungs for row in _rung_rows(rung, answer.source)]
    return fragment(summary, table("how it was found", [Column(each) for each in titles], rows))


def _rung_rows(rung: Rung, answered: ResolutionSource) -> Iterator[tuple[Cell, ...]]:
    name: Cell = strong(rung.source.value) if rung.source is answered else rung.source.value
    if not rung.candidates:
        verdict: Cell = "" if rung.reached else badge("not reached", "quiet")
        yield (name, "", "", verdict, rung.note, "", "")
    for number, each in enumerate(rung.candidates):
        yield ("" if number else name, *_candidate_cells(each))


def _candidate_cells(each: Candidate) -> tuple[Cell, ...]:
    return (
        route_line(each.route),
        "the caller" if each.scope is None else each.scope.name.lower(),
        badge(each.verdict.value.replace("_", " "), _MOODS.get(each.verdict, "warn")),
        each.why,
        each.seen,
        each.confidence.name.lower(),
    )


def _route(answer: Resolution) -> Html:
    return badge("no route", "warn") if answer.route is None else strong(route_line(answer.route))


def _source(answer: Resolution) -> Html:
    mood: Mood = "warn" if answer.fallback else "good" if answer else "bad"
    return badge(answer.source.value, mood)


def _reason(answer: Resolution) -> str:
    return "" if answer.reason is None else f" {answer.reason.value}"
