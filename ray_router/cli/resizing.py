"""``resize``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import TextColumn, TimeElapsedColumn

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.plain import fields_of
from ray_router.cli.screen import Screen
from ray_router.cli.session_view import named_values
from ray_router.model import ResizeProgress, ResizeResult


def resize(
    partitions: Annotated[
        int, typer.Argument(min=1, metavar="N", help="How many partitions there are to be.")
    ],
    *,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Add partitions to a running router, or take some away, while it is used.

    As few slots move as can be, with their sessions, and calls go on meanwhile. What was interrupted is
    completed by the same command, from anywhere, and taken back by the former number.

    Examples:
      ray-router resize 8 --name chat
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router, shown(screen, "resize") as tell:
        resized = router.resize(partitions, progress=tell).result()
    screen.show(named_values(_words(resized)), fields_of(resized))


@contextmanager
def shown(screen: Screen, what: str) -> Iterator[Callable[[ResizeProgress], None]]:
    """A progress bar that begins anew with each phase, and what moves it."""
    left = TextColumn("[dim]{task.fields[left]:,} sessions left")
    with screen.progress(left, TimeElapsedColumn()) as progress:
        task = progress.add_task(what, total=1.0, left=0)

        def tell(so_far: ResizeProgress) -> None:
            progress.update(task, description=so_far.phase, completed=so_far.done, left=so_far.left)

        yield tell


def _words(resized: ResizeResult) -> dict[str, str]:
    return {
        "partitions": f"{resized.partitions:,}",
        "slots moved": f"{resized.slots_moved:,}",
        "epoch": f"{resized.epoch:,}",
    }
