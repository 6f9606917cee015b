"""Logs: events in the order of the file, bad lines skipped and counted, faults by name."""

from __future__ import annotations

import gzip
import os
import pickle
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import InvalidInputError, RouterError
from ray_router.core.settings import Limits
from ray_router.workload import BadLine, BadLineError, EventLog, LogFormat, UnreadableLogError
from ray_router.workload.records import chat_event, text_of

from .logfiles import HEADER, chat_line, write


def times(log: EventLog) -> list[float]:
    """When the events of a log were."""
    return [event.at for event in log]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".log", ""])
def test_the_events_of_a_chat_log_keep_the_order_of_the_file(tmp_path: Path, suffix: str) -> None:
    """And the times they have, also where those go back."""
    log = EventLog(write(tmp_path / f"chat{suffix}", [chat_line(at) for at in (3, 1, 2.5)]))
    assert times(log) == [3.0, 1.0, 2.5]
    assert (log.format, log.bad) == (LogFormat.CHAT, 0)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".trace"])
def test_the_events_of_a_trace_come_after_its_header(tmp_path: Path, suffix: str) -> None:
    """Which is no bad line."""
    log = EventLog(write(tmp_path / f"trace{suffix}", [HEADER, b"0,a,1", b"1,b,1"]))
    assert [(event.at, event.key) for event in log] == [(0.0, "trace:cache2k:a"), (1.0, "trace:cache2k:b")]
    assert (log.format, log.bad) == (LogFormat.TRACE, 0)


def test_line_endings_blank_lines_and_a_byte_order_mark_are_of_no_concern(tmp_path: Path) -> None:
    """As editors leave them."""
    lines = [b"\xef\xbb\xbf" + chat_line(1), b"", b"  ", chat_line(2)]
    log = EventLog(write(tmp_path / "a.jsonl", lines, ending=b"\r\n"))
    assert (times(log), log.bad) == ([1.0, 2.0], 0)
    trace = EventLog(write(tmp_path / "a.csv", [b"", b"\xef\xbb\xbf" + HEADER, b"1,a,1"], ending=b"\r\n"))
    assert (times(trace), trace.bad) == ([1.0], 0)


def test_bad_lines_are_skipped_and_counted_and_the_first_few_kept(tmp_path: Path) -> None:
    """With their numbers in the file, and why."""
    lines = [b"nope", chat_line(1), b"\xff", b"", *[b"{}"] * 10, chat_line(2)]
    log = EventLog(write(tmp_path / "a.jsonl", lines))
    assert times(log) == [1.0, 2.0]
    assert log.bad == 12
    assert log.bad_lines[:3] == (
        BadLine(1, "line: is not JSON: Expecting value at character 1"),
        BadLine(3, "line: is not UTF-8 at byte 1"),
        BadLine(5, "channel: is missing"),
    )
    assert len(log.bad_lines) == 5


def test_a_strict_reader_stops_at_the_first_bad_line(tmp_path: Path) -> None:
    """After the events before it."""
    log = EventLog(write(tmp_path / "a.jsonl", [chat_line(1), b"", b"nope", chat_line(2)]), strict=True)
    seen = []
    with pytest.raises(BadLineError) as caught:
        for event in log:
            seen.append(event.at)
    assert (seen, caught.value.line) == ([1.0], 3)
    assert str(caught.value) == f"{log.path}, line 3: line: is not JSON: Expecting value at character 1"


def test_a_log_may_be_read_again(tmp_path: Path) -> None:
    """From the beginning, counting anew."""
    log = EventLog(write(tmp_path / "a.jsonl", [b"nope", chat_line(1)]))
    assert times(log) == times(log) == [1.0]
    assert (log.bad, len(log.bad_lines)) == (1, 1)


def test_progress_is_known_while_a_log_is_read(tmp_path: Path) -> None:
    """Nothing before, all of it afterwards."""
    log = EventLog(write(tmp_path / "a.jsonl.gz", [chat_line(at) for at in range(100)]))
    assert (log.bytes_read, log.bytes_total) == (0, log.path.stat().st_size)
    assert len(times(log)) == 100
    assert log.bytes_read == log.bytes_total
    assert EventLog(tmp_path / "missing").bytes_total == 0


def test_a_line_that_the_router_would_refuse_is_bad(tmp_path: Path) -> None:
    """The limits are the router's."""
    path = write(tmp_path / "a.jsonl", [chat_line(room="x" * 40), chat_line(2)])
    log = EventLog(path, limits=Limits(key_part_bytes=30))
    assert (times(log), log.bad_lines) == ([2.0], (BadLine(1, "room: is 40 bytes long; the limit is 30"),))


def test_a_line_beyond_the_limit_is_bad(tmp_path: Path) -> None:
    """It is skipped like any other."""
    log = EventLog(write(tmp_path / "a.jsonl", [b"x" * 1_100_000, chat_line(2)]))
    assert times(log) == [2.0]
    assert log.bad_lines == (BadLine(1, "line: is longer than 1,048,576 bytes"),)


@pytest.mark.parametrize(
    ("name", "lines", "problem"),
    [
        ("a.jsonl", [b"", b" "], "holds no event"),
        (
            "a.jsonl",
            [b"nope", b"{}"],
            "holds no event; line 1: line: is not JSON: Expecting value at character 1",
        ),
        ("a.csv", [HEADER], "holds no event"),
        ("a.csv", [b"a,b", b"1,2"], "is no key trace: its first line is not timestamp,key,size"),
        ("a.csv", [b"1,2,3"], "is no key trace: its first line is not timestamp,key,size"),
        (
            "a.txt",
            [b"hello"],
            "is neither a chat log (JSON objects, one a line) nor a key trace (CSV, timestamp,key,size)",
        ),
    ],
)
def test_a_file_that_is_no_log_says_so(tmp_path: Path, name: str, lines: list[bytes], problem: str) -> None:
    """It would be wrong to report a run over nothing."""
    log = EventLog(write(tmp_path / name, lines))
    with pytest.raises(UnreadableLogError) as caught:
        times(log)
    assert str(caught.value) == f"{log.path}: {problem}"
    with pytest.raises(UnreadableLogError):
        log.check()


def test_a_check_reads_no_further_than_the_first_event(tmp_path: Path) -> None:
    """A file that is cut off later passes it, and fails where it is cut."""
    whole = gzip.compress(b"".join(chat_line(at, os.urandom(20).hex()) + b"\n" for at in range(5_000)))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    log = EventLog(tmp_path / "cut.jsonl.gz")
    log.check()
    with pytest.raises(UnreadableLogError, match="was it cut off"):
        times(log)


def test_a_check_leaves_a_pipe_alone(tmp_path: Path) -> None:
    """What it would read, nobody could read again."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    log = EventLog(tmp_path / "pipe.jsonl")
    log.check()
    writer = threading.Thread(target=log.path.write_bytes, args=(chat_line(1),))
    writer.start()
    assert times(log) == [1.0]
    writer.join()


@settings(deadline=None)
@given(st.lists(st.builds(chat_line, st.integers(0, 99)) | st.binary(max_size=30), max_size=20))
def test_whatever_stands_between_the_events_does_not_change_them(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    """Good lines are events, the others are counted, and no other error comes of it."""
    contents = [each.replace(b"\n", b"").replace(b"\0", b"") for each in contents]
    good, bad = [chat_line(100)], 0
    for line in contents:
        try:
            if text_of(line):
                chat_event(text_of(line), Limits())
                good.append(line)
        except InvalidInputError:
            bad += 1
    path = write(tmp_path_factory.mktemp("log") / "a.jsonl", [chat_line(100), *contents])
    log = EventLog(path)
    assert [*log] == [chat_event(line.decode(), Limits()) for line in good]
    assert log.bad == bad


@pytest.mark.parametrize("error", [UnreadableLogError("a", "is empty"), BadLineError("a", 3, "is bad")])
def test_errors_travel(error: RouterError) -> None:
    """They pickle with all they say."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))
