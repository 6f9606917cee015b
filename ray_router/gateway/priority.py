"""Which message goes without when there is not room for all: the one rule of the gateway's admission.

Pressure is the share of ``max_pending`` that is taken, or the router's own level where that is higher::

    level      from    refused
    NORMAL             nothing
    WARN       0.70    LOW
    DEGRADED   0.85    LOW, and NORMAL of a session that has a message pending already
    SHED       0.95    LOW and NORMAL
    full       1.00    everything, HIGH too, at whatever level

A session that has ``max_pending_per_session`` messages pending is full for itself, at whatever level.
Priority decides who is let in, never who goes first: a session's messages leave in order, and
sessions take turns, so that nothing starves.
"""

from __future__ import annotations

from enum import IntEnum

from ray_router.model import PressureLevel


class Priority(IntEnum):
    """How much a message matters when there is not room for all."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


def refuses(level: PressureLevel, priority: Priority, *, session_pending: bool) -> bool:
    """Whether a message is refused at a pressure level."""
    if priority is Priority.LOW:
        return level >= PressureLevel.WARN
    if priority is Priority.NORMAL:
        return level >= PressureLevel.SHED or (level >= PressureLevel.DEGRADED and session_pending)
    return False
