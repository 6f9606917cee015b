"""Showing how far a run over events is, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Union

from rich.progress import TextColumn, TimeRemainingColumn

from ray_router.cli.screen import Screen
from ray_router.cli.session_view import some
from ray_router.workload import Event, EventLog, SyntheticTraffic

_EVERY = 256  # events between two looks at the clock
Source = Union[EventLog, SyntheticTraffic]


class Run:
    """The events of a source on their way through, counted and timed.

    Iterating starts the time, and ends early when the time is over. ``elapsed_s``: how long it took.
    """

    def __init__(self, source: Source, most_s: float | None, show: Callable[[int, float], None]) -> None:
        self._source = source
        self._most_s = inf if most_s is None else most_s
        self._show = show
        self._began_at = time.monotonic()
        self.elapsed_s = 0.0
        self._count = 0

    def __iter__(self) -> Iterator[Event]:
        self._began_at = time.monotonic()
        for event in self._source:
            yield event
            self._count += 1
            if self._count % _EVERY == 0:
                self.look()
                if self.elapsed_s >= self._most_s:
                    return

    def look(self) -> None:
        """Show how far it is, and take the time."""
        self.elapsed_s = time.monotonic() - self._began_at
        self._show(self._count, self._count / self.elapsed_s if self.elapsed_s else 0.0)


@contextmanager
def tracked(screen: Screen, source: Source, title: str, most_s: float | None = None) -> Iterator[Run]:
    """A run over a source, with a progress bar; it ends early once ``most_s`` seconds are over.

    A log's progress is in bytes of the file, because nobody knows how many lines it has.
    """
    total = len(source) if isinstance(source, SyntheticTraffic) else source.bytes_total
    what = TextColumn("[dim]{task.fields[events]:,} events, {task.fields[rate]:,.0f}/s")
    with screen.progress(what, TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=total or None, events=0, rate=0.0)

        def show(count: int, rate: float) -> None:
            done = source.bytes_read if isinstance(source, EventLog) else count
            progress.update(task, completed=done, events=count, rate=rate)

        run = Run(source, most_s, show)
        yield run
        run.look()


def note_bad_lines(screen: Screen, log: EventLog) -> None:
    """Say which lines of a log were skipped, the first few with why."""
    if log.bad:
        screen.note(f"skipped {some(log.bad, 'line')} of {log.path} that hold no event, the first of them:")
        for line in log.bad_lines:
            screen.note(f"  line {line.number}: {line.reason}")
