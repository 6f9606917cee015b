"""Bad input straight at a partition: refused by name, nothing stored, and the partition goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import inf, nan
from typing import Any

import pytest

from ray_router import errors
from ray_router.core.operations import Get, Group, Refused, Resolve, Set, Written
from ray_router.core.partition import Partition
from ray_router.errors import InvalidCallError, InvalidInputError
from ray_router.model import SetOutcome

from .bad_input import BAD_KEYS, JUNK, KEY_FIELDS, LIMITS, NO_TIMES, bad_operations
from .consistency import validate
from .strategies import (
    INSTANCE,
    LINEAGE,
    ROOM,
    THREAD,
    ask,
    holdings_of,
    partition_of,
    resolve,
    state_of,
    write,
)


@pytest.fixture
def partition() -> Iterator[Partition]:
    """A partition that knows a little, and after the test knows that and nothing else."""
    partition = partition_of(limits=LIMITS)
    ask(partition, write(THREAD, "T", 0), write(INSTANCE, "I", 0), now=0)
    known = [state_of(partition, key) for key in LINEAGE]
    held, defaults = holdings_of(partition), partition.defaults()
    yield partition
    assert [state_of(partition, key) for key in LINEAGE] == known
    assert (holdings_of(partition), partition.defaults()) == (held, defaults)
    validate(partition)
    assert ask(partition, write(ROOM, "R", 0), now=0) == (Written(SetOutcome.STORED),)
    assert resolve(partition, ROOM, now=0).route == "R"


def is_refused(result: object, fields: frozenset[str]) -> bool:
    """Whether a result is a refusal that names one of these fields, and can be raised by a handle."""
    if not isinstance(result, Refused) or result.field not in fields:
        return False
    error = getattr(errors, result.kind)(result.field, result.problem)
    return isinstance(error, InvalidInputError) and 0 < len(result.problem) < 200


def test_every_bad_operation_is_refused_by_name(partition: Partition) -> None:
    """Thousands of bad operations, each alone between good ones, are refused one by one."""
    look = ask(partition, Get(THREAD), now=0)[0]
    held = holdings_of(partition)
    kinds: Counter[str] = Counter()
    for bad in bad_operations():
        before, result, after = ask(partition, Get(THREAD), bad.operation, Get(THREAD), now=0)
        assert is_refused(result, bad.fields), (f"{bad.operation!r:.200}", bad.fields, result)
        assert before == after == look
        assert holdings_of(partition) == held
        kinds[result.kind] += 1
    assert kinds.total() >= 2000
    assert set(kinds) == {"InvalidKeyError", "InvalidRouteError", "InvalidCallError"}
    assert partition.stats(0).traffic.refused == kinds.total()


def test_a_bad_key_among_good_ones_is_refused_alone(partition: Partition) -> None:
    """Of the keys of one resolve the bad ones are refused, and the others answered."""
    for bad in BAD_KEYS:
        ((before, result, after),) = ask(partition, Resolve((THREAD, bad, THREAD)), now=0)
        assert is_refused(result, KEY_FIELDS), (f"{bad!r:.200}", result)
        assert before.route == after.route == "T"


@pytest.mark.parametrize("operations", [each for each in JUNK if not isinstance(each, tuple)], ids=type)
def test_a_group_of_no_operations_is_refused(partition: Partition, operations: Any) -> None:
    """A group whose operations are not a tuple is refused as one, and the next group carried out."""
    refused, (look,) = partition.apply([Group(operations), Group((Get(THREAD),))], 0)
    assert len(refused) == 1 and is_refused(refused[0], frozenset({"operations"}))
    assert look is not None


STRANGERS = [
    *JUNK,
    Get(ROOM),
    ((Get(ROOM),), None),
    tuple.__new__(Group, ()),
    tuple.__new__(Group, ((), None, 1)),
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=type)
def test_what_is_no_group_is_refused(partition: Partition, stranger: Any) -> None:
    """What stands in the place of a group is refused, and the next group carried out."""
    refused, (look,) = partition.apply((stranger, Group((Get(THREAD),))), 0)
    assert len(refused) == 1 and is_refused(refused[0], frozenset({"group"}))
    assert look is not None


def test_a_group_that_is_too_large_is_refused(partition: Partition) -> None:
    """A group over the limit is refused, each of its operations."""
    at_most = LIMITS.batch_operations
    (results,) = partition.apply([Group((Get(THREAD),) * at_most)], 0)
    assert not any(isinstance(result, Refused) for result in results)
    (results,) = partition.apply([Group((Get(THREAD),) * (at_most + 1))], 0)
    assert all(is_refused(result, frozenset({"operations"})) for result in results)


@pytest.mark.parametrize(
    "batch",
    [each for each in JUNK if not isinstance(each, tuple | list)] + ["groups", iter([Group(())])],
    ids=type,
)
def test_what_is_no_batch_raises(partition: Partition, batch: Any) -> None:
    """What is not even a sequence of groups has nobody to answer: it raises."""
    with pytest.raises(InvalidCallError) as caught:
        partition.apply(batch, 0)
    assert caught.value.field == "batch"


def test_an_empty_batch_and_an_empty_group_are_good(partition: Partition) -> None:
    """Nothing asked, nothing answered."""
    assert partition.apply([], 0) == []
    assert partition.apply((Group(()), Group(())), 0) == [(), ()]


@pytest.mark.parametrize("now", [0, 5.0, nan, "now"])
def test_a_router_with_a_clock_is_not_told_the_time(partition: Partition, now: Any) -> None:
    """A caller's time is refused by a partition that has a clock, for each operation of the group."""
    (results,) = partition.apply([Group((Set(ROOM, "R", 0.0), Get(ROOM)), now)], 0)
    assert len(results) == 2 and all(is_refused(result, frozenset({"now"})) for result in results)


@pytest.mark.parametrize("now", [*NO_TIMES, None], ids=type)
def test_a_router_of_events_must_be_told_the_time(now: Any) -> None:
    """A partition with an event clock refuses each operation of a group without a proper time."""
    partition = partition_of(event_clock=True)
    (results,) = partition.apply([Group((Set(ROOM, "R", 0.0), Get(ROOM)), now)], 0)
    assert len(results) == 2 and all(is_refused(result, frozenset({"now"})) for result in results)
    assert holdings_of(partition).entries == 0


@pytest.mark.parametrize("ttl_s", [5e-324, 1, 1e15, inf])
def test_any_positive_ttl_is_good(ttl_s: float) -> None:
    """A TTL may be as short or as long as a number can say."""
    partition = partition_of()
    ask(partition, write(ROOM, "R", 0, ttl_s=ttl_s), now=0)
    assert resolve(partition, ROOM, now=0).expires_in_s == ttl_s


@pytest.mark.parametrize("at", [-1e15, -1, 0, 1e15])
def test_any_moment_is_good(at: float) -> None:
    """A stamp may lie long ago, before 1970 even."""
    partition = partition_of(max_clock_skew_s=inf)
    ask(partition, write(ROOM, "R", at), now=0)
    assert resolve(partition, ROOM, now=at).route == "R"
