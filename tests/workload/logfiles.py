"""Logs to read: lines as logs have them, files that hold them, and where the recorded ones are."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RECORDED = Path(os.environ.get("RAY_ROUTER_DATA", REPOSITORY / "../shared/data"))
HEADER = b"timestamp,key,size"


def chat_line(at: object = 1.0, room: object = "room", thread: object = None, **others: object) -> bytes:
    """A line of a chat log."""
    record = {"ts": at, "channel": "irc", "instance": "net", "room": room, "thread": thread, "user": "u1"}
    return json.dumps(record | others).encode()


def write(path: Path, lines: Iterable[bytes], ending: bytes = b"\n") -> Path:
    """A file of lines, gzipped if its name says so."""
    content = b"".join(line + ending for line in lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def recorded(name: str) -> Path:
    """A recorded log; the test is skipped where there is none."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"no recorded log {path}; RAY_ROUTER_DATA may name another folder")
    return path
