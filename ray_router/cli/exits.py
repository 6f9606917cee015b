"""Exit codes, and the one place where what went wrong becomes one."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from ray_router.errors import RouterError, RouterNotFoundError

SAID_NO = 1
BAD_INPUT = 2
INTERRUPTED = 130


class CommandGroup(TyperGroup):
    """Runs a command; what a user can mend is said in one line, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that ``ctx`` is of."""
        try:
            return super().invoke(ctx)
        except RouterError as error:
            complain(str(error), _hint(error))
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            complain("stopped")
            raise typer.Exit(INTERRUPTED) from None


def complain(problem: str, hint: str | None = None) -> None:
    """Say on standard error what is wrong, and what to do about it."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text.assemble(("ray-router: ", "bold red"), problem))
    if hint:
        console.print(Text(hint, style="dim"))


def _hint(error: RouterError) -> str | None:
    if isinstance(error, RouterNotFoundError):
        return "Deploy one with: ray-router up   (--name and --namespace say which)"
    return getattr(error, "hint", None)
