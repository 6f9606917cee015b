"""``simulate`` with several values: a table, an object, a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import run
from .logs import messages, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two rooms that write each minute, in turn."""
    return write(
        tmp_path / "chat.jsonl",
        sorted(
            [*messages("one", 0, 60, 10), *messages("two", 30, 60, 10)],
            key=lambda each: float(str(each["ts"])),
        ),
    )


def test_each_ttl_is_played_with_each_capacity(log: Path) -> None:
    """In the order given, each value once."""
    found = run("simulate", log, "--ttl", "60,none,60", "--capacity", "1,none", "--json").json
    points = [(each["ttl_s"], each["capacity"], each["hit_ratio"]) for each in found["points"]]
    assert points == [(60.0, 1, 0.0), (60.0, None, 0.9), (None, 1, 0.0), (None, None, 0.9)]
    assert (found["events"], found["sessions"], found["format"]) == (20, 2, "chat log")
    assert found["grid"]["partitions"] == 1


def test_the_table_has_a_row_for_each_ttl(log: Path) -> None:
    """And a column for each capacity."""
    ran = run("simulate", log, "--ttl", "10,60", "--capacity", "1,none")
    assert ran.exit_code == 0, ran.errors
    assert "10 seconds" in ran.output and "1 minute" in ran.output
    assert "no limit" in ran.output and "90.0%" in ran.output


@pytest.mark.parametrize(("options", "suffix"), [(("--ttl", "10,60"), "svg"), (("--capacity", "1,2"), "png")])
def test_the_comparison_is_drawn(log: Path, tmp_path: Path, options: tuple[str, str], suffix: str) -> None:
    """As a picture of the kind that the file's name says."""
    pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
    picture = tmp_path / f"hits.{suffix}"
    ran = run("simulate", log, *options, "--plot", picture)
    assert ran.exit_code == 0, ran.errors
    assert picture.read_bytes().startswith(b"<?xml" if suffix == "svg" else b"\x89PNG")


def test_a_picture_that_cannot_be_made_is_said_so(log: Path, tmp_path: Path) -> None:
    """In one line."""
    pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
    ran = run("simulate", log, "--ttl", "10,60", "--plot", tmp_path / "hits.nonsense")
    assert ran.exit_code == 2
    assert "cannot be written" in ran.errors
    assert "Traceback" not in ran.errors


@pytest.mark.parametrize("value", ["10,", "10,soon", ","])
def test_a_bad_value_among_good_ones_is_named(log: Path, value: str) -> None:
    """As it would be alone."""
    ran = run("simulate", log, "--ttl", value)
    assert ran.exit_code == 2
    assert "is neither a number of seconds above 0 nor 'none'" in " ".join(
        ran.errors.replace("│", " ").split()
    )
