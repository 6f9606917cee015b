"""Folders of this machine and of others, by one set of rules; and what goes wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ray_router import SnapshotError
from ray_router.snapshot.folder import Folder, folder_at, without_secrets

from .scene import default_of, fill, lost, rooms, router_of


@pytest.fixture(params=["path", "file", "memory", "local"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, by each way to it."""
    if request.param == "path":
        return str(tmp_path / "some where")
    if request.param == "file":
        return (tmp_path / "some where").as_uri()
    if request.param == "local":
        pytest.importorskip("fsspec", reason="needs the extra 'snapshots'")
        return f"local://{tmp_path}/where"
    pytest.importorskip("fsspec", reason="needs the extra 'snapshots'")
    return f"memory:/{tmp_path}"


@pytest.fixture
def folder(uri: str) -> Folder:
    """The folder itself."""
    return folder_at(uri)


def test_what_is_written_is_read(folder: Folder) -> None:
    """As much of it as is asked for; another write takes its place."""
    folder.write("a", "x", b"12345")
    assert folder.read("a", "x", 100) == b"12345"
    assert folder.read("a", "x", 2) == b"12"
    folder.write("a", "x", b"6")
    assert folder.read("a", "x", 100) == b"6"


def test_what_is_not_there(folder: Folder) -> None:
    """Is no error: there is nothing."""
    assert folder.children() == []
    assert folder.read("a", "x", 10) is None
    folder.remove("a")
    folder.write("a", "x", b"1")
    assert folder.read("a", "y", 10) is None
    assert folder.read("b", "x", 10) is None


def test_what_is_removed_is_gone(folder: Folder) -> None:
    """With all that is in it, and nothing else is."""
    for child in ("a", "b"):
        folder.write(child, "x", b"1")
        folder.write(child, "y", b"2")
    assert sorted(folder.children()) == ["a", "b"]
    folder.remove("a")
    assert folder.children() == ["b"]
    assert folder.read("b", "y", 10) == b"2"


def test_a_router_comes_back_from_it(uri: str) -> None:
    """All of it, also when others were written since."""
    router, target = router_of(3), router_of(2)
    fill(router, rooms(50))
    router.snapshot(uri, keep=2).result()
    router.set("tg:bot:*", router.resolve("tg:bot:room_1").result().require()).result()
    for _ in range(3):
        taken = router.snapshot(uri, keep=2).result()
    assert len(folder_at(uri).children()) == 2
    assert target.restore(uri).result().snapshot.id == taken.id
    assert lost(target, rooms(50)) == []
    assert default_of(target) == default_of(router)


@pytest.mark.parametrize("uri", ["", None, 7, "a\0b"])
def test_what_names_no_folder(uri: str) -> None:
    """Is refused at once."""
    with pytest.raises(SnapshotError, match="must be the path or URI of a folder"):
        router_of().snapshot(uri)


def test_a_scheme_that_nobody_knows() -> None:
    """Is named; a package that it would need is named too."""
    pytest.importorskip("fsspec", reason="needs the extra 'snapshots'")
    with pytest.raises(SnapshotError, match="Protocol not known: nosuch"):
        folder_at("nosuch://user:secret@host/x")


def test_without_fsspec_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders of this machine need nothing."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(SnapshotError, match=r"pip install 'ray-router\[snapshots\]'"):
        router_of().snapshot("s3://bucket/chat")
    router_of().snapshot(str(tmp_path)).result()


def test_a_file_system_that_needs_more_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own words."""
    pytest.importorskip("fsspec", reason="needs the extra 'snapshots'")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(SnapshotError, match="needs a package that is not installed: Install s3fs"):
        folder_at("s3://bucket/chat")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://bucket/chat", "s3://bucket/chat"),
        ("ftp://me:p%40ss@host:21/a/b?x=secret#y", "ftp://host:21/a/b"),
        ("ftp://me:p@ss@host/a", "ftp://host/a"),
        ("filecache::ftp://me:pass@host/a", "filecache::ftp://host/a"),
    ],
)
def test_secrets_are_not_shown(uri: str, shown: str) -> None:
    """Of a URI that has them."""
    assert without_secrets(uri) == shown


def test_what_a_file_system_raises_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by its kind: its text may hold anything."""
    fsspec = pytest.importorskip("fsspec", reason="needs the extra 'snapshots'")

    def fails(*arguments: object, **others: object) -> None:
        raise RuntimeError("with a password")

    folder = folder_at("memory://x")
    monkeypatch.setattr(fsspec.filesystem("memory").__class__, "pipe_file", fails)
    with pytest.raises(SnapshotError, match=r"the file system failed with RuntimeError$"):
        folder.write("a", "x", b"1")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """By what the system says."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match="Not a directory"):
        folder_at(str(tmp_path / "file")).children()
