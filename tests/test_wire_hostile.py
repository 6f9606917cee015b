"""Bytes that nobody of ours would send: refused as what they are, and nothing comes of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router.config import RouterConfig
from ray_router.core.operations import Delete, Get, Group, Report, Resolve, Set, Written
from ray_router.core.slots import Topology
from ray_router.errors import InvalidCallError
from ray_router.model import Delivery, Holdings, SetOutcome
from ray_router.testing import ManualClock
from ray_router.transport import PartitionBroken, PartitionLost, PartitionShell
from ray_router.wire import VERSION, Batch, Response, pack_batch, pack_response, unpack_batch, unpack_response

Unpack = Callable[[object], object]
CONFIG = RouterConfig()
ROOM = "tg:bot:room"
PATIENTLY = settings(max_examples=300, deadline=None, derandomize=True)

batch_readers = pytest.mark.parametrize("unpack", [unpack_batch, unpack_response])

GOOD_BATCH = pack_batch(
    Batch(
        1,
        CONFIG.fingerprint,
        1,
        [
            Group((Set(ROOM, "R", 1.5), Get(ROOM), Delete(ROOM, 0.5), Resolve((ROOM, "tg:bot:\n"), ("P",)))),
            Group((Report(ROOM, "R", Delivery.MOVED, 1.5, "S"),), 1.5),
        ],
        0.25,
    )
)


def packed(*message: Any) -> bytes:
    """Any message at all."""
    return bytes(msgpack.packb(message))


def with_operations(*operations: Any, now: Any = None) -> bytes:
    """A batch, good but for these operations."""
    return packed(VERSION, 1, CONFIG.fingerprint, 1, None, [(now, operations)])


def with_results(*results: Any) -> bytes:
    """A response, good but for these results."""
    return packed(VERSION, 1, 1, 0.25, [results])


def nested(depth: int) -> bytes:
    """Arrays of one, one in the other."""
    return b"\x91" * depth + b"\xc0"


# The form


@batch_readers
@pytest.mark.parametrize("version", [0, 2, 255, 2**63])
def test_another_version_is_named(unpack: Unpack, version: int) -> None:
    """Of a version that is not read here only that is said, whatever follows."""
    for message in (packed(version), packed(version, 1, 2, 3), packed(version, {"what": b"ever"})):
        with pytest.raises(InvalidCallError, match=f"is of wire version {version}; this side reads 1"):
            unpack(message)


@batch_readers
@pytest.mark.parametrize(
    "data",
    [
        "",
        None,
        7,
        bytearray(GOOD_BATCH),
        memoryview(GOOD_BATCH),
        [VERSION],
        Batch(1, 1, 1, []),
        b"",
        b"\xc1",
        b"\xc0",
        packed(),
        bytes(msgpack.packb({"version": VERSION})),
        bytes(msgpack.packb({VERSION: VERSION})),
        bytes(msgpack.packb(msgpack.ExtType(VERSION, b""))),
        bytes(msgpack.packb(msgpack.Timestamp(1))),
        packed(True, 1, 1, 1, None, ()),
        packed(1.0, 1, 1, 1, None, ()),
        packed("1" * 1_000_000, 1, 1, 1, None, ()),
        b"\x96" + nested(1_000),
        b"\x92" + nested(1_022) + b"\xc0",
        nested(1_000_000),
        packed(VERSION),
        packed(VERSION, 1, 1, 1, None),
        packed(VERSION, 1, 1, 1, None, (), (), ()),
        b"\x92\x01\xa2\xff\xfe",
        pickle.dumps(Batch(1, 1, 1, [])),
        pickle.dumps(exit),
    ],
    ids=lambda data: f"{data!r:.30}".partition(" at 0x")[0],  # each process names them alike
)
def test_what_has_no_form_is_refused(unpack: Unpack, data: Any) -> None:
    """What is no MessagePack, or no array that begins with a version and goes on as that one does."""
    with pytest.raises(InvalidCallError) as caught:
        unpack(data)
    assert caught.value.field in ("batch", "response")
    assert len(caught.value.problem) < 100


@batch_readers
@pytest.mark.parametrize("header", ["dd", "dbffff", "c6ffff", "dfffff", "c9ffff"], ids=str)
def test_a_length_that_is_not_there_costs_nothing(unpack: Unpack, header: str) -> None:
    """A text, array or map that says it is billions long, and ends there, is refused for its saying so."""
    length = (header + "ff" * 4)[: 2 + 8]
    for before in ("", "96 01", "96 01 01 01 01 c0", "96 01 01 01 01 c0 91 92 c0", "95 01 01 01 c0 91 91"):
        with pytest.raises(InvalidCallError, match="is not MessagePack"):
            unpack(bytes.fromhex(before + length))


@pytest.mark.parametrize("end", range(len(GOOD_BATCH)))
def test_half_a_batch_is_none(end: int) -> None:
    """A batch that breaks off, wherever it does, is refused."""
    with pytest.raises(InvalidCallError, match="is not MessagePack"):
        unpack_batch(GOOD_BATCH[:end])


def test_a_batch_with_something_behind_it_is_none() -> None:
    """A message is one message."""
    with pytest.raises(InvalidCallError, match="is not MessagePack"):
        unpack_batch(GOOD_BATCH + b"\xc0")


@pytest.mark.parametrize(
    "operation",
    [
        None,
        True,
        1,
        "Get",
        "\x02a",
        b"",
        b"\x02",
        {},
        {"0": ROOM},
        (),
        (0,),
        (2,),
        (2, ROOM, ROOM),
        (1, ROOM),
        (1, ROOM, "R", 1.0, 2, None, None),
        (3, ROOM),
        (4, ROOM, "R", "delivered"),
        (0, ROOM, (), False, 1, 0, 0),
        (5,),
        (5, ROOM, (), False, 1, 0, 0),
        (6, ROOM),
        (-1, ROOM, "R", "delivered", 1.5),
        (-5, (ROOM,)),
        ("2", ROOM),
        (None, ROOM),
        ((2,), ROOM),
        ({}, ROOM),
        (2**64 - 1, ROOM),
        msgpack.Timestamp(2),
    ],
    ids=repr,
)
def test_an_operation_of_another_form_is_refused(operation: Any) -> None:
    """An operation that is no array, has no code that is one, or has fields too many or too few."""
    with pytest.raises(InvalidCallError) as caught:
        unpack_batch(with_operations((2, ROOM), operation))
    assert (caught.value.field, caught.value.problem) == ("batch", "does not have the form of its version")


@pytest.mark.parametrize(
    "groups",
    [None, 1, True, "groups", (1,), (None,), ((),), ((None,),), ((None, (), 1, 2),), ((None, (), "1"),)],
)
def test_groups_of_another_form_are_refused(groups: Any) -> None:
    """Groups are an array of pairs of a time and an array."""
    with pytest.raises(InvalidCallError, match="does not have the form of its version"):
        unpack_batch(packed(VERSION, 1, 1, 1, None, groups))


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("value", [None, True, 1.0, "1", b"1", (), {}], ids=repr)
def test_what_a_batch_says_of_its_sender_must_be_whole_numbers(place: int, value: Any) -> None:
    """Epoch, fingerprint and incarnation are integers, and nothing that passes for one."""
    message: list[Any] = [VERSION, 1, 1, 1, None, ()]
    message[place] = value
    with pytest.raises(InvalidCallError, match="as integers"):
        unpack_batch(packed(*message))


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("value", [None, True, "1", b"1", (), {}], ids=repr)
def test_what_a_response_says_of_its_sender_must_be_numbers(place: int, value: Any) -> None:
    """Epoch and incarnation are integers, and the service time a number."""
    message: list[Any] = [VERSION, 1, 1, 0.25, ()]
    message[place] = value
    with pytest.raises(InvalidCallError, match="as numbers"):
        unpack_response(packed(*message))


@pytest.mark.parametrize(
    "result",
    [
        1,
        1.5,
        "true",
        b"",
        {},
        (),
        (0,),
        (0, "stored"),
        (0, "invented", 0),
        (0, (), 0),
        (1, 1.5),
        (1, 1.5, None),
        (1, 1.5, (None,)),
        (1, 1.5, (b"abc",)),
        (1, 1.5, (("a", "b"),)),
        (1, 1.5, (("R", "invented", None, False, 0, None, None, None),)),
        (1, 1.5, (("R", "exact", "invented", False, 0, None, None, None),)),
        (1, 1.5, (("R", "exact", None, False, 99, None, None, None),)),
        (1, 1.5, (("R", "exact", None, False, 0, "room", None, None),)),
        (2, 1.5),
        (2, 1.5, 7),
        (2, 1.5, b"record"),
        (2, 1.5, ("record",)),
        (3, ("R",)),
        (3, ("R",), "invented", 0.0, 0.0, 0.0, 2, False),
        (3, ("R",), "fresh", 0.0),
        (4, "InvalidKeyError", "key"),
        (5,),
        (5, "invented"),
        (7, "applied"),
        (-1, "applied"),
        ("5", "applied"),
        msgpack.ExtType(5, b"applied"),
    ],
    ids=repr,
)
def test_a_result_of_another_form_is_refused(result: Any) -> None:
    """A result of no known code, with fields too many or too few, or with a word of no vocabulary."""
    with pytest.raises(InvalidCallError, match="does not have the form of its version"):
        unpack_response(with_results(True, result))


# Whatever comes

plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.sampled_from((ROOM, "R", "delivered", 0, 1, 2, 3, 4, 5))
    | st.binary(max_size=5),
    lambda each: st.lists(each, max_size=7) | st.dictionaries(st.text("ab", max_size=2), each, max_size=3),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A good batch in which a few bytes are others."""
    data = bytearray(GOOD_BATCH)
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


hostile = st.one_of(
    st.binary(max_size=64),
    st.binary(max_size=64).map(lambda data: b"\x96\x01" + data),
    spoilt(),
    st.lists(plain, max_size=7).map(lambda fields: packed(VERSION, *fields)),
    st.lists(plain, max_size=7).map(lambda operations: with_operations(*operations)),
    st.lists(st.tuples(st.integers(-1, 6), plain, plain) | st.tuples(st.integers(0, 5), plain)).map(
        lambda operations: with_operations(*operations)
    ),
    st.lists(st.tuples(st.integers(-1, 6), plain, plain)).map(lambda results: with_results(*results)),
)


@PATIENTLY
@given(hostile)
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    """Reading ends in a message or an ``InvalidCallError``, and in nothing else."""
    for unpack, kind in ((unpack_batch, Batch), (unpack_response, Response)):
        try:
            assert isinstance(unpack(data), kind)
        except InvalidCallError as error:
            assert len(error.problem) < 100


# At a partition's door


def shell_of(config: RouterConfig = CONFIG) -> PartitionShell:
    """A partition that knows one room."""
    shell = PartitionShell(0, config, Topology.balanced(1), clock=ManualClock(5.0))
    ask(shell, Set(ROOM, "R", 1.5))
    return shell


def ask(shell: PartitionShell, *operations: Any) -> list[Any]:
    """What the partition answers to good input."""
    batch = Batch(1, CONFIG.fingerprint, 1, [Group(operations)])
    (results,) = unpack_response(shell.apply(pack_batch(batch))).results
    return list(results)


@pytest.fixture
def shell() -> Iterator[PartitionShell]:
    """A partition that after the test knows what it knew, and goes on."""
    shell = shell_of()
    held, look = shell.stats().holdings, ask(shell, Get(ROOM))
    yield shell
    assert shell.stats().holdings == held
    assert ask(shell, Get(ROOM)) == look
    assert ask(shell, Set(ROOM, "S", 2.5)) == [Written(SetOutcome.STORED)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1" * 100,
        nested(1_000_000),
        b"\x96" + nested(1_000),
        packed(2, 1, CONFIG.fingerprint, 1, None, ()),
        pickle.dumps(exit),
        with_operations((1, "tg:bot:new", "R", 1.5, 2, None), (1, "tg:bot:other")),
        with_operations((1, "tg:bot:new", "R", 1.5, 2, None), (-4, "tg:bot:other", "R", 1.5, 2, None)),
        *(
            packed(VERSION, 1, CONFIG.fingerprint, 1, wait, [(None, [(1, "tg:bot:new", "R", 1.5, 2, None)])])
            for wait in (-1.0, nan, inf, True, "1", (), 1e300)
        ),
    ],
    ids=lambda data: f"{data!r:.40}",
)
def test_a_partition_refuses_a_batch_that_is_none(shell: PartitionShell, data: bytes) -> None:
    """It raises, stores nothing, not even what was good in it, and goes on."""
    with pytest.raises(InvalidCallError):
        shell.apply(data)


@pytest.mark.parametrize("data", [None, "batch", 7, [Group((Get(ROOM),))], Batch(1, 1, 1, [])], ids=type)
def test_a_partition_refuses_what_is_no_bytes(shell: PartitionShell, data: Any) -> None:
    """It takes bytes, and no objects."""
    with pytest.raises(InvalidCallError, match="must be bytes"):
        shell.apply(data)


@pytest.mark.parametrize(
    "operation",
    [
        (1, "tg:bot:new", "R", nan, 2, None),
        (1, "tg:bot:new", "R", 1.5, 17, None),
        (1, "tg:bot:new", b"R", 1.5, 2, None),
        (1, {"tg": "bot"}, "R", 1.5, 2, None),
        (1, "tg:bot:new", "R", (1.5,), 2, ()),
        (0, (ROOM, {"tg": "bot"}), ("P", {}), False, 1, 0),
        (0, {"tg": "bot"}),
        (0, 7),
        (2, msgpack.ExtType(2, b"")),
        (4, "tg:bot:new", "R", "moved", 1.5, None, None),
        (4, "tg:bot:new", "R", (), 1.5, None, None),
    ],
    ids=repr,
)
def test_what_fields_hold_is_refused_one_by_one(shell: PartitionShell, operation: Any) -> None:
    """A batch of the right form is carried out, but for operations whose fields hold what they must not."""
    results = unpack_response(shell.apply(with_operations((2, ROOM), operation, (2, ROOM)))).results[0]
    before, refused, after = results
    assert type(refused).__name__ == "Refused"
    assert before == after


def test_keys_that_are_none_are_refused_one_by_one(shell: PartitionShell) -> None:
    """Among the keys of a resolve may stand anything that travels: it is refused, and the others answered."""
    keys = (ROOM, {"tg": "bot"}, (ROOM,), None, 7, b"key", ROOM, "")
    response = unpack_response(shell.apply(with_operations((0, keys))))
    kinds = [type(item).__name__ for item in response.results[0][0].items]  # type: ignore[union-attr]
    assert kinds == ["Answer", *["Refused"] * 5, "Answer", "Refused"]


@pytest.mark.parametrize(
    "traced", [None, 7, "00-ab-cd-01", {}, (7, None, ((),)), ("\n" * 1_000,) * 100], ids=type
)
def test_traces_that_are_none_are_left_alone(shell: PartitionShell, traced: Any) -> None:
    """Whatever stands where a batch names its spans, the batch is carried out."""
    batch = packed(VERSION, 1, CONFIG.fingerprint, 1, None, [(None, [(2, ROOM)])], traced)
    ((look,),) = unpack_response(shell.apply(batch)).results
    assert [look] == ask(shell, Get(ROOM))


@PATIENTLY
@given(hostile)
def test_whatever_comes_a_partition_answers_or_refuses(data: bytes) -> None:
    """It answers what can be read, refuses what cannot, and knows the room as before unless told anew."""
    shell = shell_of()
    try:
        assert isinstance(unpack_response(shell.apply(data)), Response)
    except (InvalidCallError, PartitionBroken, PartitionLost):
        assert shell.stats().holdings == Holdings(1, 0, 0, 0)
    assert ask(shell, Set("tg:bot:other", "R", 1.5)) == [Written(SetOutcome.STORED)]


def test_what_is_packed_is_plain() -> None:
    """No message holds anything but arrays, texts, numbers, booleans and nil: nothing that could act."""
    response = pack_response(Response(1, 1, 0.25, [[True, Written(SetOutcome.STORED)]]))
    for data in (GOOD_BATCH, response):
        waiting = [msgpack.unpackb(data, use_list=False)]
        while waiting:
            value = waiting.pop()
            assert type(value) in (tuple, str, int, float, bool, type(None))
            waiting.extend(value if type(value) is tuple else ())
