"""A rebalance as HTML: what it does for the partitions, slot by slot, and what it cannot do."""

from __future__ import annotations

from ray_router.model.html.page import Column, badge, bar, fragment, paragraph, table
from ray_router.model.rebalance import RebalancePlan

_LOADS = (
    Column("partition", number=True),
    Column("load", number=True),
    Column("after", number=True),
    Column("slots", number=True),
    Column("after", number=True),
)
_MOVES = (
    Column("slot", number=True),
    Column("load", number=True),
    Column("from", number=True),
    Column("to", number=True),
)
_MOVES_SHOWN = 20


def rebalance_html(plan: RebalancePlan) -> str:
    """The whole plan; of many moves the first, which do the most."""
    planned = "planned" if plan.moves else "nothing to do"
    left = len(plan.moves) - _MOVES_SHOWN
    moves = [
        (f"{each.slot:,}", f"{each.share:.2%}", str(each.source), str(each.target))
        for each in plan.moves[:_MOVES_SHOWN]
    ]
    loads = [
        (
            str(each.partition),
            bar(each.before),
            bar(each.after),
            f"{each.slots_before:,}",
            f"{each.slots_after:,}",
        )
        for each in plan.loads
    ]
    return fragment(
        paragraph(
            badge("done", "good") if plan.done else badge(planned, "quiet"),
            f" the largest load over the mean: {plan.imbalance:.2f}, after {len(plan.moves):,} moves "
            f"{plan.expected:.2f}, and {plan.best:.2f} is the least that slots allow",
        ),
        paragraph(plan.why),
        table("", _LOADS, loads),
        *([table("slots that move", _MOVES, moves)] if moves else []),
        *([paragraph(f"and {left:,} more")] if left > 0 else []),
        *[paragraph(each) for each in plan.findings],
    )
