"""How many schedules are played, and from which seed."""

from __future__ import annotations

import os

import pytest

_SCHEDULES = "RAY_ROUTER_SCHEDULES"
_SEED = "RAY_ROUTER_SEED"


def _number(name: str, usual: int) -> int:
    return int(os.environ.get(name, usual))


@pytest.fixture(scope="session")
def seeds() -> range:
    """The seeds to play: so many as ``RAY_ROUTER_SCHEDULES`` says, from ``RAY_ROUTER_SEED`` on.

    A schedule that was found broken is played again alone with its seed and a count of 1.
    """
    first = _number(_SEED, 0)
    return range(first, first + _number(_SCHEDULES, 40))
