"""Small logs to play."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

DAY = 86_400.0


def messages(room: str, start: float, every_s: float, count: int) -> Iterator[dict[str, object]]:
    """Messages of one room."""
    for number in range(count):
        yield {
            "ts": start + number * every_s,
            "channel": "irc",
            "instance": "net",
            "room": room,
            "thread": None,
        }


def write(path: Path, records: Iterable[dict[str, object]]) -> Path:
    """A log of these messages."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
