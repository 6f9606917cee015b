"""Files of any kind: read line by line, or refused by name, without a traceback of something else."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest

from ray_router.workload import UnreadableLogError
from ray_router.workload.lines import LONGEST_LINE, Lines

from .logfiles import write

LINES = [b"one", b"two", b"three"]


def test_a_file_and_its_gzipped_copy_have_the_same_lines(tmp_path: Path) -> None:
    """Whether a file is gzipped is seen from its content."""
    plain, zipped = write(tmp_path / "a.txt", LINES), write(tmp_path / "a.txt.gz", LINES)
    misnamed = tmp_path / "b.txt"
    misnamed.write_bytes(zipped.read_bytes())
    for path in (plain, zipped, misnamed):
        assert [*Lines(path)] == [b"one\n", b"two\n", b"three\n"]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    """A file may end without a line feed."""
    (tmp_path / "a").write_bytes(b"one\ntwo")
    assert [*Lines(tmp_path / "a")] == [b"one\n", b"two"]


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_line_beyond_the_limit_is_passed_over(tmp_path: Path, name: str) -> None:
    """It is never held as a whole, and those around it are read."""
    path = write(tmp_path / name, [b"before", b"x" * (2 * LONGEST_LINE + 5), b"after"])
    assert [*Lines(path)] == [b"before\n", None, b"after\n"]


def test_a_line_of_the_greatest_length_is_read(tmp_path: Path) -> None:
    """The limit counts the line feed."""
    longest = b"x" * (LONGEST_LINE - 1)
    assert [*Lines(write(tmp_path / "a", [longest]))] == [longest + b"\n"]


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_progress_goes_from_nothing_to_the_size_of_the_file(tmp_path: Path, name: str) -> None:
    """It is measured in bytes of the file as it lies on disk."""
    path = write(tmp_path / name, [os.urandom(500).hex().encode() for _ in range(2_000)])
    lines = Lines(path)
    seen = [lines.bytes_read for _ in lines]
    assert seen == sorted(seen)
    assert 0 < seen[0] < path.stat().st_size == seen[-1]
    lines.close()
    assert lines.bytes_read == path.stat().st_size


def test_a_pipe_is_read_too(tmp_path: Path) -> None:
    """It cannot say how far it has been read."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"one\ntwo\n",))
    writer.start()
    lines = Lines(path)
    assert [*lines] == [b"one\n", b"two\n"]
    assert lines.bytes_read == 0
    lines.close()
    writer.join()


def test_what_cannot_be_read_is_named_with_why(tmp_path: Path) -> None:
    """No file, a folder, nothing, no text: each is one sentence."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\0\0\1")
    (tmp_path / "binary.gz").write_bytes(gzip.compress(b"\x7fELF\0\0\0\1"))
    problems = {
        "missing": "cannot be read: No such file or directory",
        ".": "cannot be read: Is a directory",
        "empty": "is empty",
        "empty.gz": "is empty",
        "binary": "is not text",
        "binary.gz": "is not text",
    }
    for name, problem in problems.items():
        path = tmp_path / name
        with pytest.raises(UnreadableLogError) as caught:
            Lines(path)
        assert str(caught.value) == f"{path}: {problem}"


def test_a_file_that_was_cut_off_says_so_after_its_lines(tmp_path: Path) -> None:
    """What came before the cut is read."""
    whole = gzip.compress(b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(20_000)))
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) // 2])
    lines = iter(Lines(path))
    assert next(lines)
    with pytest.raises(UnreadableLogError, match="ends in the middle of its compressed data"):
        list(lines)


def test_a_file_that_is_cut_off_at_its_beginning_says_so(tmp_path: Path) -> None:
    """Even before its first line."""
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"one\n")[:12])
    with pytest.raises(UnreadableLogError, match="ends in the middle"):
        Lines(path)


def test_broken_compressed_data_says_so(tmp_path: Path) -> None:
    """A flipped bit, and garbage behind the end."""
    good = gzip.compress(b"one\n" * 1_000)
    for content in (good[:-6] + b"\xff" + good[-5:], good + b"more", good[:12] + b"\xff" * 40):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(UnreadableLogError, match="holds broken compressed data"):
            list(Lines(tmp_path / "a.gz"))
