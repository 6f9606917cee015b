"""The ladder: which route answers, why, and how sure that is."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.operations import Answer, Delete, Get, Operation
from ray_router.core.partition import Partition
from ray_router.model import (
    Confidence,
    FallbackReason,
    Origin,
    Resolution,
    ResolutionSource,
    Route,
    Scope,
    SessionKey,
)

from .strategies import (
    CHANNEL,
    INSTANCE,
    LINEAGE,
    ROOM,
    ROUTES,
    THREAD,
    ask,
    delivered,
    holdings_of,
    moved,
    operations_on,
    partition_of,
    permanent,
    resolve,
    state_of,
    steadily,
    transient,
    write,
)

TTL_S, STALE_S, TOMBSTONE_S = 10.0, 20.0, 30.0
OPERATOR, AGENT, SYSTEM = Origin.OPERATOR, Origin.AGENT, Origin.SYSTEM
SOURCE, REASON = ResolutionSource, FallbackReason

ELSEWHERE = Route("E", channel="slack").text
ANOTHER_BOT = Route("E", instance="bot_2").text
OUR_BOT = Route("E", channel="tg", instance="bot").text


def partition_that_heard(*operations: Operation, now: float = 0.0) -> Partition:
    """A partition that was told these."""
    partition = partition_of(
        ttl_s=TTL_S,
        stale_retention_s=STALE_S,
        tombstone_retention_s=TOMBSTONE_S,
        max_clock_skew_s=1e6,  # stamps in these tests lie where they are put
        backoff_first_s=2.0,
        backoff_cap_s=8.0,
    )
    ask(partition, *operations, now=now)
    return partition


class Expected(NamedTuple):
    """What an answer says, its times apart."""

    route: str | None
    source: ResolutionSource
    reason: FallbackReason | None
    stale: bool
    confidence: Confidence
    matched_scope: Scope | None


def exact(route: str, confidence: Confidence = Confidence.OBSERVED, scope: Scope = Scope.THREAD) -> Expected:
    """The session's primary answers."""
    return Expected(route, SOURCE.EXACT, None, False, confidence, scope)


def alternate(
    route: str,
    reason: FallbackReason,
    confidence: Confidence = Confidence.ALTERNATE,
    *,
    stale: bool = False,
) -> Expected:
    """Another route of the session answers."""
    return Expected(route, SOURCE.ALTERNATE, reason, stale, confidence, Scope.THREAD)


def wider(
    route: str, scope: Scope, reason: FallbackReason = REASON.SCOPE_MISS, *, stale: bool = False
) -> Expected:
    """A wider scope answers."""
    return Expected(route, SOURCE.SCOPE, reason, stale, Confidence.INHERITED, scope)


def provided(route: str, reason: FallbackReason = REASON.MISS, *, stale: bool = False) -> Expected:
    """The caller's own fallback answers."""
    return Expected(route, SOURCE.PROVIDED, reason, stale, Confidence.PROVIDED, None)


def tired(route: str, reason: FallbackReason = REASON.STALE) -> Expected:
    """A stale route answers."""
    return Expected(route, SOURCE.STALE, reason, True, Confidence.STALE, Scope.THREAD)


def nothing(reason: FallbackReason = REASON.MISS, *, stale: bool = False) -> Expected:
    """Nothing answers."""
    return Expected(None, SOURCE.NONE, reason, stale, Confidence.NONE, None)


class Case(NamedTuple):
    """What is known, what is asked of the thread, and what is answered."""

    rule: str
    known: tuple[Operation, ...]
    now: float
    wishes: dict[str, Any]
    expected: Expected


def case(rule: str, *known: Operation, now: float, expect: Expected, **wishes: Any) -> Any:
    """One line of the tables below."""
    return pytest.param(Case(rule, known, now, wishes, expect), id=rule)


def assert_answered(case: Case) -> None:
    partition = partition_that_heard(*case.known)
    answer = resolve(partition, THREAD, case.now, **case.wishes)
    assert Expected(*answer[:6]) == case.expected
    receipt = Resolution(SessionKey.parse(THREAD), None, *answer[1:], partition=0, epoch=1)
    assert receipt.fallback is (case.expected.source not in (SOURCE.EXACT, SOURCE.NONE))


A0, B5 = write(THREAD, "A", 0), write(THREAD, "B", 5)
ROOM_R = write(ROOM, "R", 0)
INSTANCE_I, CHANNEL_C = write(INSTANCE, "I", 0), write(CHANNEL, "C", 0)
SHORT_OPERATOR = write(THREAD, "O", 0, origin=OPERATOR, ttl_s=3)

EXACT = [
    case("a fresh route answers", A0, now=4, expect=exact("A")),
    case("a route as old as its TTL is still fresh", A0, now=10, expect=exact("A")),
    case("the newest of two answers", B5, A0, now=6, expect=exact("B")),
    case("of equally new ones the text decides", write(THREAD, "C", 5), B5, now=6, expect=exact("C")),
    case(
        "an operator outranks a newer user",
        B5,
        write(THREAD, "O", 0, origin=OPERATOR),
        now=6,
        expect=exact("O"),
    ),
    case("a user outranks a newer agent", A0, write(THREAD, "B", 5, origin=AGENT), now=6, expect=exact("A")),
    case(
        "an agent outranks a newer system",
        write(THREAD, "A", 0, origin=AGENT),
        write(THREAD, "B", 5, origin=SYSTEM),
        now=6,
        expect=exact("A"),
    ),
    case(
        "a delivery confirms", A0, delivered(THREAD, "A", 4), now=6, expect=exact("A", Confidence.CONFIRMED)
    ),
    case(
        "a delivery confirms for a TTL",
        A0,
        write(THREAD, "A", 9),
        delivered(THREAD, "A", 2),
        now=12,
        expect=exact("A", Confidence.CONFIRMED),
    ),
    case(
        "a delivery confirms no longer than a TTL",
        A0,
        write(THREAD, "A", 9),
        delivered(THREAD, "A", 2),
        now=12.5,
        expect=exact("A"),
    ),
    case(
        "a delivery extends the route's life",
        A0,
        delivered(THREAD, "A", 8),
        now=18,
        expect=exact("A", Confidence.CONFIRMED),
    ),
    case(
        "a delivery of another session confirms nothing",
        A0,
        delivered(ROOM, "A", 4),
        now=6,
        expect=exact("A"),
    ),
    case(
        "a later observation revives",
        A0,
        permanent(THREAD, "A", 2),
        write(THREAD, "A", 3),
        now=4,
        expect=exact("A"),
    ),
    case(
        "a later delivery revives",
        A0,
        permanent(THREAD, "A", 2),
        delivered(THREAD, "A", 3),
        now=4,
        expect=exact("A", Confidence.CONFIRMED),
    ),
    case(
        "a failure after the delivery takes the confirmation away, and an observation does not bring it back",
        A0,
        delivered(THREAD, "A", 1),
        permanent(THREAD, "A", 2),
        write(THREAD, "A", 3),
        now=4,
        expect=exact("A"),
    ),
    case(
        "a failure as new as the delivery takes the confirmation away",
        A0,
        delivered(THREAD, "A", 2),
        permanent(THREAD, "A", 2),
        write(THREAD, "A", 3),
        now=4,
        expect=exact("A"),
    ),
    case(
        "a mark on a route never written is never answered",
        A0,
        delivered(THREAD, "Z", 5),
        now=6,
        expect=exact("A"),
    ),
    case(
        "a failure of another route changes nothing", A0, permanent(THREAD, "Z", 5), now=6, expect=exact("A")
    ),
    case(
        "a failure of another session changes nothing", A0, permanent(ROOM, "A", 5), now=6, expect=exact("A")
    ),
    case(
        "a route ranks by an entry that is fresh",
        write(THREAD, "A", 0, origin=OPERATOR, ttl_s=2),
        write(THREAD, "A", 1),
        B5,
        now=6,
        expect=exact("B"),
    ),
    case(
        "a route ranks by an entry newer than its failure",
        write(THREAD, "A", 0, origin=OPERATOR),
        permanent(THREAD, "A", 2),
        write(THREAD, "A", 3),
        B5,
        now=6,
        expect=exact("B"),
    ),
    case("the route that another moved to answers", A0, moved(THREAD, "A", 2, "B"), now=4, expect=exact("B")),
    case(
        "the route that an operator's moved to is a user's",
        write(THREAD, "O", 0, origin=OPERATOR),
        moved(THREAD, "O", 2, "B"),
        now=4,
        expect=alternate("B", REASON.FAILED),
    ),
    case("a wider scope is not asked", A0, write(ROOM, "R", 3), now=4, expect=exact("A")),
    case("fallbacks are not asked", A0, now=4, fallbacks=("P",), expect=exact("A")),
]

ALTERNATE = [
    case(
        "a failed primary keeps its place",
        A0,
        B5,
        permanent(THREAD, "B", 6),
        now=7,
        expect=alternate("A", REASON.FAILED),
    ),
    case(
        "an alternate may be confirmed",
        A0,
        B5,
        permanent(THREAD, "B", 6),
        delivered(THREAD, "A", 1),
        now=7,
        expect=alternate("A", REASON.FAILED, Confidence.CONFIRMED),
    ),
    case(
        "a failure as new as its route counts",
        A0,
        B5,
        permanent(THREAD, "B", 5),
        now=7,
        expect=alternate("A", REASON.FAILED),
    ),
    case(
        "the next best answers",
        A0,
        B5,
        write(THREAD, "C", 6),
        permanent(THREAD, "C", 7),
        permanent(THREAD, "B", 7),
        now=8,
        expect=alternate("A", REASON.FAILED),
    ),
    case(
        "a route that fails for the moment is passed over",
        A0,
        B5,
        transient(THREAD, "B", 6),
        now=7,
        expect=alternate("A", REASON.FAILED),
    ),
    case(
        "a stale primary keeps its place",
        SHORT_OPERATOR,
        B5,
        now=6,
        expect=alternate("B", REASON.STALE, stale=True),
    ),
    case(
        "a primary both stale and failed has failed",
        SHORT_OPERATOR,
        permanent(THREAD, "O", 1),
        B5,
        now=6,
        expect=alternate("B", REASON.FAILED, stale=True),
    ),
    case(
        "a primary only too unsure makes way for a confirmed one",
        A0,
        B5,
        delivered(THREAD, "A", 1),
        now=6,
        min_confidence=Confidence.CONFIRMED,
        expect=alternate("A", REASON.LOW_CONFIDENCE, Confidence.CONFIRMED),
    ),
]

WIDER = [
    case("a thread falls back on its room", ROOM_R, now=4, expect=wider("R", Scope.ROOM)),
    case(
        "what is inherited is never more than that",
        ROOM_R,
        delivered(ROOM, "R", 3),
        now=4,
        expect=wider("R", Scope.ROOM),
    ),
    case("no wider than the room unasked", INSTANCE_I, CHANNEL_C, now=4, expect=nothing()),
    case(
        "as wide as asked",
        INSTANCE_I,
        CHANNEL_C,
        now=4,
        widest_scope=Scope.INSTANCE,
        expect=wider("I", Scope.INSTANCE),
    ),
    case("the widest of all", CHANNEL_C, now=4, widest_scope=Scope.CHANNEL, expect=wider("C", Scope.CHANNEL)),
    case("no wider than asked", CHANNEL_C, now=4, widest_scope=Scope.INSTANCE, expect=nothing()),
    case("not wider at all", ROOM_R, now=4, widest_scope=Scope.THREAD, expect=nothing()),
    case(
        "the next wider first",
        ROOM_R,
        INSTANCE_I,
        CHANNEL_C,
        now=4,
        widest_scope=Scope.CHANNEL,
        expect=wider("R", Scope.ROOM),
    ),
    case(
        "a stale room is passed by",
        ROOM_R,
        INSTANCE_I,
        now=11,
        widest_scope=Scope.CHANNEL,
        expect=wider("I", Scope.INSTANCE),
    ),
    case(
        "a stale session says so",
        A0,
        write(ROOM, "R", 9),
        now=11,
        expect=wider("R", Scope.ROOM, REASON.STALE, stale=True),
    ),
    case(
        "an expired session says so",
        A0,
        write(ROOM, "R", 40),
        now=41,
        expect=wider("R", Scope.ROOM, REASON.STALE, stale=True),
    ),
    case(
        "a failed session says so",
        A0,
        permanent(THREAD, "A", 1),
        ROOM_R,
        now=4,
        expect=wider("R", Scope.ROOM, REASON.FAILED),
    ),
    case(
        "a room's alternate is as good",
        ROOM_R,
        write(ROOM, "S", 2),
        permanent(ROOM, "S", 3),
        now=4,
        expect=wider("R", Scope.ROOM),
    ),
    case("a room's failed route is passed by", ROOM_R, permanent(ROOM, "R", 3), now=4, expect=nothing()),
    case(
        "a route that the thread marked failed is passed by",
        ROOM_R,
        permanent(THREAD, "R", 3),
        now=4,
        expect=nothing(),
    ),
    case(
        "an observation in the room that is no later does not revive it",
        write(ROOM, "R", 3),
        permanent(THREAD, "R", 3),
        now=5,
        expect=nothing(),
    ),
    case(
        "a later observation in the room revives it",
        ROOM_R,
        permanent(THREAD, "R", 3),
        write(ROOM, "R", 4),
        now=5,
        expect=wider("R", Scope.ROOM),
    ),
    case(
        "a default for another instance is passed by",
        write(CHANNEL, ANOTHER_BOT, 0),
        now=4,
        widest_scope=Scope.CHANNEL,
        expect=nothing(),
    ),
    case(
        "a default for this instance is taken",
        write(CHANNEL, OUR_BOT, 0),
        write(CHANNEL, ANOTHER_BOT, 1),
        now=4,
        widest_scope=Scope.CHANNEL,
        expect=wider(OUR_BOT, Scope.CHANNEL),
    ),
    case(
        "a wider scope answers before a fallback",
        ROOM_R,
        now=4,
        fallbacks=("P",),
        expect=wider("R", Scope.ROOM),
    ),
    case(
        "a stale room never answers",
        ROOM_R,
        now=11,
        allow_stale=True,
        expect=nothing(),
    ),
]

PROVIDED = [
    case("the caller's fallback answers", now=4, fallbacks=("P",), expect=provided("P")),
    case("the first of them", now=4, fallbacks=("P", "Q"), expect=provided("P")),
    case(
        "one that this session marked failed is skipped",
        permanent(THREAD, "P", 1),
        now=4,
        fallbacks=("P", "Q"),
        expect=provided("Q"),
    ),
    case(
        "one that fails for the moment is skipped",
        transient(THREAD, "P", 3),
        now=4,
        fallbacks=("P", "Q"),
        expect=provided("Q"),
    ),
    case(
        "one that was delivered to after the failure is not skipped",
        permanent(THREAD, "P", 1),
        delivered(THREAD, "P", 2),
        now=4,
        fallbacks=("P", "Q"),
        expect=provided("P"),
    ),
    case(
        "one that was seen after the failure is not skipped, though stale as a route",
        permanent(THREAD, "P", 1),
        write(THREAD, "P", 2, ttl_s=1),
        now=4,
        fallbacks=("P", "Q"),
        expect=provided("P", REASON.STALE, stale=True),
    ),
    case(
        "one that anybody saw after the failure is not skipped",
        permanent(THREAD, "P", 2),
        write(THREAD, "P", 1, ttl_s=1),
        write(THREAD, "P", 3, ttl_s=1, origin=AGENT),
        now=8,
        fallbacks=("P", "Q"),
        expect=provided("P", REASON.STALE, stale=True),
    ),
    case(
        "one that was seen no later than it failed is skipped",
        permanent(THREAD, "P", 2),
        write(THREAD, "P", 2, ttl_s=1),
        now=8,
        fallbacks=("P", "Q"),
        expect=provided("Q", REASON.FAILED, stale=True),
    ),
    case(
        "what another session marked failed is not skipped",
        permanent(ROOM, "P", 1),
        now=4,
        fallbacks=("P",),
        expect=provided("P"),
    ),
    case("a route of another channel is skipped", now=4, fallbacks=(ELSEWHERE, "Q"), expect=provided("Q")),
    case("a route of another instance is skipped", now=4, fallbacks=(ANOTHER_BOT, "Q"), expect=provided("Q")),
    case("a route of this instance is not", now=4, fallbacks=(OUR_BOT, "Q"), expect=provided(OUR_BOT)),
    case("none that fits is a miss", now=4, fallbacks=(ELSEWHERE, ANOTHER_BOT), expect=nothing()),
    case(
        "a stale session says so",
        A0,
        now=11,
        fallbacks=("P",),
        expect=provided("P", REASON.STALE, stale=True),
    ),
    case(
        "a failed session says so",
        A0,
        permanent(THREAD, "A", 1),
        now=4,
        fallbacks=("P",),
        expect=provided("P", REASON.FAILED),
    ),
    case(
        "a fallback answers before a stale route",
        A0,
        now=11,
        fallbacks=("P",),
        allow_stale=True,
        expect=provided("P", REASON.STALE, stale=True),
    ),
    case(
        "a mark alone counts as long as a tombstone is kept",
        permanent(THREAD, "P", 1),
        now=31,
        fallbacks=("P",),
        expect=nothing(),
    ),
    case(
        "a mark alone is forgotten after a while",
        permanent(THREAD, "P", 1),
        now=31.5,
        fallbacks=("P",),
        expect=provided("P"),
    ),
    case(
        "marks are gone with the session that expired",
        A0,
        permanent(THREAD, "P", 1),
        now=41,
        fallbacks=("P",),
        expect=provided("P", REASON.STALE, stale=True),
    ),
]

STALE = [
    case("a stale route answers if allowed", A0, now=11, allow_stale=True, expect=tired("A")),
    case("a stale route does not answer unasked", A0, now=11, expect=nothing(REASON.STALE, stale=True)),
    case("until its retention is over", A0, now=30, allow_stale=True, expect=tired("A")),
    case("and not after", A0, now=30.5, allow_stale=True, expect=nothing(REASON.STALE, stale=True)),
    case(
        "the freshest answers, not the best-ranked",
        SHORT_OPERATOR,
        B5,
        now=16,
        allow_stale=True,
        expect=tired("B"),
    ),
    case(
        "a delivery makes a route fresher",
        A0,
        B5,
        delivered(THREAD, "A", 6),
        now=17,
        allow_stale=True,
        expect=tired("A"),
    ),
    case(
        "of equally fresh ones the best-ranked answers",
        write(THREAD, "A", 5),
        B5,
        now=16,
        allow_stale=True,
        expect=tired("B"),
    ),
    case(
        "a failed route never answers",
        A0,
        permanent(THREAD, "A", 1),
        now=11,
        allow_stale=True,
        expect=nothing(REASON.FAILED, stale=True),
    ),
    case(
        "nor one that failed when it was seen",
        A0,
        permanent(THREAD, "A", 0),
        now=11,
        allow_stale=True,
        expect=nothing(REASON.FAILED, stale=True),
    ),
    case(
        "the stale one beside a failed primary answers",
        A0,
        B5,
        permanent(THREAD, "B", 6),
        now=16,
        allow_stale=True,
        expect=tired("A", REASON.FAILED),
    ),
    case(
        "a route that fails for the moment does not answer",
        A0,
        transient(THREAD, "A", 11),
        now=12,
        allow_stale=True,
        expect=nothing(REASON.FAILED, stale=True),
    ),
    case(
        "one route beyond its own retention does not answer",
        A0,
        permanent(THREAD, "B", 29),
        B5,
        now=31,
        allow_stale=True,
        expect=nothing(REASON.FAILED, stale=True),
    ),
    case("only a tombstone is left, and says so", A0, now=60, expect=nothing(REASON.STALE, stale=True)),
    case("the tombstone is gone", A0, now=60.5, expect=nothing()),
]

NOTHING = [
    case("nothing is known", now=4, expect=nothing()),
    case(
        "a failed primary and no other", A0, permanent(THREAD, "A", 0), now=4, expect=nothing(REASON.FAILED)
    ),
    case(
        "an older observation does not revive",
        permanent(THREAD, "A", 2),
        write(THREAD, "A", 1),
        now=4,
        expect=nothing(REASON.FAILED),
    ),
    case("what was deleted is not known", A0, Delete(THREAD, 0), now=4, expect=nothing()),
    case("what was deleted is not stale", A0, Delete(THREAD, 11), now=12, expect=nothing()),
    case(
        "a primary too unsure",
        A0,
        now=4,
        min_confidence=Confidence.CONFIRMED,
        expect=nothing(REASON.LOW_CONFIDENCE),
    ),
    case(
        "a wider scope too unsure",
        ROOM_R,
        now=4,
        min_confidence=Confidence.ALTERNATE,
        expect=nothing(REASON.LOW_CONFIDENCE),
    ),
    case(
        "a fallback too unsure",
        now=4,
        fallbacks=("P",),
        min_confidence=Confidence.INHERITED,
        expect=nothing(REASON.LOW_CONFIDENCE),
    ),
    case(
        "a stale route too unsure",
        A0,
        now=11,
        allow_stale=True,
        min_confidence=Confidence.PROVIDED,
        expect=nothing(REASON.LOW_CONFIDENCE, stale=True),
    ),
    case(
        "a stale route not wanted anyway",
        A0,
        now=11,
        min_confidence=Confidence.PROVIDED,
        expect=nothing(REASON.STALE, stale=True),
    ),
    case("nothing to be unsure of", now=4, min_confidence=Confidence.CONFIRMED, expect=nothing()),
    case(
        "a stale route sure enough",
        A0,
        now=11,
        allow_stale=True,
        min_confidence=Confidence.STALE,
        expect=tired("A"),
    ),
    case(
        "an alternate sure enough",
        A0,
        B5,
        permanent(THREAD, "B", 6),
        now=7,
        min_confidence=Confidence.ALTERNATE,
        expect=alternate("A", REASON.FAILED),
    ),
    case(
        "a wider scope sure enough",
        ROOM_R,
        now=4,
        min_confidence=Confidence.INHERITED,
        expect=wider("R", Scope.ROOM),
    ),
    case(
        "a fallback sure enough",
        now=4,
        fallbacks=("P",),
        min_confidence=Confidence.PROVIDED,
        expect=provided("P"),
    ),
    case("a primary sure enough", A0, now=4, min_confidence=Confidence.OBSERVED, expect=exact("A")),
]


@pytest.mark.parametrize("case", EXACT)
def test_exact(case: Case) -> None:
    """The session's primary route answers while it is fresh and not failed."""
    assert_answered(case)


@pytest.mark.parametrize("case", ALTERNATE)
def test_alternate(case: Case) -> None:
    """Another route of the session answers where the primary cannot."""
    assert_answered(case)


@pytest.mark.parametrize("case", WIDER)
def test_wider_scopes(case: Case) -> None:
    """A wider scope answers where the session itself cannot."""
    assert_answered(case)


@pytest.mark.parametrize("case", PROVIDED)
def test_provided(case: Case) -> None:
    """The caller's fallbacks answer where nothing that is stored can."""
    assert_answered(case)


@pytest.mark.parametrize("case", STALE)
def test_stale(case: Case) -> None:
    """A stale route answers last, and only if that is allowed."""
    assert_answered(case)


@pytest.mark.parametrize("case", NOTHING)
def test_nothing(case: Case) -> None:
    """What cannot be answered says why."""
    assert_answered(case)


def test_a_room_and_a_default_answer_for_themselves() -> None:
    """The ladder begins at the key that is asked for, whatever its scope."""
    partition = partition_that_heard(ROOM_R, INSTANCE_I, CHANNEL_C)
    for key, route, scope in (
        (ROOM, "R", Scope.ROOM),
        (INSTANCE, "I", Scope.INSTANCE),
        (CHANNEL, "C", Scope.CHANNEL),
    ):
        assert Expected(*resolve(partition, key, now=4)[:6]) == exact(route, scope=scope)


def test_an_instance_falls_back_on_its_channel() -> None:
    """A default, too, has a wider scope, if that is asked for."""
    partition = partition_that_heard(CHANNEL_C)
    assert not resolve(partition, INSTANCE, now=4).route
    assert resolve(partition, INSTANCE, now=4, widest_scope=Scope.CHANNEL).matched_scope is Scope.CHANNEL


@pytest.mark.parametrize("failures", [1, 2, 3, 4, 10])
def test_temporary_failures_hold_back_longer_and_longer(failures: int) -> None:
    """The pause doubles with each temporary failure in a row, up to the cap."""
    reports = [transient(THREAD, "A", 10 + number / 100) for number in range(failures)]
    partition = partition_that_heard(write(THREAD, "A", 0, ttl_s=inf), *reports)
    until = reports[-1].at + min(2.0 * 2 ** (failures - 1), 8.0)
    assert resolve(partition, THREAD, now=until - 0.01).reason is REASON.FAILED
    assert Expected(*resolve(partition, THREAD, now=until)[:6]) == exact("A")


def test_the_provider_decides_how_long_to_wait() -> None:
    """``retry_after_s`` takes the place of the pause, the cap notwithstanding."""
    partition = partition_that_heard(
        write(THREAD, "A", 0, ttl_s=inf), transient(THREAD, "A", 10), transient(THREAD, "A", 11, 100.0)
    )
    assert not resolve(partition, THREAD, now=110.9).route
    assert resolve(partition, THREAD, now=111).route == "A"


@pytest.mark.parametrize(
    ("later", "held_back"),
    [
        (write(THREAD, "A", 11), False),
        (delivered(THREAD, "A", 11), False),
        (write(THREAD, "A", 9), True),
        (write(THREAD, "A", 10), True),
        (delivered(THREAD, "A", 10), True),
        (write(THREAD, "A", 11, origin=SYSTEM), False),
    ],
)
def test_a_temporary_failure_is_void_once_something_later_is_known(later: Operation, held_back: bool) -> None:
    """A later observation or delivery ends the pause; one that is not later does not."""
    partition = partition_that_heard(write(THREAD, "A", 0, ttl_s=inf), transient(THREAD, "A", 10), later)
    assert (resolve(partition, THREAD, now=11).route is None) is held_back


def test_age_and_expiry_of_an_answer() -> None:
    """An answer says how old its route is and how long it lives, a stale one with a minus."""
    partition = partition_that_heard(A0, ROOM_R._replace(ttl_s=inf))
    fresh = resolve(partition, THREAD, now=4)
    assert (fresh.age_s, fresh.expires_in_s) == (4.0, 6.0)
    stale = resolve(partition, THREAD, now=12, widest_scope=Scope.THREAD, allow_stale=True)
    assert (stale.age_s, stale.expires_in_s) == (12.0, -2.0)
    inherited = resolve(partition, THREAD, now=12)
    assert (inherited.age_s, inherited.expires_in_s) == (12.0, inf)


def test_age_and_expiry_of_a_route_seen_by_several() -> None:
    """A fresh route lives as long as the entry by which it ranks; a stale one expired with its last."""
    partition = partition_that_heard(SHORT_OPERATOR, write(THREAD, "O", 1, ttl_s=5))
    fresh = resolve(partition, THREAD, now=2)
    assert (fresh.age_s, fresh.expires_in_s) == (2.0, 1.0)
    fresh = resolve(partition, THREAD, now=4)
    assert (fresh.age_s, fresh.expires_in_s) == (3.0, 2.0)
    stale = resolve(partition, THREAD, now=8, allow_stale=True)
    assert (stale.age_s, stale.expires_in_s) == (8.0, -2.0)


@pytest.mark.parametrize("wishes", [{}, {"fallbacks": ("P",)}])
def test_what_is_not_stored_has_no_age(wishes: dict[str, Any]) -> None:
    """A fallback of the caller's, and a miss, have neither age nor expiry."""
    answer = resolve(partition_that_heard(), THREAD, now=4, **wishes)
    assert (answer.age_s, answer.expires_in_s) == (None, None)


def test_a_route_of_the_future_is_not_younger_than_now() -> None:
    """A stamp a little ahead of the partition's clock gives an age of zero, never less."""
    assert resolve(partition_that_heard(A0), THREAD, now=-1).age_s == 0.0


def test_a_fallback_that_was_answered_is_not_a_hit_afterwards() -> None:
    """A guess does not become knowledge by being read."""
    partition = partition_that_heard()
    assert resolve(partition, THREAD, now=4, fallbacks=("P",)).route == "P"
    assert Expected(*resolve(partition, THREAD, now=5)[:6]) == nothing()
    assert ask(partition, Get(THREAD), now=6) == (None,)
    assert holdings_of(partition).entries == 0


@pytest.mark.parametrize("tidied", [False, True])
def test_a_session_is_stale_at_every_resolve_until_its_tombstone_is_gone(tidied: bool) -> None:
    """Past its TTL every resolve says so, not just the first, whether or not the table was tidied."""
    partition = partition_that_heard(A0)
    for moment in range(140):
        now = moment / 2
        if tidied:
            partition.tidy(now, most=100)
        answer = resolve(partition, THREAD, now=now)
        assert answer.stale is (10 < now <= 60)
        assert (answer.route == "A") is (now <= 10)
        assert bool(resolve(partition, THREAD, now=now, allow_stale=True).route) is (now <= 30)
        look = ask(partition, Get(THREAD), now=now)[0]
        assert (look and look.freshness.value) == ("fresh" if now <= 10 else "stale" if now <= 30 else None)


def test_defaults_do_not_expire_unless_given_a_ttl() -> None:
    """What holds for an instance or a channel stands until further notice."""
    partition = partition_that_heard(INSTANCE_I, write(CHANNEL, "C", 0, ttl_s=10))
    assert Expected(*resolve(partition, CHANNEL, now=11)[:6]) == nothing(REASON.STALE, stale=True)
    assert resolve(partition, INSTANCE, now=1e9).expires_in_s == inf


def test_a_default_that_moved_does_not_expire_either() -> None:
    """The new route of a default that moved is an inbound write like any other."""
    partition = partition_that_heard(INSTANCE_I, moved(INSTANCE, "I", 1, "J"))
    answer = resolve(partition, INSTANCE, now=1e9)
    assert (answer.route, answer.expires_in_s) == ("J", inf)


def test_what_an_operator_says_does_not_expire_unless_given_a_ttl() -> None:
    """An operator's route stands until further notice."""
    partition = partition_that_heard(write(THREAD, "O", 0, origin=OPERATOR))
    assert resolve(partition, THREAD, now=1e9).expires_in_s == inf
    partition = partition_that_heard(SHORT_OPERATOR)
    assert resolve(partition, THREAD, now=3).expires_in_s == 0.0
    assert resolve(partition, THREAD, now=4).stale


def test_a_ttl_of_ones_own() -> None:
    """A write's own TTL takes the place of the router's, infinity included."""
    partition = partition_that_heard(write(THREAD, "A", 0, ttl_s=2), write(ROOM, "R", 0, ttl_s=inf))
    assert resolve(partition, THREAD, now=2).expires_in_s == 0.0
    assert resolve(partition, ROOM, now=1e9).expires_in_s == inf


wishes = st.fixed_dictionaries(
    {
        "fallbacks": st.sampled_from([(), ("A",), ("P", "B"), ROUTES]),
        "allow_stale": st.booleans(),
        "widest_scope": st.sampled_from(Scope),
        "min_confidence": st.sampled_from(Confidence),
    }
)
known = st.lists(
    st.one_of([operations_on(key, st.sampled_from((None, 2.0, inf))) for key in LINEAGE]), max_size=10
)
moments = st.sampled_from((8.0, 9.0, 12.0, 20.0, 40.0, 70.0))


@steadily(300)
@given(known, moments, st.sampled_from(LINEAGE), wishes)
def test_an_answer_keeps_its_promises(
    known: list[Operation], now: float, key: str, wishes: dict[str, Any]
) -> None:
    """Whatever is known and wished for, an answer is whole, sure enough, and no wider than asked for."""
    partition = partition_that_heard(*known, now=8.0)
    answer = resolve(partition, key, now, **wishes)
    assert (answer.route is None) == (answer.source is SOURCE.NONE)
    assert (answer.reason is None) == (answer.source is SOURCE.EXACT)
    assert (answer.confidence is Confidence.NONE) == (answer.route is None)
    assert answer.route is None or answer.confidence >= wishes["min_confidence"]
    assert (answer.matched_scope is None) == (answer.source in (SOURCE.PROVIDED, SOURCE.NONE))
    assert (
        answer.matched_scope is None
        or answer.source is not SOURCE.SCOPE
        or (answer.matched_scope <= wishes["widest_scope"])
    )
    if answer.source in (SOURCE.EXACT, SOURCE.ALTERNATE, SOURCE.SCOPE):
        assert answer.expires_in_s is not None and answer.expires_in_s >= 0
    if answer.source is SOURCE.STALE:
        assert wishes["allow_stale"] and answer.expires_in_s is not None and answer.expires_in_s < 0


@steadily(300)
@given(known, moments, wishes)
def test_a_resolve_changes_nothing(known: list[Operation], now: float, wishes: dict[str, Any]) -> None:
    """Asking once more gives the same answer, and asking leaves what is known and held as it was."""
    partition = partition_that_heard(*known, now=8.0)
    while partition.tidy(now, most=100):
        pass
    before = ([state_of(partition, key) for key in LINEAGE], holdings_of(partition, now))
    first = [resolve(partition, key, now, **wishes) for key in LINEAGE]
    second = [resolve(partition, key, now, **wishes) for key in LINEAGE]
    assert first == second
    assert before == ([state_of(partition, key) for key in LINEAGE], holdings_of(partition, now))


@steadily(300)
@given(known, moments, wishes)
def test_staleness_does_not_depend_on_what_is_wished_for(
    known: list[Operation], now: float, wishes: dict[str, Any]
) -> None:
    """Whether a session is stale is a fact of the session, whatever was answered."""
    partition = partition_that_heard(*known, now=8.0)
    answers: list[Answer] = [resolve(partition, THREAD, now, **each) for each in ({}, wishes)]
    assert answers[0].stale == answers[1].stale


@steadily(300)
@given(known, moments, wishes)
def test_tidying_changes_no_answer(known: list[Operation], now: float, wishes: dict[str, Any]) -> None:
    """What a session is at a moment does not depend on whether the table has come round to it."""
    tidy, untidy = partition_that_heard(*known, now=8.0), partition_that_heard(*known, now=8.0)
    while tidy.tidy(now, most=100):
        pass
    for key in LINEAGE:
        assert resolve(tidy, key, now, **wishes) == resolve(untidy, key, now, **wishes)
        assert ask(tidy, Get(key), now=now) == ask(untidy, Get(key), now=now)
