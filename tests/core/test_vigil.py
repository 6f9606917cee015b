"""Who has a frozen partition restarted."""

from __future__ import annotations

from ray_router.core.vigil import Vigil


def vigil(index: int) -> Vigil:
    watcher = Vigil(index, 10.0)
    for peer in range(4):
        watcher.asked(peer, -1.0)
        watcher.ended(peer, answered=True)
    return watcher


def restarted_while(watcher: Vigil, since: int, until: int) -> list[int]:
    """Whom a watcher has restarted that looks every second."""
    return [peer for now in range(since, until) for peer in watcher.to_restart(now, range(4))]


def test_a_peer_whose_call_takes_too_long_is_restarted_by_its_successor() -> None:
    """Past the time, and not before, the next partition in the ring restarts it; others leave it alone."""
    watcher, other = vigil(2), vigil(3)
    for each in (watcher, other):
        each.asked(1, 0.0)
        each.asked(1, 9.0)
    assert watcher.to_restart(10.0, range(4)) == []
    assert watcher.to_restart(10.1, range(4)) == [1]
    assert other.to_restart(10.1, range(4)) == []


def test_it_is_restarted_once() -> None:
    """A restart takes a while; only who has answered since can stand still again."""
    watcher = vigil(2)
    watcher.asked(1, 0.0)
    assert watcher.to_restart(11.0, range(4)) == [1]
    assert restarted_while(watcher, 11, 40) == []
    watcher.ended(1, answered=False)
    watcher.asked(1, 41.0)
    assert restarted_while(watcher, 41, 60) == []
    watcher.ended(1, answered=True)
    watcher.asked(1, 61.0)
    assert restarted_while(watcher, 61, 73) == [1]


def test_a_watcher_that_stood_still_itself_accuses_nobody() -> None:
    """Answers may have come while it did not look; only what it goes on missing counts."""
    watcher = vigil(2)
    watcher.asked(1, 0.0)
    assert restarted_while(watcher, 0, 4) == []
    assert watcher.to_restart(60.0, range(4)) == []
    assert restarted_while(watcher, 60, 66) == []
    assert restarted_while(watcher, 66, 69) == [1]


def test_an_answered_call_is_no_sign_of_frost() -> None:
    """The time counts from the call that is under way."""
    watcher = vigil(2)
    watcher.asked(1, 0.0)
    watcher.ended(1, answered=True)
    watcher.asked(1, 9.0)
    assert watcher.to_restart(12.0, range(4)) == []


def test_the_watcher_of_a_frozen_watcher_takes_its_place() -> None:
    """When a partition and its successor stand still, the one after them restarts both."""
    watcher = vigil(3)
    watcher.asked(1, 0.0)
    watcher.asked(2, 0.0)
    assert sorted(watcher.to_restart(11.0, range(4))) == [1, 2]


def test_the_ring_closes() -> None:
    """The last partition is watched by the first."""
    watcher = vigil(0)
    watcher.asked(3, 0.0)
    assert watcher.to_restart(11.0, range(4)) == [3]
