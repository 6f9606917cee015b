"""``status``, once, and ``top``, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.plain import router_stats
from ray_router.cli.router_view import Rates, router_table
from ray_router.cli.screen import Screen
from ray_router.handle import RouterHandle
from ray_router.model import RouterStats


def status(
    *,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Show each partition: where it runs, what it holds, how it answers, how close to its limits it is.

    Counts are since a partition's actor was started, which [b]life[/b] numbers. A partition that is down is
    shown as such; the command waits no longer for it than the router's own deadline.

    Examples:
      ray-router status --name chat
      ray-router status --json | jq .hit_ratio
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        stats = router.stats().result()
    screen.show(router_table(stats, screen.results), router_stats(stats))


def top(
    *,
    interval: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Time between two looks.")
    ] = 1.0,
    once: Annotated[
        bool, typer.Option("--once", help="Measure over one interval, show that, and end.")
    ] = False,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Watch a router work: its partitions as in status, with what they do a second. Ctrl-C ends it.

    Examples:
      ray-router top --name chat
      ray-router top --once --interval 10 --json
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        looks = _looks(router, interval)
        if once or as_json:
            stats, rates = next(looks)
            measured = {str(index): {"resolves": each[0], "writes": each[1]} for index, each in rates.items()}
            screen.show(
                router_table(stats, screen.results, rates), router_stats(stats) | {"per_second": measured}
            )
        elif screen.results.is_terminal and not screen.results.is_dumb_terminal:
            with Live(console=screen.results, screen=True, auto_refresh=False) as live:
                for stats, rates in looks:
                    live.update(_page(stats, screen.results, rates, interval), refresh=True)
        else:
            for stats, rates in looks:
                screen.results.print(router_table(stats, screen.results, rates))


def _looks(router: RouterHandle, interval_s: float) -> Iterator[tuple[RouterStats, Rates]]:
    """The stats again and again, with each partition's resolves and writes a second since the last look."""
    before, looked_at = router.stats().result(), time.monotonic()
    while True:
        time.sleep(interval_s)
        now, now_at = router.stats().result(), time.monotonic()
        yield now, rates_between(before, now, now_at - looked_at)
        before, looked_at = now, now_at


def rates_between(before: RouterStats, now: RouterStats, over_s: float) -> dict[int, tuple[float, float]]:
    """Resolves and writes a second, of each partition that was up all the time.

    One that was restarted in between has begun to count anew.
    """
    earlier = {each.partition: each for each in before.partitions if each.available}
    rates = {}
    for each in now.partitions:
        then = earlier.get(each.partition)
        if each.available and then is not None and then.incarnation == each.incarnation:
            resolves = each.traffic.resolves - then.traffic.resolves
            rates[each.partition] = (resolves / over_s, (each.traffic.sets - then.traffic.sets) / over_s)
    return rates


def _page(stats: RouterStats, console: Console, rates: Rates, interval_s: float) -> RenderableType:
    resolves, writes = (sum(each[index] for each in rates.values()) for index in (0, 1))
    footer = Text(
        f"{resolves:,.0f} resolves/s, {writes:,.0f} writes/s · "
        f"{time.strftime('%H:%M:%S')}, every {interval_s:g} s, Ctrl-C ends",
        style="dim",
    )
    return Group(router_table(stats, console, rates), footer)
