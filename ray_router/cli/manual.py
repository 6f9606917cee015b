"""What ``--help`` says of a command: its docstring, its options, and its examples as they are typed."""

from __future__ import annotations

import inspect
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from typer.core import TyperCommand

EXIT_CODES = (
    "[b]Exit codes[/b]  0 done; 1 it said no: no route, nothing found, not taken; 2 bad usage or input, or "
    "nobody to ask; 130 stopped by Ctrl-C; 143 terminated"
)
_EXAMPLES = "Examples:\n"


class Command(TyperCommand):
    """A command that is shown by examples; no line of theirs is broken, so that they can be copied."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        super().format_help(ctx, formatter)
        examples = inspect.cleandoc(self.callback.__doc__ or "").partition(_EXAMPLES)[2]
        console = Console(highlight=False)
        console.print(Text(" Examples", style="bold"))
        for line in examples.strip().splitlines():
            console.print(Text(f"   {line.strip()}"), soft_wrap=True)
        console.print(Padding(EXIT_CODES, 1))


def help_of(docstring: str) -> str:
    """What a docstring says before its examples: each paragraph on one line, for the terminal to break."""
    told = inspect.cleandoc(docstring).partition(_EXAMPLES)[0]
    return "\n\n".join(" ".join(each.split("\n")) for each in told.strip().split("\n\n"))
