"""Sampling of durations: one in eight, of each kind."""

from __future__ import annotations

from ray_router.telemetry.sampling import OneInEight


def test_the_first_and_every_eighth_is_chosen() -> None:
    """So that what happens once is seen."""
    chosen = OneInEight()
    assert [number for number in range(20) if chosen("set")] == [0, 8, 16]


def test_what_takes_turns_is_chosen_alike() -> None:
    """A pattern in the calls does not hide any of them."""
    chosen = OneInEight()
    kinds = [kind for _ in range(80) for kind in ("resolve", "set") if chosen(kind)]
    assert (kinds.count("resolve"), kinds.count("set")) == (10, 10)
