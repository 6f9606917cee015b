"""Values of the model as people read them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ray_router.model.route import Route


def seconds(value: float | None) -> str:
    """Seconds, with a tenth; ``ever`` without end, and empty for none."""
    if value is None:
        return ""
    return "ever" if value == inf else f"{value:,.1f} s"


def route_line(route: Route) -> str:
    """A route in one line: its room, and whatever else it names."""
    named = (
        ("thread", route.external_thread_id),
        ("channel", route.channel),
        ("instance", route.instance),
        *route.metadata.items(),
    )
    others = [f"{name} {value}" for name, value in named if value is not None]
    return " · ".join([route.external_room_id, *others])
