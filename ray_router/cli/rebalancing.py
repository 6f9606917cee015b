"""``rebalance``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ray_router.cli import options
from ray_router.cli.connection import connected
from ray_router.cli.fitting import Column, fitted_table
from ray_router.cli.plain import fields_of
from ray_router.cli.resizing import shown
from ray_router.cli.screen import Screen
from ray_router.core.rebalancing import MOST_MOVES
from ray_router.core.slots import SLOTS
from ray_router.model import RebalancePlan


def rebalance(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    max_moves: Annotated[
        int, typer.Option(min=1, max=SLOTS, metavar="N", help="How many slots may move.")
    ] = MOST_MOVES,
    as_json: options.Json = False,
    address: options.Address = None,
    name: options.Name = "default",
    namespace: options.Namespace = "ray_router",
) -> None:
    """Have hot partitions of a running router hand slots to cool ones, while it is used.

    By the load of the last minutes, and only where a partition has over a tenth more than its fair share.
    What was interrupted is completed by the same command.

    Examples:
      ray-router rebalance --dry-run --name chat
      ray-router rebalance --max-moves 32 --name chat
    """
    screen = Screen(as_json)
    with connected(screen, address, name, namespace) as router, shown(screen, "rebalance") as tell:
        plan = router.rebalance(dry_run=dry_run, max_moves=max_moves, progress=tell).result()
    screen.show(rebalance_view(plan, screen.results), rebalance_fields(plan))


def rebalance_view(plan: RebalancePlan, console: Console) -> RenderableType:
    """The plan, in the width that there is."""
    summary = Text.assemble(
        ("done" if plan.done else "planned" if plan.moves else "nothing to do", "bold"),
        (" · the largest load over the mean ", "dim"),
        f"{plan.imbalance:.2f}",
        (f", after {len(plan.moves):,} moves ", "dim"),
        (f"{plan.expected:.2f}", "bold green"),
        (", and the least that slots allow is ", "dim"),
        f"{plan.best:.2f}",
    )
    columns = [
        Column("partition", [str(each.partition) for each in plan.loads]),
        Column("load", [f"{each.before:.1%}" for each in plan.loads]),
        Column("after", [f"{each.after:.1%}" for each in plan.loads]),
        Column("slots", [f"{each.slots_before:,}" for each in plan.loads]),
        Column("after", [f"{each.slots_after:,}" for each in plan.loads]),
    ]
    findings = [Padding(Text(f"! {each}", style="yellow"), (0, 0, 0, 2)) for each in plan.findings]
    return Group(
        summary,
        Padding(plan.why, (0, 0, 0, 2)),
        fitted_table(console, columns, ["slots", "after"]),
        *findings,
    )


def rebalance_fields(plan: RebalancePlan) -> dict[str, object]:
    """The plan with what follows from it, as one JSON object."""
    return fields_of(plan) | {
        "imbalance": plan.imbalance,
        "expected": plan.expected,
        "findings": list(plan.findings),
    }
