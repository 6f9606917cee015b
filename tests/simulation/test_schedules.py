"""What holds in every schedule, however partitions die, freeze and come back."""

from __future__ import annotations

import pytest

from .schedule import LONG, SHORT, Schedule, Size

_PARTS = 4  # of the short schedules, for as many processes as play them

one_at_a_time = pytest.mark.parametrize("one_at_a_time", [True, False], ids=["one at a time", "anyhow"])
synchronous = pytest.mark.parametrize("synchronous", [True, False], ids=["sync", "async"])


def play(seeds: range, size: Size, synchronous: bool, one_at_a_time: bool) -> None:
    """Play schedules out."""
    kills = answered = 0
    for seed in seeds:
        schedule = Schedule(seed, synchronous=synchronous, one_at_a_time=one_at_a_time, size=size)
        schedule.run()
        kills += schedule.kills
        answered += schedule.client.ledger.answered
    assert answered >= len(seeds)
    assert len(seeds) < 20 or kills >= len(seeds) // 2


@one_at_a_time
@synchronous
def test_nothing_is_lost_that_is_not_said_to_be(seeds: range, synchronous: bool, one_at_a_time: bool) -> None:
    """In the end owner and standby agree, nobody else keeps anything, and the ledger's promises are kept."""
    play(seeds, LONG, synchronous, one_at_a_time)


@pytest.mark.usefixtures("unmeasured")  # the long ones run the same lines
@pytest.mark.parametrize("part", range(_PARTS))
@one_at_a_time
@synchronous
def test_short_schedules(short_seeds: range, synchronous: bool, one_at_a_time: bool, part: int) -> None:
    """The same for very many of two or three partitions, which have little time."""
    play(short_seeds[part::_PARTS], SHORT, synchronous, one_at_a_time)


def test_a_schedule_is_played_the_same_again() -> None:
    """A seed decides everything."""
    played = []
    for _ in range(2):
        schedule = Schedule(7, synchronous=False, one_at_a_time=False)
        schedule.run()
        played.append((schedule.world.now, schedule.client.ledger.promises, schedule.reads))
    assert played[0] == played[1]
