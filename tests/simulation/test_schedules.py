"""What holds in every schedule, however partitions die, freeze and come back."""

from __future__ import annotations

import pytest

from .schedule import Schedule


@pytest.mark.parametrize("one_at_a_time", [True, False], ids=["one at a time", "anyhow"])
@pytest.mark.parametrize("synchronous", [True, False], ids=["sync", "async"])
def test_nothing_is_lost_that_is_not_said_to_be(seeds: range, synchronous: bool, one_at_a_time: bool) -> None:
    """In the end owner and standby agree, nobody else keeps anything, and the ledger's promises are kept."""
    kills = answered = 0
    for seed in seeds:
        schedule = Schedule(seed, synchronous=synchronous, one_at_a_time=one_at_a_time)
        schedule.run()
        kills += schedule.kills
        answered += schedule.client.ledger.answered
    assert answered >= len(seeds)
    assert len(seeds) < 20 or kills >= len(seeds) // 2


def test_a_schedule_is_played_the_same_again() -> None:
    """A seed decides everything."""
    played = []
    for _ in range(2):
        schedule = Schedule(7, synchronous=False, one_at_a_time=False)
        schedule.run()
        played.append((schedule.world.now, schedule.client.ledger.promises, schedule.reads))
    assert played[0] == played[1]
