"""Where snapshots lie: a folder of this machine, which needs nothing, or any that fsspec knows.

What a file system raises is mapped here, once; no error or log shows the credentials of a URI.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ray_router.errors import SnapshotError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
_USER = re.compile("://[^/]*@")
_AFTER_PATH = re.compile("[?#]")
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600  # whoever may read it knows who talks where


class Folder(Protocol):
    """A folder with folders of files in it; names are relative, and ours."""

    shown: str
    """Its URI, without passwords."""

    def children(self) -> list[str]:
        """The names of all that is in it; none if there is no such folder."""

    def write(self, child: str, name: str, data: bytes) -> None:
        """Write a file: once this returns it is there, and in some file systems not before."""

    def read(self, child: str, name: str, most: int) -> bytes | None:
        """The first ``most`` bytes of a file; None if there is no such file."""

    def remove(self, child: str) -> None:
        """Remove one of its folders with all that is in it, if it is there."""


def folder_at(uri: str) -> Folder:
    """The folder that a path or URI names, whether or not it is there.

    Raises:
        SnapshotError: it names none, or what is needed to get at it is not installed.
    """
    if not isinstance(uri, str) or not uri or "\0" in uri:
        raise SnapshotError(repr(uri)[:80], "must be the path or URI of a folder")
    if not _SCHEME.match(uri):
        return LocalFolder(Path(uri))
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc:
        return LocalFolder(Path(unquote(parts.path)))
    return FsspecFolder(uri)


def without_secrets(uri: str) -> str:
    """A URI as it may be shown: without user, password, query and fragment."""
    return _AFTER_PATH.split(_USER.sub("://", uri), maxsplit=1)[0]


class LocalFolder:
    """A folder of this machine. Files are there whole or not at all, also after a crash."""

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser().absolute()
        self.shown = str(self._path)

    def children(self) -> list[str]:
        """The names of the folders in it."""
        with _mapped(self.shown):
            try:
                return [each.name for each in self._path.iterdir() if each.is_dir()]
            except FileNotFoundError:
                return []

    def write(self, child: str, name: str, data: bytes) -> None:
        """Write beside it, and rename."""
        path = self._path / child / name
        part = path.with_name(f".{name}.part")
        with _mapped(self.shown):
            path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync(path.parent)

    def read(self, child: str, name: str, most: int) -> bytes | None:
        """Nothing but a plain file is opened: reading a pipe would wait for ever."""
        path = self._path / child / name
        with _mapped(self.shown):
            if not path.is_file():
                return None
            with path.open("rb") as file:
                return file.read(most)

    def remove(self, child: str) -> None:
        """Remove a folder."""
        with _mapped(self.shown):
            shutil.rmtree(self._path / child, ignore_errors=True)


class FsspecFolder:
    """A folder of any file system that fsspec knows: object stores, other machines, archives."""

    def __init__(self, uri: str) -> None:
        self.shown = without_secrets(uri)
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise SnapshotError(
                self.shown,
                "needs fsspec, which is not installed: pip install 'ray-router[snapshots]' "
                "(the path of a folder on this machine needs nothing)",
            ) from None
        self._fs: Any
        with _mapped(self.shown):
            try:
                self._fs, root = url_to_fs(uri)
            except ValueError as error:  # a scheme that fsspec does not know, or cannot do without more of
                raise SnapshotError(self.shown, without_secrets(str(error))) from None
        self._root = str(root).rstrip("/")

    def children(self) -> list[str]:
        """The names of all that is in it."""
        with _mapped(self.shown):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._root, detail=False)
            except FileNotFoundError:
                return []
        return [str(each).rstrip("/").rpartition("/")[2] for each in found]

    def write(self, child: str, name: str, data: bytes) -> None:
        """Write at once, which object stores do whole or not at all."""
        with _mapped(self.shown):
            self._fs.makedirs(f"{self._root}/{child}", exist_ok=True)
            self._fs.pipe_file(self._path(child, name), data)

    def read(self, child: str, name: str, most: int) -> bytes | None:
        """As much as was asked for, whatever there is."""
        with _mapped(self.shown):
            try:
                return bytes(self._fs.cat_file(self._path(child, name), start=0, end=most))
            except FileNotFoundError:
                return None

    def remove(self, child: str) -> None:
        """Remove a folder."""
        with _mapped(self.shown):
            self._fs.invalidate_cache()
            try:
                self._fs.rm(f"{self._root}/{child}", recursive=True)
            except FileNotFoundError:
                return

    def _path(self, child: str, name: str) -> str:
        return f"{self._root}/{child}/{name}"


@contextmanager
def _mapped(shown: str) -> Iterator[None]:
    try:
        yield
    except SnapshotError:
        raise
    except OSError as error:
        raise SnapshotError(shown, error.strerror or type(error).__name__) from None
    except ImportError as error:
        raise SnapshotError(shown, f"needs a package that is not installed: {error}") from None
    except Exception as error:  # file systems are foreign code; their texts may hold what should not be shown
        raise SnapshotError(shown, f"the file system failed with {type(error).__name__}") from None


def _sync(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
