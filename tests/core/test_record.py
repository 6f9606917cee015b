"""Records: the text of a plain session says all that its state does, and nothing else has one."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ray_router.core import candidates
from ray_router.core.candidates import SessionState, merge
from ray_router.core.ladder import Own, Rules, Wishes
from ray_router.core.record import BETWEEN, Record, RecordFormat
from ray_router.core.resolver import resolve as walk
from ray_router.core.standing import Backoff, lives_until
from ray_router.model import Origin, Route

from .strategies import ROOM, THREAD, read, states, steadily

TTL_S = 5.0
FORMAT = RecordFormat(TTL_S)
RULES = Rules(Backoff(1.0, 60.0), 10.0, 10.0)

stamps = st.floats(-1e15, 1e15) | st.integers(0, 8).map(float)
ttls = st.sampled_from((TTL_S, inf)) | st.floats(5e-324, 1e15)
routes = st.sampled_from(
    (
        "R",
        "R\x1d",
        "\x1d\x1d\x1d\x1d\x1d",
        "1.0\x1d\x1d\x1d\x1dR",
        "\n",
        Route("R", "T", metadata={"\x1d": "\x1f"}).text,
        "\u2028\U0001f600",
    )
)


def plain(
    observed_at: float, ttl_s: float, origin: int, confirmed_at: float | None, route: str
) -> SessionState:
    """A session of one route, said once and perhaps confirmed."""
    state = candidates.observed(route, observed_at, ttl_s, origin)
    if confirmed_at is None:
        return state
    return merge(state, candidates.confirmed(route, confirmed_at), 4)


plains = st.builds(plain, stamps, ttls, st.sampled_from(Origin).map(int), st.none() | stamps, routes)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (plain(1.5, TTL_S, Origin.INBOUND, None, "R"), "1.5\x1d\x1d\x1d\x1dR"),
        (plain(1.5, TTL_S, Origin.INBOUND, 2.25, "R"), "1.5\x1d\x1d\x1d2.25\x1dR"),
        (plain(1.5, 6.0, Origin.OPERATOR, None, "R"), "1.5\x1d6.0\x1d3\x1d\x1dR"),
        (plain(1.5, inf, Origin.SYSTEM, -2.0, "R\x1d"), "1.5\x1dinf\x1d0\x1d-2.0\x1dR\x1d"),
        (
            plain(1732492800.123456, TTL_S, Origin.AGENT, None, "R\x1fT"),
            "1732492800.123456\x1d\x1d1\x1d\x1dR\x1fT",
        ),
    ],
    ids=["the usual", "confirmed", "by an operator", "endless", "of an agent"],
)
def test_the_text_of_a_record(state: SessionState, text: str) -> None:
    """A plain session has this text, in this release and the next."""
    assert FORMAT.record(state) == text
    assert FORMAT.state(text) == state


@steadily(500)
@given(plains)
def test_a_plain_session_comes_back_as_it_was(state: SessionState) -> None:
    """What is written is read again, to the last bit of each time; and no text joins another's end."""
    text = FORMAT.record(state)
    assert text is not None
    assert FORMAT.state(text) == state
    assert FORMAT.read(text).lives_until == lives_until(state)
    assert FORMAT.write(*FORMAT.read(text)) == text
    assert BETWEEN.join((text, text)).split(BETWEEN) == [text, text]


def test_what_a_text_says() -> None:
    """Its fields have names, and what is usual is filled in."""
    assert FORMAT.read("1.5\x1d\x1d\x1d\x1dR") == Record(1.5, TTL_S, Origin.INBOUND, -inf, "R")
    assert FORMAT.read("1.5\x1d\x1d3\x1d\x1dR") == Record(1.5, TTL_S, Origin.OPERATOR, -inf, "R")
    assert Record(1.5, TTL_S, Origin.INBOUND, 2.5, "R").lives_until == 7.5
    assert Record(1.5, TTL_S, Origin.INBOUND, 0.5, "R").lives_until == 6.5


@pytest.mark.parametrize(
    "other",
    [
        candidates.observed("S", 1.0, TTL_S, Origin.INBOUND),
        candidates.observed("R", 1.0, TTL_S, Origin.AGENT),
        candidates.failed("R", 1.0),
        candidates.failed("S", 1.0),
        candidates.deferred("R", 1.0),
        candidates.confirmed("S", 1.0),
        candidates.deleted(1.0),
    ],
    ids=str,
)
def test_what_is_not_plain_has_no_record(other: SessionState) -> None:
    """A second route or origin, a failure, another's confirmation or a deletion is more than a text says."""
    usual = plain(2.0, TTL_S, Origin.INBOUND, 3.0, "R")
    assert FORMAT.record(usual) is not None
    assert FORMAT.record(merge(usual, other, 4)) is None
    assert FORMAT.record(other) is None or other.observations


@pytest.mark.parametrize("route", [BETWEEN, f"R{BETWEEN}S", Route("R", metadata={"a": BETWEEN}).text])
def test_a_route_that_would_break_a_text_of_many_has_no_record(route: str) -> None:
    """What joins records must not stand in one."""
    assert FORMAT.record(plain(1.0, TTL_S, Origin.INBOUND, None, route)) is None


@steadily(500)
@given(states)
def test_any_session_comes_back_or_has_no_record(state: SessionState) -> None:
    """Whatever is known of a session, its record says all of it or is not there."""
    text = FORMAT.record(state)
    assert text is None or FORMAT.state(text) == state


@steadily(1_000)
@given(plains, st.sampled_from((ROOM, THREAD)), stamps | st.floats(0.0, 20.0), st.booleans())
def test_a_record_answers_as_the_ladder_does(state: SessionState, key: str, at: float, last: bool) -> None:
    """While it is fresh, to its last moment, a record gives what the resolver says of its session."""
    over = lives_until(state)
    now = over if last and over < inf else at
    assume(now <= over)
    text = FORMAT.record(state)
    assert text is not None
    assert read(FORMAT, text, key, now) == walk(key, Own(state), (), Wishes(), RULES, now).answer
