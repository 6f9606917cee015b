"""How many schedules are played, and from which seed; and a world in which that many can be."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from ray_router.core import reshaping, slots

_SCHEDULES = "RAY_ROUTER_SCHEDULES"
_SEED = "RAY_ROUTER_SEED"
_USUAL = 20_000
_SHORT_FOR_ONE_LONG = 125
_SLOTS = 64  # a schedule has a dozen sessions: more would only have to be dealt out

MODES = 4
"""Schedules are played ``sync`` and ``async``, killing one at a time and anyhow: so many of each."""


def _seeds(count: int) -> range:
    first = int(os.environ.get(_SEED, "0"))
    return range(first, first + count)


def _short_ones() -> int:
    """How many short schedules are asked for, of each mode."""
    return max(1, int(os.environ.get(_SCHEDULES, str(_USUAL))) // MODES)


@pytest.fixture(scope="session")
def short_seeds() -> range:
    """The seeds of short schedules: ``RAY_ROUTER_SCHEDULES`` of all modes, from ``RAY_ROUTER_SEED`` on.

    A schedule that was found broken is played again alone with its seed and a count of 1.
    """
    return _seeds(_short_ones())


@pytest.fixture(scope="session")
def seeds() -> range:
    """The seeds of long ones, one for so many short ones."""
    return _seeds(max(1, _short_ones() // _SHORT_FOR_ONE_LONG))


@pytest.fixture(autouse=True, scope="module")
def small_world() -> Iterator[None]:
    """Few slots, and a garbage collector that does not go through all tests' modules again and again."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (slots, reshaping):
            patch.setattr(module, "SLOTS", _SLOTS)
        gc.freeze()
        yield
        gc.unfreeze()
