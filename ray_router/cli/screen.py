"""``Screen``: results go to standard output, all else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
)

_WIDTH_OF_A_PIPE = 132


class Screen:
    """Where a command writes.

    Args:
        as_json: a result is one JSON object, for programs.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.results = _console(stderr=False)
        self.chatter = _console(stderr=True)

    def show(self, result: RenderableType, data: Mapping[str, object]) -> None:
        """The result of a command, in the form asked for."""
        if self.as_json:
            print(json.dumps(data, allow_nan=False))
        else:
            self.results.print(result)

    def note(self, text: str) -> None:
        """Something a person may like to know."""
        self.chatter.print(text, style="dim", highlight=False)

    def progress(self, *more: ProgressColumn, transient: bool = False) -> Progress:
        """A bar for each task, of how far it is, with more columns to its right.

        Args:
            transient: nothing of it stays when it is over.
        """
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        return Progress(*columns, *more, console=self.chatter, transient=transient)

    @contextmanager
    def busy(self, doing: str, *, briefly: bool = False) -> Iterator[None]:
        """Say what takes a moment; where nothing can be taken back, not what takes a short one."""
        if self.chatter.is_terminal and not self.chatter.is_dumb_terminal:
            with self.chatter.status(doing):
                yield
        else:
            if not briefly:
                self.note(doing)
            yield


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_OF_A_PIPE)
    return console
