"""``EventLog``: the events of a chat log or a key trace, read as they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ray_router.core.settings import Limits
from ray_router.errors import InvalidInputError
from ray_router.workload.event import Event
from ray_router.workload.faults import BadLineError, UnreadableLogError
from ray_router.workload.lines import LONGEST_LINE, Lines
from ray_router.workload.records import READERS, TRACE_HEADER, LogFormat, format_of, text_of

_BAD_LINES_KEPT = 5


class BadLine(NamedTuple):
    """A line that was skipped: its number, from 1, and why."""

    number: int
    reason: str


class EventLog:
    """A log on disk. Each iteration reads it from the beginning, and keeps the order of the file.

    A line that holds no event is skipped and counted; ``bad_lines`` has the first few. Events keep the
    times they have, in whatever order those are.

    Args:
        path: a chat log (``.jsonl``, ``.ndjson``, ``.json``) or a key trace (``.csv``), gzipped or not;
            with another suffix, whichever its first line shows it to be.
        strict: the first bad line raises.
        limits: what the router to be fed accepts at most; a line beyond that is bad.

    Iterating raises:
        UnreadableLogError: there is no such file, it is no log, it breaks off, or it holds no event.
        BadLineError: only if ``strict``.
    """

    def __init__(self, path: str | Path, *, strict: bool = False, limits: Limits | None = None) -> None:
        self.path = Path(path)
        self.format: LogFormat | None = None
        self.bad = 0
        self.bad_lines: tuple[BadLine, ...] = ()
        self._strict = strict
        self._limits = limits or Limits()
        self._lines: Lines | None = None

    def __iter__(self) -> Iterator[Event]:
        self.format, self.bad = None, 0
        self.bad_lines = ()
        found = False
        lines = self._lines = Lines(self.path)
        with closing(lines):
            for number, raw in enumerate(lines, start=1):
                try:
                    event = self._event(raw)
                except InvalidInputError as error:
                    self._skip(number, str(error))
                    continue
                if event is not None:
                    found = True
                    yield event
        if not found:
            problem = "holds no event"
            if self.bad_lines:
                problem += f"; line {self.bad_lines[0].number}: {self.bad_lines[0].reason}"
            raise UnreadableLogError(str(self.path), problem)

    def check(self) -> None:
        """Read up to the first event, to know whether there is one before anything costly is begun.

        What can be read only once is left alone.

        Raises:
            LogError: as iterating does.
        """
        if not self.path.is_fifo():
            next(iter(self), None)

    @property
    def bytes_total(self) -> int:
        """The size of the file on disk; 0 when that is not known."""
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    @property
    def bytes_read(self) -> int:
        """How much of that the iteration under way has read."""
        return 0 if self._lines is None else self._lines.bytes_read

    def _event(self, line: bytes | None) -> Event | None:
        """The event of a line; None for a line that need not hold one."""
        if line is None:
            raise InvalidInputError("line", f"is longer than {LONGEST_LINE:,} bytes")
        text = text_of(line)
        if not text:
            return None
        if self.format is None:
            self.format = self._recognised(text)
            if self.format is LogFormat.TRACE:
                return None
        return READERS[self.format](text, self._limits)

    def _recognised(self, first_line: str) -> LogFormat:
        """The format of a file with this first line (which a trace has as its header)."""
        found = format_of(self.path, first_line)
        if found is None:
            raise UnreadableLogError(
                str(self.path),
                f"is neither a chat log (JSON objects, one a line) nor a key trace (CSV, {TRACE_HEADER})",
            )
        if found is LogFormat.TRACE and first_line != TRACE_HEADER:
            raise UnreadableLogError(str(self.path), f"is no key trace: its first line is not {TRACE_HEADER}")
        return found

    def _skip(self, number: int, reason: str) -> None:
        if self._strict:
            raise BadLineError(str(self.path), number, reason) from None
        self.bad += 1
        if len(self.bad_lines) < _BAD_LINES_KEPT:
            self.bad_lines += (BadLine(number, reason),)
