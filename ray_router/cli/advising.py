"""``advise``: what to set a running router to, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from ray_router.cli import options
from ray_router.cli.advice_view import advice_view
from ray_router.cli.connection import connected
from ray_router.cli.plain import advice_summary
from ray_router.cli.screen import Screen


def advise(
    *,
    within: Annotated[
        float,
        typer.Option(
            min=0.0, max=100.0, metavar="POINTS", help="How much of the hit ratio may be given up, in points."
        ),
    ] = 1.0,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Which TTL, capacity and partition count would fit the traffic seen, and what they would change.

    Nothing is changed by it. Each partition keeps a small sample of how sessions come back, which shows what
    any TTL and any capacity would have answered. What is suggested are the smallest that lose no more than
    [b]--within[/b] points of hit ratio against no limits at all.

    Examples:
      ray-router advise --name chat
      ray-router advise --within 0.5 --json
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router:
        advice = router.advise(within=within / 100).result()
    screen.show(advice_view(advice, screen.results), advice_summary(advice))
