"""Answers to many keys: a sequence like any other, read when looked at, and the same as one by one."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import FrozenInstanceError, fields, replace
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_router import (
    Delivery,
    FallbackReason,
    InvalidKeyError,
    Resolution,
    ResolutionSource,
    Route,
    Scope,
    SessionKey,
)
from ray_router.core.operations import Answer, Answers, Refused, Resolve
from ray_router.core.record import Record, RecordFormat
from ray_router.handle.intake import _plainly_canonical, several_keys
from ray_router.handle.promise import Failure, FailureKind
from ray_router.handle.resolutions import AnswerTerms, Resolutions, Share, only_resolution
from ray_router.model import Confidence

from .scene import HOME, Scene, keys_on

MISSED = Answer(None, ResolutionSource.NONE, FallbackReason.MISS, False, Confidence.NONE)


class CountingFormat(RecordFormat):
    """Counts the records that it reads."""

    def __init__(self) -> None:
        super().__init__(inf)
        self.read_so_far = 0

    def read(self, text: str) -> Record:
        """Read, and count."""
        self.read_so_far += 1
        return super().read(text)


def record_of(route: str) -> str:
    """A record of this route."""
    return f"1.0\x1d\x1d\x1d\x1d{route}"


def resolutions(count: int, records: RecordFormat | None = None) -> Resolutions:
    """So many, all from one partition, each with a route that is named like its key."""
    keys = [f"tg:bot:{number}" for number in range(count)]
    share = Share(3, None, Answers(5.0, [record_of(key) for key in keys]))
    return Resolutions(keys, [share], AnswerTerms(Resolve(tuple(keys)), 7, records or RecordFormat(inf)))


# A sequence


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 6), st.integers(-8, 8), st.slices(6))
def test_it_is_indexed_and_sliced_as_a_list_is(count: int, index: int, part: slice) -> None:
    """Any index and slice, from the end as well; what is out of range is an ``IndexError``."""
    answers = resolutions(count)
    plain = list(answers)
    assert len(answers) == len(plain) == count
    assert answers[part] == plain[part]
    if -count <= index < count:
        assert answers[index] == plain[index]
    else:
        with pytest.raises(IndexError):
            answers[index]


def test_it_does_what_sequences_do() -> None:
    """It is gone through again and again, forwards and backwards, searched and compared."""
    answers = resolutions(3)
    plain = list(answers)
    assert isinstance(answers, Sequence)
    assert list(answers) == plain
    assert list(reversed(answers)) == plain[::-1]
    assert plain[1] in answers
    assert answers.index(plain[2]) == 2
    assert answers.count(plain[0]) == 1
    first, *_ = answers
    assert first == plain[0]
    assert bool(answers) and not resolutions(0)
    assert repr(answers) == "<3 resolutions>"


def test_it_equals_what_holds_the_same() -> None:
    """Lists, tuples and its own kind with equal answers, and nothing else; like a list it does not hash."""
    answers = resolutions(3)
    for same in (list(answers), tuple(answers), resolutions(3)):
        assert answers == same and same == answers
    for other in (list(answers)[:2], resolutions(2), list(answers)[::-1], [None] * 3, "abc", None, 3):
        assert answers != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(answers)


def test_it_pickles() -> None:
    """A task may return what it was answered."""
    answers = resolutions(3)
    assert pickle.loads(pickle.dumps(answers)) == answers


# Read when looked at


def test_what_is_not_looked_at_is_not_read() -> None:
    """Neither the length, nor a slice, nor routes and keys alone read a record; other fields read it once."""
    records = CountingFormat()
    answers = resolutions(100, records)
    assert len(answers) == len(list(answers)) == 100 and repr(answers)
    assert answers.routes() == [Route(f"tg:bot:{number}") for number in range(100)]
    assert answers[17].route == Route("tg:bot:17")
    assert answers[-1].key == SessionKey("tg", "bot", "99")
    some = answers[10:15]
    assert records.read_so_far == 0
    assert [each.age_s for each in some] == [4.0] * 5
    assert [each.partition for each in some] == [3] * 5
    assert records.read_so_far == 5


def test_shares_of_several_partitions_come_in_the_order_asked() -> None:
    """Each answer stands where its key did, with its partition; one that failed gives fallbacks."""
    keys: list[SessionKey | str] = ["tg:bot:a", "tg:bot:b", SessionKey("tg", "bot", "c"), "tg:bot:d"]
    shares = [
        Share(0, [2, 0], Answers(5.0, [record_of("C"), MISSED])),
        Share(1, [3], Failure(FailureKind.OVERLOADED, "full")),
        Share(2, [1], Failure(FailureKind.UNAVAILABLE, "gone")),
    ]
    wishes = Resolve(tuple(map(str, keys)), fallbacks=("P",))
    answers = Resolutions(keys, shares, AnswerTerms(wishes, 7, RecordFormat(inf)))
    assert [str(each.key) for each in answers] == list(map(str, keys))
    assert [each.partition for each in answers] == [0, 2, 0, 1]
    assert [each.epoch for each in answers] == [7] * 4
    assert [each.reason for each in answers] == [
        FallbackReason.MISS,
        FallbackReason.UNAVAILABLE,
        None,
        FallbackReason.OVERLOADED,
    ]
    assert answers.routes() == [each.route for each in answers] == [None, Route("P"), Route("C"), Route("P")]


def test_a_refusal_among_them_raises_at_once() -> None:
    """What a partition refused is raised before anything is looked at."""
    keys = ["tg:bot:a", "tg:bot:b"]
    refused = Refused("InvalidKeyError", "room", "is too long")
    terms = AnswerTerms(Resolve(tuple(keys)), 1, RecordFormat(inf))
    with pytest.raises(InvalidKeyError, match="room: is too long"):
        Resolutions(keys, [Share(0, None, Answers(5.0, [record_of("R"), refused]))], terms)


@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize(
    "wishes",
    [{}, {"allow_stale": True}, {"fallbacks": [Route("P")]}, {"min_confidence": Confidence.CONFIRMED}],
    ids=str,
)
def test_many_are_answered_as_one_by_one(partitions: int, wishes: dict[str, Any]) -> None:
    """Plain sessions, confirmed, failed, stale, missing and inherited ones, of one partition or more."""
    scene = Scene(partitions, ttl_s=10)
    router = scene.router
    rooms = [str(key) for index in range(partitions) for key in keys_on(index, partitions, 5)]
    for plain, confirmed, failed, stale, _ in zip(*[iter(rooms)] * 5, strict=True):
        router.set(stale, HOME, observed_at=scene.clock() - 9).result()
        for key in (plain, confirmed, failed):
            router.set(key, Route(key), observed_at=scene.clock() - 2).result()
        router.set(f"{plain}:own", Route("own", "thread")).result()
        router.report(confirmed, Route(confirmed), Delivery.DELIVERED).result()
        router.report(failed, Route(failed), Delivery.PERMANENT).result()
    scene.clock.advance(2)
    asked: list[SessionKey | str] = []
    for room in rooms:
        asked += [room, SessionKey.parse(room), f"{room}:own", f"{room}:other", room]
    many = router.resolve_many(asked, **wishes).result()
    singly: list[Resolution] = [router.resolve(key, **wishes).result() for key in asked]
    assert many == singly
    assert isinstance(many, Resolutions)
    assert many.routes() == [each.route for each in singly]
    assert {each.source for each in singly} >= {ResolutionSource.EXACT} or wishes.get("min_confidence")


def test_nothing_asked_nothing_answered() -> None:
    """No keys, no answers, whatever the number of partitions."""
    for partitions in (1, 3):
        assert Scene(partitions).router.resolve_many([]).result() == []


# Keys as they are given

parts = st.text("ab:*%\n\u00fc", max_size=3)
texts = (
    st.lists(parts, min_size=1, max_size=5).map(":".join)
    | st.text("a:*%\n\r\x1c\u00fc", max_size=7)
    | st.sampled_from(("tg:bot:room", "tg:bot:room:thread", "", ":", "tg:bot:*", "tg:*:*"))
)


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(st.lists(texts | st.builds(SessionKey, st.just("tg"), st.just("bot"), st.just("room")), max_size=4))
def test_what_looks_canonical_is(keys: list[SessionKey | str]) -> None:
    """Texts that are taken as they are, are what the parser would give back of each."""
    if _plainly_canonical(tuple(keys)):
        assert [str(SessionKey.parse(key)) for key in keys] == keys  # type: ignore[arg-type]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(texts, max_size=4))
def test_keys_together_are_read_as_each_by_itself(keys: list[str]) -> None:
    """The same texts, or the refusal of the first that is malformed."""
    try:
        expected = tuple(str(SessionKey.parse(key)) for key in keys)
    except InvalidKeyError as error:
        with pytest.raises(InvalidKeyError) as caught:
            several_keys(keys)
        assert str(caught.value) == str(error)
    else:
        assert several_keys(keys) == (tuple(keys), expected)


@pytest.mark.parametrize("keys", [["tg:bot:room"], ["tg:bot:room", "tg:bot:room:thread"], ["a:b:c"] * 100])
def test_usual_keys_need_no_parsing(keys: list[str]) -> None:
    """Rooms and threads of plain letters are seen to be canonical."""
    assert _plainly_canonical(tuple(keys))


def test_an_empty_key_is_refused_as_one() -> None:
    """Alone or among others, the empty text names no session."""
    for keys in ([""], ["", ""], ["tg:bot:room", ""]):
        with pytest.raises(InvalidKeyError):
            Scene().router.resolve_many(keys)


# An answer that is read field by field

FIELDS = [field.name for field in fields(Resolution)]


def read_at_once(resolution: Resolution) -> Resolution:
    """The same with all of its fields given."""
    return Resolution(**{name: getattr(resolution, name) for name in FIELDS})


@given(order=st.permutations(FIELDS), thread=st.booleans(), confirmed=st.sampled_from(["", "2.0", "4.5"]))
def test_fields_may_be_looked_at_in_any_order(order: Sequence[str], thread: bool, confirmed: str) -> None:
    key, record = "tg:bot:1" + ":t" * thread, f"1.0\x1d3.0\x1d\x1d{confirmed}\x1droom"
    share = Share(3, None, Answers(5.0, [record]), standby=True)
    unread = only_resolution(key, share, AnswerTerms(Resolve((key,)), 7, RecordFormat(inf)))
    seen = {name: getattr(unread, name) for name in order}
    assert seen == {
        "key": SessionKey.parse(key),
        "route": Route("room"),
        "source": ResolutionSource.EXACT,
        "reason": None,
        "stale": False,
        "confidence": Confidence.CONFIRMED if confirmed else Confidence.OBSERVED,
        "matched_scope": Scope.THREAD if thread else Scope.ROOM,
        "age_s": 4.0,
        "expires_in_s": max(1.0, float(confirmed or 0.0)) + 3.0 - 5.0,
        "partition": 3,
        "epoch": 7,
        "served_by_standby": True,
    }


@pytest.mark.parametrize("use", [repr, hash, bool, pickle.dumps, copy, replace, Resolution.require])
def test_an_unread_answer_is_like_any_other(use: Callable[[Resolution], object]) -> None:
    unread, again = resolutions(2)[1], resolutions(2)[1]
    assert type(unread) is Resolution
    assert use(unread) == use(read_at_once(again))
    assert unread == again == read_at_once(again)


def test_an_unread_answer_has_no_other_attributes_and_does_not_change() -> None:
    unread = resolutions(1)[0]
    with pytest.raises(AttributeError, match="'Resolution' object has no attribute 'rout'"):
        _ = unread.rout  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        unread.route = None  # type: ignore[misc]
