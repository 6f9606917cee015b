"""The rule of who is refused at which pressure."""

from __future__ import annotations

import pytest

from ray_router.gateway import Priority
from ray_router.gateway.priority import refuses
from ray_router.model import PressureLevel

REFUSED = {
    PressureLevel.NORMAL: set[tuple[Priority, bool]](),
    PressureLevel.WARN: {(Priority.LOW, False), (Priority.LOW, True)},
    PressureLevel.DEGRADED: {(Priority.LOW, False), (Priority.LOW, True), (Priority.NORMAL, True)},
    PressureLevel.SHED: {
        (priority, pending) for priority in (Priority.LOW, Priority.NORMAL) for pending in (False, True)
    },
}


@pytest.mark.parametrize("level", PressureLevel)
@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("pending", [False, True])
def test_the_table(level: PressureLevel, priority: Priority, pending: bool) -> None:
    """Low goes first, then normal of a busy session, then normal; high never."""
    assert refuses(level, priority, session_pending=pending) is ((priority, pending) in REFUSED[level])


@pytest.mark.parametrize("pending", [False, True])
def test_monotone(pending: bool) -> None:
    """More pressure never lets in what less refuses, and a higher priority is never refused sooner."""
    for level in PressureLevel:
        for priority in Priority:
            if not refuses(level, priority, session_pending=pending):
                lower = [each for each in PressureLevel if each <= level]
                higher = [each for each in Priority if each >= priority]
                assert not any(refuses(each, priority, session_pending=pending) for each in lower)
                assert not any(refuses(level, each, session_pending=pending) for each in higher)
