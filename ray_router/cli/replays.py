"""``replay`` and ``simulate``: playing a log against a router, or against the same rules in this process."""

from __future__ import annotations

from enum import Enum
from math import inf
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import typer

from ray_router.cli import options
from ray_router.cli.connection import joined, joined_or_started, own_router
from ray_router.cli.plain import fields_of, log_summary, run_summary
from ray_router.cli.progress import note_bad_lines, tracked
from ray_router.cli.run_view import RunReport, run_table
from ray_router.cli.screen import Screen
from ray_router.cli.session_view import some
from ray_router.cli.sweep_view import plot_sweep, sweep_table
from ray_router.errors import InvalidConfigError
from ray_router.workload import EventLog, Grid, closing_stats, event_config, play, simulate_router, sweep

_TTL, _NO_LIMIT = options.Several((1_800.0,)), options.Several((inf,))
_OF_ITS_OWN_ROUTER = ("partitions", "ttl", "capacity", "eviction")


class Clock(str, Enum):
    """Whose time holds."""

    EVENT = "event"
    WALL = "wall"


def replay(
    *,
    ctx: typer.Context,
    file: options.LogFile,
    clock: Annotated[
        Clock, typer.Option(help="Whose time holds: that of the log, or the present.")
    ] = Clock.EVENT,
    partitions: Annotated[int, typer.Option(min=1, max=4096, help="Partitions of the router.")] = 4,
    ttl: options.Ttl = 1_800.0,
    capacity: options.Capacity = float("inf"),
    eviction: options.Eviction = "lru",
    strict: options.Strict = False,
    as_json: options.Json = False,
    address: options.AddressOrOwn = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Replay a log through real partitions, each event resolving its own session before it sets its route.

    With [b]--clock event[/b] every call carries the time of its event, so that a log of any year is
    answered as it would have been then. A router that takes the time from its callers is deployed for
    this alone, and ended afterwards.

    With [b]--clock wall[/b] the events happen now, and feed the running router [b]--name[/b].

    Examples:
      ray-router replay chat.jsonl.gz --ttl 300
      ray-router replay chat.jsonl.gz --clock wall --name chat
    """
    screen = Screen(as_json)
    if clock is Clock.WALL:
        given = [option for option in _OF_ITS_OWN_ROUTER if _was_given(ctx, option)]
        if given:
            problem = "is for --clock event, which has a router of its own"
            raise typer.BadParameter(problem, param_hint=f"--{given[0]}")
        with joined(screen, address):
            _feed(screen, file, strict, name, namespace)
        return
    config = event_config(
        name=f"{name[:40]}-replay-{token_hex(4)}",
        partitions=partitions,
        ttl_s=options.finite(ttl),
        capacity=options.whole(capacity),
        eviction=eviction,
    )
    log = EventLog(file, strict=strict, limits=config.limits)
    log.check()
    with joined_or_started(screen, address), own_router(screen, config, namespace) as router:
        with tracked(screen, log, "replaying") as run:
            tally = play(router, run)
        stats = closing_stats(router, tally)
    restarted = [each.partition for each in stats.partitions if each.restarts]
    if restarted:
        screen.note(f"partitions {restarted} were restarted on the way, and lost what they held")
    _show(screen, log, RunReport(config, tally, stats, run.elapsed_s))


def simulate_log(
    *,
    file: options.LogFile,
    ttl: options.Ttls = _TTL,
    capacity: options.Capacities = _NO_LIMIT,
    partitions: Annotated[int, typer.Option(min=1, max=4096, help="Partitions of the router.")] = 1,
    eviction: options.Eviction = "lru",
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw the comparison: a .png, .svg or .pdf file."),
    ] = None,
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """What hit ratio would this TTL and capacity have given? The same rules in one process, without Ray.

    Of several TTLs, several capacities or both, each is played with each, and they are compared.

    Examples:
      ray-router simulate chat.jsonl.gz --ttl 300
      ray-router simulate trace.csv.gz --ttl none --capacity 2048 --json
      ray-router simulate chat.jsonl.gz --ttl 300,1800,7200,none --capacity 100,1000,none --plot hits.svg
    """
    screen = Screen(as_json)
    if len(ttl.values) * len(capacity.values) > 1 or plot is not None:
        grid = Grid(
            tuple(options.finite(each) for each in ttl.values),
            tuple(options.whole(each) for each in capacity.values),
            partitions,
            eviction,
        )
        _compare(screen, EventLog(file, strict=strict), grid, plot)
        return
    config = event_config(
        partitions=partitions,
        ttl_s=options.finite(ttl.values[0]),
        capacity=options.whole(capacity.values[0]),
        eviction=eviction,
    )
    log = EventLog(file, strict=strict, limits=config.limits)
    log.check()
    with tracked(screen, log, "simulating") as run:
        result = simulate_router(config, run)
    _show(screen, log, RunReport(result.config, result.tally, result.stats, run.elapsed_s))


def _compare(screen: Screen, log: EventLog, grid: Grid, plot: Path | None) -> None:
    """Play a log against a router of each TTL with each capacity."""
    log.check()
    with tracked(screen, log, f"simulating {some(grid.points, 'router')}") as run:
        found = sweep(run, grid)
    note_bad_lines(screen, log)
    if plot is not None:
        plot_sweep(found, plot)
    screen.show(sweep_table(found, screen.results), fields_of(found) | log_summary(log))


def _feed(screen: Screen, file: Path, strict: bool, name: str, namespace: str) -> None:
    """Play a log against a running router, as if it happened now."""
    from ray_router.runtime import connect

    router = connect(name, namespace=namespace)
    if router.config.clock != "wall":
        raise InvalidConfigError("clock", f"of the router {name!r} is 'event': it belongs to a replay")
    log = EventLog(file, strict=strict, limits=router.config.limits)
    log.check()
    with tracked(screen, log, "feeding") as run:
        tally = play(router, run, clock="wall")
    _show(screen, log, RunReport(router.config, tally, router.stats().result(), run.elapsed_s))


def _show(screen: Screen, log: EventLog, report: RunReport) -> None:
    note_bad_lines(screen, log)
    screen.show(run_table(report, screen.results), run_summary(report) | log_summary(log))


def _was_given(ctx: typer.Context, option: str) -> bool:
    source = ctx.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"
