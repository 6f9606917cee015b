"""Pressure: what raises it, how it fades, and what is refused at the top."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.events import Event, PressureChanged
from ray_router.core.operations import Operation
from ray_router.core.partition import Partition
from ray_router.core.pressure import Pressure, level_of
from ray_router.model import Origin, PressureLevel, SetOutcome

from .strategies import (
    ROOM,
    THREAD,
    ask,
    delivered,
    moved,
    partition_of,
    permanent,
    routes_of,
    steadily,
    write,
)

NORMAL, WARN, DEGRADED, SHED = PressureLevel
CALL_TIMEOUT_S = 2.0


@pytest.mark.parametrize(
    ("pressure", "level"),
    [
        (0.0, NORMAL),
        (0.69, NORMAL),
        (0.70, WARN),
        (0.84, WARN),
        (0.85, DEGRADED),
        (0.94, DEGRADED),
        (0.95, SHED),
        (7.0, SHED),
    ],
)
def test_levels(pressure: float, level: PressureLevel) -> None:
    """Each level begins at its threshold."""
    assert level_of(pressure) is level


# Waiting


def test_an_idle_partition_is_under_no_pressure() -> None:
    """Nobody waits, nothing is evicted: no pressure."""
    assert Pressure(CALL_TIMEOUT_S).at(1e9) == 0.0


def test_waiting_is_averaged() -> None:
    """One caller that waited long does not make a crisis; many in a row do."""
    pressure = Pressure(CALL_TIMEOUT_S)
    pressure.waited(CALL_TIMEOUT_S, now=0)
    assert pressure.at(0) == pytest.approx(0.2)
    for _ in range(30):
        pressure.waited(CALL_TIMEOUT_S, now=0)
    assert pressure.at(0) == pytest.approx(1.0, abs=0.01)
    for _ in range(30):
        pressure.waited(0.0, now=0)
    assert pressure.at(0) == pytest.approx(0.0, abs=0.01)


def test_waiting_fades_when_nobody_tells_of_it() -> None:
    """Callers that gave up do not hold the pressure up for ever."""
    pressure = Pressure(CALL_TIMEOUT_S)
    for _ in range(30):
        pressure.waited(CALL_TIMEOUT_S, now=0)
    readings = [pressure.at(now) for now in range(0, 60, 10)]
    assert readings == sorted(readings, reverse=True)
    assert readings[-1] < 0.01


@steadily(200)
@given(st.lists(st.tuples(st.floats(0, CALL_TIMEOUT_S), st.floats(-5, 50)), max_size=20))
def test_waiting_up_to_the_timeout_is_pressure_up_to_one(reports: list[tuple[float, float]]) -> None:
    """However long and whenever callers waited, a clock that goes back included, pressure stays in range."""
    pressure = Pressure(CALL_TIMEOUT_S)
    for waited_s, now in reports:
        pressure.waited(waited_s, now)
        assert 0.0 <= pressure.at(now) <= 1.0


# Thrashing


def test_young_evictions_are_weighed_against_new_sessions() -> None:
    """Thrashing is the share of new sessions for which a young one had to leave."""
    pressure = Pressure(CALL_TIMEOUT_S)
    for second in range(5):
        pressure.churned(4, 3, now=second)
        pressure.churned(4, 3, now=second + 0.5)
    assert pressure.at(4.5) == pytest.approx(0.75)


def test_a_few_new_sessions_say_nothing() -> None:
    """Under ten new sessions there is no thrashing to speak of."""
    pressure = Pressure(CALL_TIMEOUT_S)
    pressure.churned(9, 9, now=0)
    assert pressure.at(0) == 0.0
    pressure.churned(1, 0, now=0)
    assert pressure.at(0) == pytest.approx(0.9)


def test_churn_is_forgotten_after_ten_seconds() -> None:
    """Only the last ten seconds count."""
    pressure = Pressure(CALL_TIMEOUT_S)
    pressure.churned(10, 10, now=0.9)
    assert pressure.at(9.9) == 1.0
    assert pressure.at(10.0) == 0.0


@steadily(200)
@given(st.lists(st.floats(0, 1000), max_size=60))
def test_the_window_is_bounded(moments: list[float]) -> None:
    """A clock that jumps to and fro does not make the window grow."""
    pressure = Pressure(CALL_TIMEOUT_S)
    for now in moments:
        pressure.churned(1, 1, now)
        assert len(pressure._seconds) <= 10


# What a partition makes of it


def pressed(now: float = 0.0) -> Partition:
    """A partition in front of which callers wait as long as they can."""
    partition = partition_of(call_timeout_s=CALL_TIMEOUT_S)
    for _ in range(20):
        partition.waited(CALL_TIMEOUT_S, now)
    assert partition.stats(now).level is SHED
    return partition


@pytest.mark.parametrize(
    ("origin", "outcome"),
    [
        (Origin.SYSTEM, SetOutcome.SHED),
        (Origin.AGENT, SetOutcome.SHED),
        (Origin.INBOUND, SetOutcome.STORED),
        (Origin.OPERATOR, SetOutcome.STORED),
    ],
)
@pytest.mark.parametrize("key", [ROOM, THREAD, "tg:bot:*"])
def test_under_the_highest_pressure_only_people_open_sessions(
    key: str, origin: Origin, outcome: SetOutcome
) -> None:
    """A new session of an agent or the system is refused, a user's or an operator's is not."""
    partition = pressed()
    (written,) = ask(partition, write(key, "R", 0, origin=origin), now=0)
    assert written.outcome is outcome
    assert bool(routes_of(partition, key)) is (outcome is SetOutcome.STORED)
    assert partition.stats(0).traffic.shed == (outcome is SetOutcome.SHED)


@pytest.mark.parametrize("origin", [Origin.SYSTEM, Origin.AGENT])
def test_known_sessions_are_written_under_any_pressure(origin: Origin) -> None:
    """Agents and the system may go on writing to sessions that have a route."""
    partition = pressed()
    ask(partition, write(ROOM, "R", 0), now=0)
    (written,) = ask(partition, write(ROOM, "S", 1, origin=origin), now=1)
    assert written.outcome is SetOutcome.STORED


@pytest.mark.parametrize("known", [permanent(ROOM, "R", 0), delivered(ROOM, "R", 0)])
def test_a_mark_alone_is_no_session(known: Operation) -> None:
    """A session of which there are only reports is a new one."""
    partition = pressed()
    ask(partition, known, now=0)
    (written,) = ask(partition, write(ROOM, "S", 0, origin=Origin.AGENT), now=0)
    assert written.outcome is SetOutcome.SHED


def test_a_user_who_moves_is_not_refused() -> None:
    """Reports are taken under any pressure."""
    partition = pressed()
    ask(partition, moved(ROOM, "R", 0, "S"), now=0)
    assert routes_of(partition, ROOM) == {"S"}


def test_pressure_that_faded_refuses_nobody() -> None:
    """Whether to refuse is decided by the pressure of the moment."""
    partition = pressed(now=0)
    (written,) = ask(partition, write(ROOM, "R", 60, origin=Origin.AGENT), now=60)
    assert written.outcome is SetOutcome.STORED
    assert partition.stats(60).level is NORMAL


def test_one_level_below_nobody_is_refused() -> None:
    """DEGRADED refuses nothing."""
    partition = partition_of(call_timeout_s=CALL_TIMEOUT_S)
    while partition.stats(0).level < DEGRADED:
        partition.waited(CALL_TIMEOUT_S, 0)
    assert partition.stats(0).level is DEGRADED
    (written,) = ask(partition, write(ROOM, "R", 0, origin=Origin.SYSTEM), now=0)
    assert written.outcome is SetOutcome.STORED


@pytest.mark.parametrize(("age_s", "level"), [(0, SHED), (59, SHED), (60, NORMAL)])
def test_thrashing_is_pressure(age_s: float, level: PressureLevel) -> None:
    """Live routes that are evicted before they are a minute old press; older ones do not."""
    partition = partition_of(capacity=1, min_live_age_s=60.0)
    for number in range(21):
        ask(partition, write(f"tg:bot:{number}", "R", at=0), now=age_s)
    assert partition.stats(age_s).level is level


def test_a_change_of_level_is_told_once() -> None:
    """An event tells of each crossing into another level, and of nothing between."""
    told: list[Event] = []
    partition = partition_of(told.append, call_timeout_s=CALL_TIMEOUT_S)
    for _ in range(20):
        partition.waited(CALL_TIMEOUT_S, now=0)
    for now in range(60):
        partition.stats(float(now))
    changes = [event for event in told if isinstance(event, PressureChanged)]
    assert changes == told
    assert [(event.before, event.after) for event in changes] == [
        (NORMAL, WARN),
        (WARN, DEGRADED),
        (DEGRADED, SHED),
        (SHED, DEGRADED),
        (DEGRADED, WARN),
        (WARN, NORMAL),
    ]
    assert all(level_of(event.pressure) is event.after for event in changes)
    assert partition.stats(60.0).traffic.pressure_changes == len(changes)
