"""The command line, ``ray-router``. Needs the extra: ``pip install 'ray-router[cli]'``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits with 2 and a hint when what it is made of is not installed."""
    try:
        from ray_router.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich"):
            raise
        print(
            f"ray-router: the command line needs {missing!r}, which is not installed.\n"
            "Install it with: pip install 'ray-router[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    app()
