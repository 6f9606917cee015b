"""What partitions know of each other's lives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.lives import Life, Lives, Restarts

from .strategies import steadily

lives = st.builds(
    Life, st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.sampled_from(("", "a", "b"))
)


def known(most: int = 2, window_s: float = 60.0) -> Lives:
    return Lives(range(3), Restarts(most, window_s))


@steadily(200)
@given(lives, lives, lives)
def test_what_is_known_of_a_life_is_a_lattice(a: Life, b: Life, c: Life) -> None:
    """Joining is commutative, associative and idempotent, and never forgets a change of service."""
    assert a.joined(b) == b.joined(a)
    assert a.joined(b).joined(c) == a.joined(b.joined(c))
    assert a.joined(a) == a
    assert a.joined(b).service == max(a.service, b.service)


def test_who_is_born_too_often_is_taken_out_once() -> None:
    """More births than are borne in the window put a partition out of service; later ones say no more."""
    lives = known()
    taken = [lives.hear({1: Life(incarnation)}, 10.0 + incarnation) for incarnation in range(1, 7)]
    assert taken == [[], [], [], [1], [], []]
    assert lives.out == {1}


def test_births_long_ago_do_not_count() -> None:
    """A partition that is restarted now and then stays in service."""
    lives = known(most=2, window_s=60.0)
    for incarnation in range(1, 20):
        assert lives.hear({1: Life(incarnation)}, 40.0 * incarnation) == []
    assert not lives.out


def test_a_life_is_counted_once_however_often_it_is_told() -> None:
    """Gossip repeats itself."""
    lives = known()
    for _ in range(10):
        lives.hear({1: Life(2)}, 10.0)
    assert not lives.out


def test_whoever_is_brought_back_is_counted_anew() -> None:
    """Reviving puts a partition back into service, forgives its births, and says whether it was out."""
    lives = known()
    for incarnation in range(1, 5):
        lives.hear({1: Life(incarnation)}, 10.0)
    assert lives.revive(1)
    assert not lives.out
    assert not lives.revive(1)
    assert lives.hear({1: Life(5, service=2)}, 11.0) == []


def test_a_peer_that_was_told_earlier_cannot_undo_a_revival() -> None:
    """That it is back is newer than that it was out."""
    lives = known()
    lives.set(1, Life(5, service=2))
    lives.hear({1: Life(5, service=1)}, 10.0)
    assert not lives.out


def test_little_is_told_of_a_quiet_router() -> None:
    """Only those who were born again, or whose service changed, are worth a word."""
    lives = known()
    lives.hear({0: Life(1, node="a"), 1: Life(3, node="a"), 2: Life(1, service=1)}, 10.0)
    assert set(lives.told()) == {1, 2}
    assert lives.restarted() == {1: 3}


def test_who_was_born_later_is_told_of_everybody() -> None:
    """And says the same of all as those who were there before."""
    lives, newcomer = known(), known()
    lives.hear({index: Life(1, node="ab"[index // 2]) for index in range(3)}, 10.0)
    newcomer.hear(lives.told(everything=True), 10.0)
    assert lives.apart
    assert (newcomer.apart, newcomer.moves, newcomer.changes) == (True, lives.moves, lives.changes)


def test_every_move_is_another_arrangement() -> None:
    """The one after which all live in one place as well, and whoever hears of it later says the same."""
    lives, newcomer = known(), known()
    lives.hear({index: Life(1, node="aab"[index]) for index in range(3)}, 10.0)
    before = lives.changes
    lives.hear({2: Life(2, node="a")}, 10.0)
    assert not lives.apart
    assert lives.changes > before
    newcomer.hear(lives.told(everything=True), 10.0)
    assert newcomer.changes == lives.changes


def test_where_there_are_no_copies_nobody_minds_where_they_live() -> None:
    """So it is no other arrangement when that becomes known."""
    lives = Lives(range(3), Restarts(2, 60.0), housed=False)
    lives.hear({index: Life(1, node="aab"[index]) for index in range(3)}, 10.0)
    assert (lives.apart, lives.changes) == (False, 0)


def test_who_is_to_come_is_heard_of_before() -> None:
    """And does not count when it is asked whether all live in one place."""
    lives = known()
    lives.hear({index: Life(1, node="a") for index in range(3)}, 10.0)
    lives.hear({9: Life(3, node="b")}, 10.0)
    assert lives[9].incarnation == 3
    assert not lives.apart
    lives.meet((0, 1, 2, 9))
    assert lives.apart
    lives.meet((0, 1, 2))
    assert not lives.apart
