"""``Lines``: the lines of a file, gzipped or not, one at a time, with how far the file has been read.

Nothing of a file is held but a buffer and the line at hand, and a line has a greatest length, so that
any file may be offered. Whatever the file system or the decompressor raises becomes a ``LogError`` here.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from ray_router.workload.faults import UnreadableLogError

LONGEST_LINE = 1 << 20  # bytes; the longest real one is a few hundred
_GZIP_MAGIC = b"\x1f\x8b"
_LOOK_AT = 4_096  # bytes that tell text from anything else
_BUFFER = 1 << 16


class Lines:
    """A file that is open for reading. Iterates over its lines, None for one that is too long.

    Raises:
        UnreadableLogError: on opening or on reading.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        with self._faults_named():
            self._file: io.BufferedReader = io.BufferedReader(io.FileIO(path), _BUFFER)
        self._closed_at = 0
        try:
            with self._faults_named():
                self._text = self._unpacked()
                beginning = self._text.peek(_LOOK_AT)[:_LOOK_AT]
            if not beginning:
                raise UnreadableLogError(self._path, "is empty")
            if b"\0" in beginning:
                raise UnreadableLogError(self._path, "is not text")
        except UnreadableLogError:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes | None]:
        with self._faults_named():
            while line := self._text.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    self._skip_line()
                    yield None
                else:
                    yield line

    @property
    def bytes_read(self) -> int:
        """How far the file has been read, in bytes of the file as it is; 0 where a pipe does not say."""
        if self._file.closed:
            return self._closed_at
        try:
            return self._file.tell()
        except OSError:
            return 0

    def close(self) -> None:
        """Read no more."""
        self._closed_at = self.bytes_read
        self._file.close()

    def _unpacked(self) -> io.BufferedReader:
        if self._file.peek(2)[:2] != _GZIP_MAGIC:
            return self._file
        unzipped = gzip.GzipFile(fileobj=self._file)
        return io.BufferedReader(cast(io.RawIOBase, unzipped), _BUFFER)

    def _skip_line(self) -> None:
        while (more := self._text.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
            pass

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except EOFError:
            raise UnreadableLogError(
                self._path, "ends in the middle of its compressed data: was it cut off?"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableLogError(self._path, f"holds broken compressed data: {error}") from None
        except OSError as error:
            raise UnreadableLogError(self._path, f"cannot be read: {error.strerror or error}") from None
