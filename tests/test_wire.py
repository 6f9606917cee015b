"""The wire format: its bytes to the letter, and everything that may travel comes back as it was."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.core.operations import (
    Answer,
    Answers,
    Considered,
    Delete,
    Explain,
    Explained,
    Get,
    Group,
    Look,
    Operation,
    Refused,
    Report,
    Resolve,
    Result,
    Set,
    Written,
)
from ray_router.core.record import BETWEEN
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
from ray_router.wire import Batch, Response, pack_batch, pack_response, unpack_batch, unpack_response

BATCH_OF_NOTHING = "96 01 05 07 02 c0 91 92 c0 91"  # ends before its one operation
RESPONSE_OF_NOTHING = "95 01 05 02 cb3fd0000000000000 91 91"  # ends before its one result

OPERATIONS: dict[str, tuple[Operation, str]] = {
    "a resolve": (Resolve(("a:b:c", "a:b:d")), "92 00 ab613a623a630a613a623a64"),
    "a resolve of nothing": (Resolve(()), "92 00 90"),
    "a resolve of a key with a newline": (Resolve(("a:b:c", "a:b:\n")), "92 00 92 a5613a623a63 a5613a623a0a"),
    "a resolve with wishes": (
        Resolve(("a:b:c",), ("P", "Q"), True, Scope.CHANNEL, Confidence.OBSERVED),
        "96 00 a5613a623a63 92a150a151 c3 03 05",
    ),
    "a write": (Set("a:b:c", "R", 1.5), "96 01 a5613a623a63 a152 cb3ff8000000000000 02 c0"),
    "a write with a TTL": (
        Set("a:b:c", "R", 1.5, Origin.OPERATOR, inf),
        "96 01 a5613a623a63 a152 cb3ff8000000000000 03 cb7ff0000000000000",
    ),
    "a look": (Get("a:b:c"), "92 02 a5613a623a63"),
    "an explanation": (
        Explain("a:b:c", ("P",), True, Scope.CHANNEL, Confidence.OBSERVED),
        "96 05 a5613a623a63 91a150 c3 03 05",
    ),
    "a deletion": (Delete("a:b:c", 1.5), "93 03 a5613a623a63 cb3ff8000000000000"),
    "a report": (
        Report("a:b:c", "R", Delivery.MOVED, 1.5, "S"),
        "97 04 a5613a623a63 a152 a56d6f766564 cb3ff8000000000000 a153 c0",
    ),
    "a report of a passing failure": (
        Report("a:b:c", "R", Delivery.TRANSIENT, 1.5, None, 0.25),
        "97 04 a5613a623a63 a152 a97472616e7369656e74 cb3ff8000000000000 c0 cb3fd0000000000000",
    ),
}
FOUND = Answer("R", ResolutionSource.EXACT, None, False, Confidence.CONFIRMED, Scope.ROOM, 1.5, inf)
MISSED = Answer(None, ResolutionSource.NONE, FallbackReason.MISS, True, Confidence.NONE)
REFUSED = Refused("InvalidKeyError", "key", "no")
RESULTS: dict[str, tuple[Result, str]] = {
    "a write": (Written(SetOutcome.STORED, 3), "93 00 a673746f726564 03"),
    "a shed write": (Written(SetOutcome.SHED), "93 00 a473686564 00"),
    "answers": (
        Answers(1.5, ["0.5\x1d\x1d\x1d\x1dR", FOUND, MISSED, REFUSED]),
        "93 01 cb3ff8000000000000 94 a8302e351d1d1d1d52"
        "98 a152 a56578616374 c0 c2 06 01 cb3ff8000000000000 cb7ff0000000000000"
        "98 c0 a46e6f6e65 a46d697373 c3 00 c0 c0 c0"
        "93 af496e76616c69644b65794572726f72 a36b6579 a26e6f",
    ),
    "answers to nothing": (Answers(1.5, []), "93 01 cb3ff8000000000000 90"),
    "records": (
        Answers(1.5, ["0.5\x1d\x1d\x1d\x1dR", "1.0\x1d9.0\x1d3\x1d1.5\x1dS"]),
        "93 02 cb3ff8000000000000 b8302e351d1d1d1d521c312e301d392e301d331d312e351d53",
    ),
    "a look": (
        Look(("R", "S"), Freshness.FRESH, 0.25, 1.5, inf, Origin.INBOUND, False),
        "98 03 92a152a153 a56672657368 cb3fd0000000000000 cb3ff8000000000000 cb7ff0000000000000 02 c2",
    ),
    "a look at nothing": (None, "c0"),
    "an explanation": (
        Explained(
            1.5,
            FOUND,
            False,
            (
                Considered(
                    ResolutionSource.EXACT,
                    "R",
                    Verdict.ANSWERED,
                    Confidence.CONFIRMED,
                    Scope.ROOM,
                    Origin.INBOUND,
                    0.25,
                    inf,
                ),
                Considered(
                    ResolutionSource.PROVIDED,
                    "P",
                    Verdict.FAILED_HERE,
                    Confidence.PROVIDED,
                    held_until=1.5,
                ),
            ),
        ),
        "95 07 cb3ff8000000000000 98 a152 a56578616374 c0 c2 06 01 cb3ff8000000000000 cb7ff0000000000000"
        "c2 92"
        "99 a56578616374 a152 a8616e737765726564 06 01 02 cb3fd0000000000000 cb7ff0000000000000 c0"
        "99 a870726f7669646564 a150 ab6661696c65645f68657265 02 c0 c0 c0 c0 cb3ff8000000000000",
    ),
    "a refusal": (REFUSED, "94 04 af496e76616c69644b65794572726f72 a36b6579 a26e6f"),
    "a deletion that found something": (True, "c3"),
    "a deletion that found nothing": (False, "c2"),
    "a report that applied": (ReportOutcome.APPLIED, "92 05 a76170706c696564"),
    "a report that came late": (ReportOutcome.SUPERSEDED, "92 05 aa73757065727365646564"),
}


@pytest.mark.parametrize(("operation", "packed"), OPERATIONS.values(), ids=OPERATIONS)
def test_the_bytes_of_an_operation(operation: Operation, packed: str) -> None:
    """An operation travels as these bytes, in this release and the next."""
    batch = Batch(5, 7, 2, [Group((operation,))])
    data = bytes.fromhex(BATCH_OF_NOTHING + packed)
    assert pack_batch(batch) == data
    assert unpack_batch(data) == batch


@pytest.mark.parametrize(("result", "packed"), RESULTS.values(), ids=RESULTS)
def test_the_bytes_of_a_result(result: Result, packed: str) -> None:
    """A result travels as these bytes, in this release and the next."""
    response = Response(5, 2, 0.25, [[result]])
    data = bytes.fromhex(RESPONSE_OF_NOTHING + packed)
    assert pack_response(response) == data
    assert unpack_response(data) == response


def test_the_bytes_of_what_surrounds_them() -> None:
    """Times of groups and the sender's wait travel as these bytes; so does nothing at all."""
    batch = Batch(5, 2**64 - 1, 300, [Group((), 1.5), Group((Get("a:b:c"), Get("a:b:c")))], 0.25)
    get = "92 02 a5613a623a63"
    packed = (
        f"96 01 05 cfffffffffffffffff cd012c cb3fd0000000000000 92 92cb3ff800000000000090 92c092 {get} {get}"
    )
    assert pack_batch(batch) == bytes.fromhex(packed)
    assert unpack_batch(pack_batch(batch)) == batch
    traced = Batch(5, 7, 2, [], None, ("00-ab-cd-01",))
    assert pack_batch(traced) == bytes.fromhex("97 01 05 07 02 c0 90 91 ab30302d61622d63642d3031")
    assert unpack_batch(pack_batch(traced)) == traced
    assert pack_response(Response(5, 2, 0.25, [])) == bytes.fromhex("95 01 05 02 cb3fd0000000000000 90")


def test_words_come_back_as_words() -> None:
    """What a result says in a vocabulary's word is read as that word, not as its spelling."""
    response = Response(1, 1, 0.0, [[result for result, _ in RESULTS.values()]])
    (results,) = unpack_response(pack_response(response)).results
    assert list(map(type, results)) == [type(result) for result, _ in RESULTS.values()]
    (answers,) = (each for each in results if isinstance(each, Answers) and len(each.items) == 4)
    for sent, came in zip((FOUND, MISSED, REFUSED), answers.items[1:], strict=True):
        assert [type(each) for each in came] == [type(each) for each in sent]


# Everything that may travel

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ("\n", "", "a\nb", "\x1c")
)
routes = texts | st.sampled_from(("R\x1fT", "R\x1d\x1c\x1e", "\x00", "\n"))
times = st.floats(allow_nan=False)
waits = st.none() | times
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(Set, texts, routes, times, st.sampled_from(Origin), waits),
    st.builds(Get, texts),
    st.builds(Delete, texts, times),
    st.builds(Report, texts, routes, st.sampled_from(Delivery), times, st.none() | routes, waits),
    st.builds(
        Explain,
        texts,
        st.lists(routes, max_size=3).map(tuple),
        st.booleans(),
        st.sampled_from(Scope),
        st.sampled_from(Confidence),
    ),
    st.lists(texts, max_size=6).map(lambda keys: Resolve(tuple(keys))),
    st.builds(
        Resolve,
        st.lists(texts, max_size=6).map(tuple),
        st.lists(routes, max_size=3).map(tuple),
        st.booleans(),
        st.sampled_from(Scope),
        st.sampled_from(Confidence),
    ),
)
groups = st.builds(Group, st.lists(operations, max_size=4).map(tuple), waits)
numbers = st.integers(0, 2**64 - 1)
traceparents = st.lists(texts, max_size=3).map(tuple)
batches = st.builds(Batch, numbers, numbers, numbers, st.lists(groups, max_size=4), waits, traceparents)

answers = st.builds(
    Answer,
    st.none() | routes,
    st.sampled_from(ResolutionSource),
    st.none() | st.sampled_from(FallbackReason),
    st.booleans(),
    st.sampled_from(Confidence),
    st.none() | st.sampled_from(Scope),
    waits,
    waits,
)
considered = st.builds(
    Considered,
    st.sampled_from(ResolutionSource),
    routes,
    st.sampled_from(Verdict),
    st.sampled_from(Confidence),
    st.none() | st.sampled_from(Scope),
    st.none() | st.sampled_from(Origin),
    waits,
    waits,
    waits,
)
refusals = st.builds(Refused, texts, texts, texts)
records = routes.filter(lambda route: BETWEEN not in route).map("1.0\x1d\x1d\x1d\x1d{}".format)
results: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ReportOutcome),
    refusals,
    st.builds(Written, st.sampled_from(SetOutcome), numbers),
    st.builds(
        Look,
        st.lists(routes, max_size=3).map(tuple),
        st.sampled_from(Freshness),
        times,
        times,
        times,
        st.sampled_from(Origin),
        st.booleans(),
    ),
    st.builds(Explained, times, answers, st.booleans(), st.lists(considered, max_size=5).map(tuple)),
    st.builds(Answers, times, st.lists(records, max_size=5)),
    st.builds(Answers, times, st.lists(records | answers | refusals, max_size=5)),
)
lives = st.dictionaries(st.integers(0, 9), st.integers(1, 9), max_size=3)
responses = st.builds(
    Response, numbers, numbers, times, st.lists(st.lists(results, max_size=4), max_size=4), lives
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(batches)
def test_a_batch_comes_back_as_it_was(batch: Batch) -> None:
    """Whatever keys, routes and times hold, newlines, control characters and infinities included."""
    assert unpack_batch(pack_batch(batch)) == batch


@settings(max_examples=200, deadline=None, derandomize=True)
@given(responses)
def test_a_response_comes_back_as_it_was(response: Response) -> None:
    """Whatever it says of whatever routes."""
    assert unpack_response(pack_response(response)) == response
