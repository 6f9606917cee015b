"""``bench``: the router's figures, beside those of its peers, on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import replace
from os import environ
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import TimeElapsedColumn

from ray_router.cli import options
from ray_router.cli.bench_view import bench_summary, machine_view, measures_table, report_view
from ray_router.cli.connection import joined_or_started
from ray_router.cli.extras import require
from ray_router.cli.screen import Screen
from ray_router.errors import RouterError

if TYPE_CHECKING:
    from ray_router.bench.catalogue import Measure
    from ray_router.bench.machine import Machine
    from ray_router.bench.measure import Report
    from ray_router.bench.stage import Stage

_PICTURES = (".svg", ".png", ".pdf")


def bench(
    *,
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MEASURE]...", help="Measures to take; without any, all.", show_default=False
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="How often each figure is taken.")] = 5,
    scale: Annotated[
        float,
        typer.Option(min=1e-6, max=100.0, metavar="X", help="Of sizes and times: 0.01 is a quick look."),
    ] = 1.0,
    large: Annotated[bool, typer.Option("--large", help="A table of 10,000,000 routes, too.")] = False,
    chaos: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="MINUTES",
            help="Kill partitions under load for so long, and show what that did.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the curves.", show_default=False)
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Show the measures that there are.")] = False,
    as_json: options.Json = False,
    address: options.AddressOrOwn = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Measure the router beside a bare Ray actor, an actor with a dictionary, cachetools, and Redis.

    All are taken in turns in the same run, and compared round by round. Routers, actors and a
    redis-server (where it is installed) are started for this alone, and ended afterwards. Recorded logs are
    looked for in the folder that RAY_ROUTER_DATA names.

    With --chaos partitions of routers of its own are killed instead, for that time together.

    Examples:
      ray-router bench single concurrency batch
      ray-router bench --scale 0.01 --rounds 1 --json
      ray-router bench --chaos 30
    """
    screen = Screen(as_json)
    require("psutil", "measuring", "bench")
    if plot is not None:
        require("matplotlib", "measuring", "bench")
        if plot.suffix not in _PICTURES or not plot.absolute().parent.is_dir():
            problem = f"must end in {' or '.join(_PICTURES)}, in a folder that is there"
            raise typer.BadParameter(problem, param_hint="--plot")
    from ray_router.bench.catalogue import CHAOS, MEASURES

    if show_list:
        screen.show(measures_table(MEASURES), {"measures": {each: MEASURES[each].about for each in MEASURES}})
        return
    usual = CHAOS if chaos is not None else [name for name, each in MEASURES.items() if not each.lasting]
    wanted = {each: MEASURES[each] for each in measures or usual if each in MEASURES}
    for each in measures or ():
        if each not in MEASURES:
            raise typer.BadParameter(f"{each!r} is none of {', '.join(MEASURES)}", param_hint="MEASURE")
    from ray_router.bench.stage import Stage

    data = environ.get("RAY_ROUTER_DATA")
    lasting = sum(each.lasting for each in wanted.values())
    stage = Stage(
        rounds=rounds,
        scale=scale,
        large=large,
        minutes=1.0 if chaos is None else chaos / max(1, lasting),
        data=Path(data) if data else None,
        name=f"{name[:40]}-bench-{token_hex(4)}",
        namespace=namespace,
    )
    with _set_up(screen, stage, wanted, address) as (stage, machine):
        if not as_json:
            screen.results.print(machine_view(machine, stage))
        reports = list(_taken(screen, stage, wanted))
    if as_json:
        screen.show("", bench_summary(machine, stage, reports))
    if plot is not None:
        from ray_router.bench.plot import plot as draw

        draw(reports, plot)
        screen.note(f"The curves are drawn in {plot}.")


@contextmanager
def _set_up(
    screen: Screen, stage: Stage, wanted: dict[str, Measure], address: str | None
) -> Iterator[tuple[Stage, Machine]]:
    """What the measures need is there for as long as they take."""
    from ray_router.bench.machine import Machine
    from ray_router.bench.redis_server import redis_missing, running_redis

    machine = Machine()  # its load before anything is started
    with ExitStack() as started:
        if screen.as_json:
            started.enter_context(redirect_stdout(sys.stderr))  # Ray tells there of workers that died
        if any(each.beside_redis for each in wanted.values()):
            missing = redis_missing()
            redis = None if missing else started.enter_context(running_redis())
            stage = replace(stage, redis=redis, redis_missing=missing or "")
            machine = replace(machine, redis_server=None if redis is None else redis.version)
        if any(each.on_ray for each in wanted.values()):
            started.enter_context(joined_or_started(screen, address))
        yield stage, machine


def _taken(screen: Screen, stage: Stage, wanted: dict[str, Measure]) -> Iterator[Report]:
    """One measure after the other, shown as soon as it is taken; one that fails does not stop the rest."""
    from ray_router.bench.measure import Report, Skipped

    with screen.progress(TimeElapsedColumn(), transient=True) as progress:
        for name, measure in wanted.items():
            task = progress.add_task(name, total=1.0)

            def show(fraction: float, task: int = task) -> None:
                progress.update(task, completed=fraction)  # type: ignore[arg-type]  # a task's id is an int

            try:
                with redirect_stdout(sys.stderr):  # where Ray tells of workers that died
                    report = measure.take(replace(stage, progress=show))
            except RouterError as error:
                report = Report(name, measure.about, (), skipped=(Skipped("all of it", str(error)),))
            progress.remove_task(task)
            if not screen.as_json:
                screen.results.print(report_view(report, screen.results))
            yield report
