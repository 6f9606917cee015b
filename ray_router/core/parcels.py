"""Parcels: what one partition tells another. All of it is facts to be merged, or hints that may be late.

Parcels go both ways by the same rules: a call carries one, and so does its answer. What needs to arrive has
a number and is sent again, as it is known by then, until the receiver's next parcel acknowledges it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple, Union

from ray_router.core.candidates import Deferral, Mark, Observation, SessionState
from ray_router.core.lives import Life
from ray_router.core.slots import Topology

Term = tuple[int, int, int]
"""A partition's incarnation, and who keeps what: the decree's mark, and how often lives have changed that.

When any of it changes, what it is owed may be other than before.
"""

PackedState = tuple[Any, ...]
"""A state in plain tuples, which pickle three times as fast as named ones."""

SentState = Union[str, PackedState]
"""A plain session's record, as both ends keep it; of any other all that is known."""


class Stage(IntEnum):
    """How much of what the receiver lost has been sent, this parcel included."""

    BEGUN = 0
    ITS_OWN = 1  # all that it owns
    ALL = 2  # and all that it keeps for the sender


class Contents(NamedTuple):
    """What needs to arrive."""

    number: int
    states: tuple[tuple[str, SentState], ...] = ()
    drops: tuple[tuple[int, float], ...] = ()
    defaults: tuple[tuple[str, PackedState], ...] = ()
    stage: Stage = Stage.BEGUN


class Parcel(NamedTuple):
    """One message between partitions.

    Args:
        sender: who sends it, in which incarnation.
        to: the receiver's term as the sender knows it; contents that a restart overtook are merged, but
            complete nothing.
        lives: what the sender knows of everybody's lives.
        acknowledged: the number of the last contents that the sender took from this life of the receiver.
        as_of: epoch seconds at which nothing was owed but these contents; None if more is.
        vouches: until when (epoch seconds; inf for its end) the sender holds what the receiver's former
            life acknowledged; None when it does not hold all of its share.
        since: the epoch of the decree that the sender goes by.
        mark: of that decree.
        decree: itself, where the receiver is known to go by an earlier one.
    """

    sender: int
    incarnation: int
    to: Term
    lives: dict[int, Life]
    acknowledged: int = 0
    contents: Contents | None = None
    as_of: float | None = None
    vouches: float | None = None
    since: int = 0
    mark: int = 0
    decree: Topology | None = None


def packed(state: SessionState) -> PackedState:
    """A state as it travels."""
    observations, failed, confirmed, deferred, deleted_at = state
    return (
        tuple([tuple(each) for each in observations]),
        tuple([tuple(each) for each in failed]),
        tuple([tuple(each) for each in confirmed]),
        tuple([tuple(each) for each in deferred]),
        deleted_at,
    )


def unpacked(state: PackedState) -> SessionState:
    """A state that arrived."""
    observations, failed, confirmed, deferred, deleted_at = state
    return SessionState(
        tuple([Observation(*each) for each in observations]),
        tuple([Mark(*each) for each in failed]),
        tuple([Mark(*each) for each in confirmed]),
        tuple([Deferral(*each) for each in deferred]),
        deleted_at,
    )
