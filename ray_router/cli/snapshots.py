"""``snapshot`` and ``restore``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Annotated

import typer
from rich.progress import TextColumn, TimeRemainingColumn

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.exits import SAID_NO, complain
from ray_router.cli.plain import fields_of
from ray_router.cli.screen import Screen
from ray_router.cli.session_view import named_values
from ray_router.errors import SnapshotNotFoundError
from ray_router.model import Restored, Snapshot, SnapshotProgress

_Uri = Annotated[
    str, typer.Argument(metavar="FOLDER", help="Path of a folder, or URI for fsspec (s3://bucket/chat).")
]


def snapshot(
    *,
    uri: _Uri,
    keep: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Remove what is older than the newest N.", show_default="all"),
    ] = None,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Write all that a router holds into a new snapshot in a folder, while it goes on working.

    A snapshot is complete when its manifest is there, and only complete ones are restored.

    Examples:
      ray-router snapshot ./snapshots --name chat
      ray-router snapshot s3://bucket/chat --keep 3
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router, _shown(screen, "snapshot") as tell:
        taken = router.snapshot(uri, keep=keep, tell=tell).result()
    screen.show(named_values(_words(taken)), fields_of(taken))


def restore(
    *,
    uri: _Uri,
    wanted: Annotated[
        str | None,
        typer.Option("--snapshot", metavar="ID", help="Which one.", show_default="the newest complete one"),
    ] = None,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Merge a snapshot into a running router, of whatever number of partitions; exit code 1 if there is none.

    What the router learnt since then stands: a snapshot only adds what it knows, as old as it is.

    Examples:
      ray-router restore ./snapshots --name chat
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        try:
            with _shown(screen, "restore") as tell:
                restored = router.restore(uri, snapshot=wanted, tell=tell).result()
        except SnapshotNotFoundError as error:
            complain(str(error))
            raise typer.Exit(SAID_NO) from None
    screen.show(named_values(_what_became(restored)), fields_of(restored))


@contextmanager
def _shown(screen: Screen, title: str) -> Iterator[Callable[[SnapshotProgress], None]]:
    """A progress bar, and what moves it."""
    began = time.monotonic()
    what = TextColumn("[dim]{task.fields[sessions]:,} sessions, {task.fields[rate]:,.0f}/s")
    with screen.progress(what, TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=1.0, sessions=0, rate=0.0)

        def tell(so_far: SnapshotProgress) -> None:
            sessions, share = so_far
            rate = sessions / max(1e-9, time.monotonic() - began)
            progress.update(task, completed=share, sessions=sessions, rate=rate)

        yield tell


def _words(taken: Snapshot) -> dict[str, str]:
    at = datetime.fromtimestamp(taken.taken_at, timezone.utc)
    return {
        "snapshot": taken.id,
        "in": taken.uri,
        "of": f"{taken.router}, {taken.partitions} partitions, {at:%Y-%m-%d %H:%M:%S} UTC",
        "sessions": f"{taken.sessions:,}",
        "defaults": f"{taken.defaults:,}",
        "size": f"{taken.size:,} bytes in {taken.chunks:,} chunks",
    }


def _what_became(restored: Restored) -> dict[str, str]:
    words = _words(restored.snapshot) | {"into": f"{restored.partitions} partitions"}
    if restored.refused:
        words["refused"] = f"{restored.refused:,} that this router does not take"
    if restored.evicted:
        words["evicted"] = f"{restored.evicted:,} to make room"
    return words
