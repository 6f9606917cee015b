"""Uses by slot of the last minutes."""

from __future__ import annotations

import pytest

from ray_router.core.insight import Insight
from ray_router.core.insight.recent import HALVES_EVERY_S, Recent
from ray_router.core.slots import slot_function


def test_uses_fade() -> None:
    """By half in ten minutes, however far apart they came."""
    recent = Recent()
    assert (recent.by_slot(5.0), recent.measured_s(5.0)) == ((), 0.0)
    recent.add(3, 8.0, 1_000.0)
    recent.add(1, 2.0, 1_000.0)
    recent.add(3, 1.0, 1_000.0 + HALVES_EVERY_S)
    assert dict(recent.by_slot(1_000.0 + HALVES_EVERY_S)) == pytest.approx({1: 1.0, 3: 5.0})
    assert dict(recent.by_slot(1_000.0 + 3 * HALVES_EVERY_S)) == pytest.approx({1: 0.25, 3: 1.25})
    assert recent.measured_s(1_000.0 + 3 * HALVES_EVERY_S) == 3 * HALVES_EVERY_S


def test_it_goes_on_for_ever() -> None:
    """Weights are brought down before they are too large, and what has faded away is forgotten."""
    recent = Recent()
    now = 0.0
    for number in range(400):
        now = number * HALVES_EVERY_S
        recent.add(number, 1.0, now)
    found = dict(recent.by_slot(now))
    assert found[399] == pytest.approx(1.0)
    assert found[398] == pytest.approx(0.5)
    assert sum(found.values()) == pytest.approx(2.0, rel=1e-3)
    assert len(found) < 150


def test_two_who_counted_one_after_the_other_counted_all() -> None:
    """A slot that went from one partition to another has as many uses as if it had stayed."""
    here, there, alone = Recent(), Recent(), Recent()
    for second in range(1_200):
        (here if second < 500 else there).add(7, 1.0, float(second))
        alone.add(7, 1.0, float(second))
    both = dict(here.by_slot(1_200.0))[7] + dict(there.by_slot(1_200.0))[7]
    assert both == pytest.approx(dict(alone.by_slot(1_200.0))[7])


def test_a_partition_counts_what_it_samples() -> None:
    """Resolves and writes alike, by slot."""
    slot_of = slot_function("room")
    insight = Insight(0, slot_of)
    insight.wrote(["irc:net:room"] * 3, 10.0)
    insight.asked(["irc:net:room:thread", "irc:net:other"], 20.0)
    learnt = insight.counts(20.0)
    assert dict(learnt.recent) == pytest.approx(
        {slot_of("irc:net:room"): 4.0, slot_of("irc:net:other"): 1.0}, rel=0.02
    )
    assert learnt.measured_s == 10.0
