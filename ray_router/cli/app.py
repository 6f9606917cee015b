"""The commands of ``ray-router``, registered."""

from __future__ import annotations

from typing import Annotated

import typer

import ray_router
from ray_router.cli import (
    advising,
    benchmarks,
    dashboards,
    demo,
    lifecycle,
    rebalancing,
    replays,
    resizing,
    serving,
    sessions,
    snapshots,
    watching,
)
from ray_router.cli.exits import CommandGroup
from ray_router.cli.manual import EXIT_CODES, Command, help_of

app = typer.Typer(
    name="ray-router",
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ray-router {ray_router.__version__}")
        raise typer.Exit


@app.callback(epilog=EXIT_CODES)
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Where does a reply to this session go? A partitioned, stateful route table on Ray.

    A session is named [b]channel:instance:room[/b] or [b]channel:instance:room:thread[/b].
    In a part of it a ':' is written %3A, a '%' is %25 and a lone '*' is %2A.

    Start with [b]ray-router demo[/b]. Each command says more with [b]-h[/b]; [b]--install-completion[/b]
    has your shell complete commands, options and their words.
    """


for panel, name, command in (
    ("Try it", "demo", demo.demo),
    ("Run a router", "up", lifecycle.up),
    ("Run a router", "down", lifecycle.down),
    ("Run a router", "serve", serving.serve),
    ("Run a router", "status", watching.status),
    ("Run a router", "top", watching.top),
    ("Run a router", "dashboard", dashboards.dashboard),
    ("Run a router", "revive", lifecycle.revive),
    ("Run a router", "resize", resizing.resize),
    ("Run a router", "rebalance", rebalancing.rebalance),
    ("Run a router", "prune", sessions.prune),
    ("Run a router", "snapshot", snapshots.snapshot),
    ("Run a router", "restore", snapshots.restore),
    ("Run a router", "advise", advising.advise),
    ("Ask it", "set", sessions.set_route),
    ("Ask it", "get", sessions.get),
    ("Ask it", "resolve", sessions.resolve),
    ("Ask it", "delete", sessions.delete),
    ("Play a log", "replay", replays.replay),
    ("Play a log", "simulate", replays.simulate_log),
    ("Measure it", "bench", benchmarks.bench),
):
    app.command(name, cls=Command, help=help_of(command.__doc__ or ""), rich_help_panel=panel)(command)
