"""``simulate``: a table for people, one object for programs, and one line for what cannot be."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .commands import run
from .logs import DAY, messages, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two rooms: one that writes each minute, one that wrote once."""
    return write(tmp_path / "chat.jsonl", [*messages("busy", 0, 60, 10), *messages("quiet", 5, 1, 1)])


def test_the_object_has_what_a_program_needs(log: Path) -> None:
    """Counts, what they were made with, and each partition."""
    found = run("simulate", log, "--ttl", 60, "--partitions", 2, "--json").json
    assert found["hit_ratio"] == 9 / 11
    expected = {
        "events": 11,
        "sessions": 2,
        "hit": 9,
        "alternate": 0,
        "scope": 0,
        "provided": 0,
        "miss": 2,
        "stale": 0,
        "evicted": 0,
        "expired": 0,
        "unanswered": 0,
        "live": 1,
        "ttl_s": 60.0,
        "partitions": 2,
        "eviction": "lru",
        "format": "chat log",
        "bad_lines": 0,
        "first_bad_lines": [],
        "file": str(log),
    }
    assert expected.items() <= found.items()
    assert sum(each["events"] for each in found["by_partition"]) == 11
    assert sum(each["live"] for each in found["by_partition"]) == 1
    assert found["events_per_s"] > 0


def test_no_ttl_and_no_capacity_are_said_as_none(log: Path) -> None:
    """And the capacity is that of all partitions together."""
    found = run("simulate", log, "--ttl", "none", "--capacity", "none", "--json").json
    assert (found["ttl_s"], found["hit"]) == (None, 9)
    found = run("simulate", log, "--ttl", "none", "--capacity", 1, "--json").json
    assert (found["evicted"], found["live"], found["max_entries_per_partition"]) == (1, 1, 1)


def test_the_table_has_a_row_for_each_partition_and_one_for_all(log: Path) -> None:
    """What people read stands on standard output, progress does not."""
    ran = run("simulate", log, "--partitions", 4)
    assert ran.exit_code == 0
    titles = ("partition", "hit", "alternate", "scope", "provided", "miss", "stale", "evicted", "live")
    assert all(title in ran.output for title in titles)
    assert "all" in ran.output
    assert "81.8% of 11 events" in ran.output
    assert "1970-01-01 to 1970-01-01" in ran.output
    assert "simulating" not in ran.output


def test_bad_lines_are_told_apart_from_the_result(log: Path) -> None:
    """The first few with why, on standard error; all of them counted in the object."""
    with log.open("ab") as file:
        file.write(b"nope\n{}\n" * 4)
    ran = run("simulate", log, "--json")
    assert ran.json["bad_lines"] == 8
    assert ran.json["first_bad_lines"][0] == {
        "line": 12,
        "reason": "line: is not JSON: Expecting value at character 1",
    }
    assert "skipped 8 lines" in ran.errors
    assert "line 13: channel: is missing" in ran.errors


def test_strict_stops_at_the_first_bad_line(log: Path) -> None:
    """With its number."""
    log.write_bytes(log.read_bytes() + b"nope\n")
    ran = run("simulate", log, "--strict", "--json")
    assert (ran.exit_code, ran.output) == (2, "")
    assert f"{log}, line 12: line: is not JSON" in ran.errors


def test_a_trace_may_be_simulated(tmp_path: Path) -> None:
    """Which has request numbers for times, and so no TTL."""
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(gzip.compress(b"timestamp,key,size\n0,a,1\n1,b,1\n2,a,1\n"))
    found = run("simulate", path, "--ttl", "none", "--json").json
    assert (found["format"], found["events"], found["hit"]) == ("key trace", 3, 1)


def test_times_of_no_calendar_are_shown_as_they_are(tmp_path: Path) -> None:
    """Rather than not at all."""
    path = write(tmp_path / "chat.jsonl", messages("room", 1e14, DAY, 2))
    ran = run("simulate", path)
    assert (ran.exit_code, "1e+14" in ran.output) == (0, True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--ttl", "-5"], "'-5' is neither a number of seconds above 0 nor 'none'"),
        (["--ttl", "soon"], "'soon' is neither"),
        (["--capacity", "0"], "'0' is neither a whole number above 0 nor 'none'"),
        (
            ["--capacity", "3", "--partitions", "4"],
            "capacity: of 3 sessions is less than one for each partition",
        ),
        (["--partitions", "0"], "--partitions"),
        (["--eviction", "mru"], "eviction"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_options_are_refused_in_words(log: Path, options: list[str], problem: str) -> None:
    """With exit code 2, nothing on standard output, and no traceback."""
    ran = run("simulate", log, "--json", *options)
    assert (ran.exit_code, ran.output) == (2, "")
    assert problem in " ".join(ran.errors.replace("│", " ").split())
    assert "Traceback" not in ran.errors


def test_files_that_are_no_logs_are_refused_in_words(tmp_path: Path) -> None:
    """Whatever they are."""
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "binary.jsonl").write_bytes(bytes(range(256)))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 99)[:-12])
    (tmp_path / "other.csv").write_bytes(b"a,b,c\n1,2,3\n")
    for name in ("missing.jsonl", "empty.jsonl", "binary.jsonl", "cut.jsonl.gz", "other.csv", "."):
        ran = run("simulate", tmp_path / name)
        assert (ran.exit_code, ran.output) == (2, "")
        assert ran.errors.startswith(f"ray-router: {tmp_path / name}: ")
        assert "Traceback" not in ran.errors


@settings(deadline=None)
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["", ".jsonl", ".csv", ".jsonl.gz"]))
def test_no_content_of_a_file_leads_to_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    """It is a run, or it is refused."""
    path = tmp_path_factory.mktemp("garbage") / f"file{suffix}"
    path.write_bytes(content)
    assert run("simulate", path).exit_code in (0, 2)
