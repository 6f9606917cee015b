"""What holds in every schedule in which partitions come and go."""

from __future__ import annotations

import pytest

from .resizes import ResizedSchedule

MODES = [
    pytest.param(True, True, id="sync, killed"),
    pytest.param(True, False, id="sync"),
    pytest.param(False, False, id="async"),
]


def play(seeds: range, synchronous: bool, kills: bool) -> None:
    """Play schedules out, in which something was resized."""
    resized = moved = 0
    for seed in seeds:
        schedule = ResizedSchedule(seed, synchronous=synchronous, one_at_a_time=True, kills=kills)
        schedule.run()
        resized += schedule.resized
        moved += schedule.moved
    assert resized >= len(seeds)
    assert moved >= len(seeds) // 2


@pytest.mark.parametrize(("synchronous", "kills"), MODES)
def test_nothing_is_lost_in_a_resize(synchronous: bool, kills: bool) -> None:
    """Whoever is killed, after all have recovered from the last kill, and whoever changes their mind."""
    play(range(2), synchronous, kills)


@pytest.mark.chaos
@pytest.mark.parametrize(("synchronous", "kills"), MODES)
def test_nothing_is_lost_in_any_resize(seeds: range, synchronous: bool, kills: bool) -> None:
    """The same, for as many schedules as are asked for."""
    play(seeds, synchronous, kills)
