"""What a partition is asked and what it answers, in plain values.

Keys and routes travel as their canonical text, enums as themselves, times as epoch seconds. A batch is
a sequence of groups; a group is what one submission asks of one partition, carried out in order and
answered by one result for each operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Union

from ray_router.model import (
    Confidence,
    Delivery,
    FallbackReason,
    Freshness,
    Origin,
    ReportOutcome,
    ResolutionSource,
    Scope,
    SetOutcome,
    Verdict,
)


class Set(NamedTuple):
    """Observe a route. ``ttl_s=None`` takes the partition's default for the origin and scope."""

    key: str
    route: str
    observed_at: float
    origin: int = Origin.INBOUND
    ttl_s: float | None = None


class Resolve(NamedTuple):
    """Walk the ladder for each key; answered by ``Answers``."""

    keys: tuple[str, ...]
    fallbacks: tuple[str, ...] = ()
    allow_stale: bool = False
    widest_scope: int = Scope.ROOM
    min_confidence: int = Confidence.NONE


USUAL_WISHES = tuple(Resolve(()))[1:]
"""What a resolve wishes that wishes nothing, as it follows the keys."""


class Get(NamedTuple):
    """Look at a session and touch nothing; answered by ``Look`` or None."""

    key: str


class Explain(NamedTuple):
    """Walk the whole ladder for one key and touch nothing; answered by ``Explained``."""

    key: str
    fallbacks: tuple[str, ...] = ()
    allow_stale: bool = False
    widest_scope: int = Scope.ROOM
    min_confidence: int = Confidence.NONE


class Delete(NamedTuple):
    """Forget, and refuse, what was observed at or before ``at``; answered by whether a route went."""

    key: str
    at: float


class Report(NamedTuple):
    """Say what became of a message sent along a route; answered by a ``ReportOutcome``."""

    key: str
    route: str
    delivery: Delivery
    at: float
    moved_to: str | None = None
    retry_after_s: float | None = None


class Answer(NamedTuple):
    """A resolution without its key."""

    route: str | None
    source: ResolutionSource
    reason: FallbackReason | None
    stale: bool
    confidence: Confidence
    matched_scope: Scope | None = None
    age_s: float | None = None
    expires_in_s: float | None = None


class Refused(NamedTuple):
    """The operation was bad input: nothing was stored. ``kind`` is the name of the error to raise."""

    kind: str
    field: str
    problem: str


class Answers(NamedTuple):
    """What was found for each key of a ``Resolve``, in order, at ``now`` (epoch seconds).

    A record (see ``record``) stands for the exact answer of a plain session, unread.
    """

    now: float
    items: Sequence[Union[str, Answer, Refused]]


class Considered(NamedTuple):
    """A route that a rung looked at, and what it made of it; times are epoch seconds.

    ``held_until``: until when reports hold it back, infinite where only a later observation ends that.
    """

    source: ResolutionSource
    route: str
    verdict: Verdict
    confidence: Confidence
    scope: Scope | None = None
    origin: int | None = None
    observed_at: float | None = None
    lives_until: float | None = None
    held_until: float | None = None


class Explained(NamedTuple):
    """What a resolve would answer at ``now``, and all that the ladder looks at, in its order.

    ``expired``: only a tombstone is left of the session.
    """

    now: float
    answer: Answer
    expired: bool
    considered: tuple[Considered, ...]


class Look(NamedTuple):
    """A route record without its key; routes in the order of their rank."""

    routes: tuple[str, ...]
    freshness: Freshness
    observed_at: float
    age_s: float
    expires_in_s: float
    origin: int
    failed: bool


class Written(NamedTuple):
    """What a ``Set`` did, and how many sessions with a route left to make room for it."""

    outcome: SetOutcome
    evicted: int = 0


class Elsewhere(NamedTuple):
    """The group was not carried out: this partition does not hold what it takes, another may."""

    problem: str


class Moved(NamedTuple):
    """The group was not carried out: not all of its sessions are here, by the decree of epoch ``since``.

    Whoever goes by a later one asks again in a moment; whoever goes by an earlier one asks by this one.
    """

    since: int


Operation = Union[Set, Resolve, Get, Delete, Report, Explain]
Result = Union[Written, Answers, Look, Explained, None, bool, ReportOutcome, Refused, Elsewhere, Moved]


class Group(NamedTuple):
    """What one submission asks of one partition. ``now`` is given on a router with an event clock.

    ``copy``: it is asked for its copy, or in place of the owner. ``astray``: a keeper may have missed it.
    """

    operations: tuple[Operation, ...]
    now: float | None = None
    copy: bool = False
    astray: bool = False
