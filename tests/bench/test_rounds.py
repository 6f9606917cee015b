"""Taking contenders in turns, and what a figure is made of."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from ray_router.bench.coroutines import calls_per_s
from ray_router.bench.machine import Machine, resident_bytes, version_of
from ray_router.bench.measure import Figure, figure, ratio
from ray_router.bench.rounds import Contender, interleaved, keys_per_s, percentile, waits_ms
from ray_router.bench.sessions import batches, chunks, key_of, route_of
from ray_router.bench.targets import Target
from ray_router.bench.watched import Watched, collections_watched
from ray_router.model import SessionKey


def test_a_figure_is_quoted_by_its_median() -> None:
    """One odd round does not move the figure; the spread shows it."""
    odd = figure("time", "ms", [1.0, 100.0, 2.0])
    assert (odd.median, odd.spread) == (2.0, (1.0, 100.0))
    assert odd == Figure("time", "ms", (1.0, 100.0, 2.0))


def test_a_ratio_is_taken_round_by_round() -> None:
    """So a slow round that slows both leaves it as it is; a ratio of medians would not."""
    assert ratio("ours over theirs", [2.0, 20.0, 8.0], [1.0, 10.0, 1.0]).rounds == (2.0, 2.0, 8.0)


def test_contenders_take_turns() -> None:
    """Each once a round, in the other order every second time."""
    order: list[str] = []

    def take(name: str) -> float:
        order.append(name)
        return float(len(order))

    done: list[float] = []
    contenders = [Contender(name, None, partial(take, name)) for name in "abc"]
    rounds = interleaved(contenders, 3, done.append)
    assert "".join(order) == "abccbaabc"
    assert rounds.of("a") == [1.0, 6.0, 7.0]
    assert done == pytest.approx([number / 9 for number in range(1, 10)])


def test_ratios_stand_where_both_stand() -> None:
    """With the target of the place, if it has one."""
    contenders = [
        Contender(name, at, partial(float, value))
        for name, at, value in (
            ("ours", 1, 6),
            ("ours", 10, 8),
            ("ours", 100, 9),
            ("theirs", 1, 3),
            ("theirs", 10, 2),
        )
    ]
    found = interleaved(contenders, 1, lambda fraction: None).ratios("ours", "theirs", {10: Target(2, 3)})
    assert [(each.name, each.at, each.median) for each in found] == [
        ("ours over theirs", 1, 2.0),
        ("ours over theirs", 10, 4.0),
    ]
    assert [each.target for each in found] == [None, Target(2, 3)]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target(1.15, 1.05, less_is_better=True), "<= 1.15, aim 1.05"),
        (Target(15, 30), ">= 15, aim 30"),
        (Target(-0.3, None), ">= -0.3"),
        (Target(None, 0.0), "aim >= 0"),
    ],
)
def test_a_target_is_written_as_a_bound(target: Target, text: str) -> None:
    """And as an aim."""
    assert str(target) == text


def test_callers_wait_in_turns_of_some_calls() -> None:
    """Each for every key."""
    asked: list[str] = []
    keys = [str(number) for number in range(25)]
    waits = waits_ms(
        {"a": lambda key: asked.append(f"a{key}"), "b": lambda key: asked.append(f"b{key}")}, keys
    )
    assert {name: len(each) for name, each in waits.items()} == {"a": 25, "b": 25}
    assert asked[19:21] == ["a19", "b0"]
    assert asked[-6:] == ["a24", "b20", "b21", "b22", "b23", "b24"]


def test_a_percentile_is_not_exceeded_by_so_many() -> None:
    """Of a hundred and one values, one each."""
    values = [float(number) for number in range(101)]
    assert (percentile(values, 50), percentile(values, 99)) == (50.0, 99.0)


def test_batches_are_asked_for_in_turn_until_the_time_is_over() -> None:
    """At least one is."""
    asked: list[tuple[str, ...]] = []
    assert keys_per_s(lambda keys: asked.append(tuple(keys)), [["a", "b"], ["c"]], 0.0) > 0
    assert asked == [("a", "b")]
    keys_per_s(lambda keys: asked.append(tuple(keys)), [["a", "b"], ["c"]], 0.001)
    assert asked[1:4] == [("a", "b"), ("c",), ("a", "b")]


def test_every_coroutine_waits_for_its_answer() -> None:
    """So as many calls are under way as there are coroutines, and no more."""
    under_way = most = answered = 0

    async def ask(key: str) -> None:
        nonlocal under_way, most, answered
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        answered += 1

    began = time.perf_counter()
    rate = calls_per_s([ask] * 7, ["a", "b"], 0.01)
    assert most == 7
    assert 0 < rate <= answered / 0.01
    assert rate * (time.perf_counter() - began) >= answered > 7


def test_sessions_are_of_the_size_they_say() -> None:
    """25 characters of key and of route, and different ones."""
    assert {len(key_of(number)) for number in (0, 9_999_999)} == {25}
    assert {len(route_of(number)) for number in (0, 9_999_999)} == {25}
    assert SessionKey.parse(key_of(7)).room == "r000000007"
    assert [len(chunk) for chunk in chunks(25_000)] == [10_000, 10_000, 5_000]
    assert {len(batch) for batch in batches(10, 5)} == {10}
    assert len({key for batch in batches(1_000, 1_000_000) for key in batch}) > 19_000


def test_collections_are_watched() -> None:
    """While they are, and by an actor of itself."""
    watched = Watched()
    assert watched.longest_collection_ms() == 0.0
    with collections_watched() as watch:
        assert watched.collect_ms() > 0
    seen = len(watch.pauses_s)
    assert seen >= 1
    watched.collect_ms()
    assert len(watch.pauses_s) == seen
    assert watch.longest_ms > 0
    assert watched.resident_bytes() > 1_000_000


def test_the_machine_is_named() -> None:
    """A figure says what it was taken on."""
    machine = Machine()
    assert machine.cores >= 1
    assert machine.memory_bytes > 1e8
    assert machine.python.startswith("3.")
    assert machine.cpu
    assert machine.system
    assert machine.ray == version_of("ray")
    assert version_of("no-such-package-anywhere") is None
    assert resident_bytes() > 1_000_000
