"""What callers get while partitions are down: fallbacks, results that say so, and errors with names."""

from __future__ import annotations

import asyncio

import pytest

from ray_router import (
    Confidence,
    Delivery,
    FallbackReason,
    NoRouteError,
    PartitionUnavailableError,
    ResolutionSource,
    Route,
    SessionKey,
    SetOutcome,
)

from .scene import AWAY, ELSEWHERE, HOME, Scene, key_on, keys_on

UP, DOWN = key_on(0, 2), key_on(1, 2)


@pytest.fixture
def scene() -> Scene:
    """Two partitions that hold a route each, and the second is gone."""
    scene = Scene(partitions=2)
    scene.router.set_many([(UP, HOME), (DOWN, HOME)]).result()
    scene.transport.remove(1)
    return scene


def test_the_first_fallback_answers(scene: Scene) -> None:
    """A down partition's key is answered from the fallbacks, and the answer says why."""
    answer = scene.router.resolve(DOWN, [AWAY, ELSEWHERE]).result()
    assert answer
    assert answer.require() == AWAY
    assert (answer.key, answer.partition, answer.epoch) == (DOWN, 1, 1)
    assert (answer.source, answer.reason) == (ResolutionSource.PROVIDED, FallbackReason.UNAVAILABLE)
    assert (answer.confidence, answer.fallback, answer.stale) == (Confidence.PROVIDED, True, False)
    assert (answer.matched_scope, answer.age_s, answer.expires_in_s) == (None, None, None)


def test_a_fallback_must_fit_the_session(scene: Scene) -> None:
    """A fallback of another channel or instance is passed over, as the partition would."""
    strays = [Route("a", channel="other"), Route("b", instance="other"), Route("c", channel="tg")]
    assert scene.router.resolve(DOWN, strays).result().require().external_room_id == "c"
    with pytest.raises(PartitionUnavailableError):
        scene.router.resolve(DOWN, strays[:2]).result()


def test_a_fallback_must_be_sure_enough(scene: Scene) -> None:
    """Whoever asks for more confidence than a fallback has gets none."""
    assert scene.router.resolve(DOWN, [AWAY], min_confidence=Confidence.PROVIDED).result().route == AWAY
    with pytest.raises(PartitionUnavailableError):
        scene.router.resolve(DOWN, [AWAY], min_confidence=Confidence.INHERITED).result()


async def test_without_a_fallback_it_raises(scene: Scene) -> None:
    """With nothing to fall back on, the error names the partition and what was seen of it."""
    for _ in range(2):
        with pytest.raises(PartitionUnavailableError) as raised:
            await scene.router.resolve(DOWN)
        assert raised.value.partition == 1
        assert raised.value.problem
        assert str(raised.value) == f"partition 1 is unavailable: {raised.value.problem}"


def test_calls_that_have_no_fallback_raise(scene: Scene) -> None:
    """Writing, looking, reporting and deleting cannot be answered by anyone else."""
    router = scene.router
    for reply in (
        router.set(DOWN, AWAY),
        router.get(DOWN),
        router.report(DOWN, HOME, Delivery.DELIVERED),
        router.delete(DOWN),
    ):
        with pytest.raises(PartitionUnavailableError):
            reply.result()


def test_the_other_partitions_keys_are_answered(scene: Scene) -> None:
    """A batch never fails for the rest: down keys fall back, the others have their routes, in order."""
    keys = [UP, DOWN, *keys_on(0, 2, 3)[1:], *keys_on(1, 2, 3)[1:]]
    answers = scene.router.resolve_many(keys, [AWAY]).result()
    assert [answer.key for answer in answers] == keys
    assert [answer.reason for answer in answers] == [
        None,
        FallbackReason.UNAVAILABLE,
        *[FallbackReason.MISS] * 2,
        *[FallbackReason.UNAVAILABLE] * 2,
    ]
    assert [answer.route for answer in answers] == [HOME, *[AWAY] * 5]


def test_a_batch_without_fallbacks_does_not_raise_either(scene: Scene) -> None:
    """A down key of a batch has an answer without a route, which can be told from a miss."""
    found, down = scene.router.resolve_many([UP, DOWN]).result()
    assert found.route == HOME
    assert not down
    assert (down.source, down.reason) == (ResolutionSource.NONE, FallbackReason.UNAVAILABLE)
    assert (down.confidence, down.fallback) == (Confidence.NONE, False)
    with pytest.raises(NoRouteError):
        down.require()
    (unsure,) = scene.router.resolve_many([DOWN], [AWAY], min_confidence=Confidence.OBSERVED).result()
    assert (unsure.route, unsure.reason) == (None, FallbackReason.UNAVAILABLE)


def test_a_batch_of_writes_says_which_were_not_acknowledged(scene: Scene) -> None:
    """Items whose partition is down are UNAVAILABLE, the others are written, in order."""
    results = scene.router.set_many([(DOWN, AWAY), (UP, AWAY), (DOWN, AWAY)]).result()
    assert [(result.outcome, result.partition) for result in results] == [
        (SetOutcome.UNAVAILABLE, 1),
        (SetOutcome.STORED, 0),
        (SetOutcome.UNAVAILABLE, 1),
    ]
    assert scene.router.resolve(UP).result().route == AWAY


def test_defaults_are_acknowledged_by_whoever_lives(scene: Scene) -> None:
    """A write of a default is done when one partition has it; only without any does it fail."""
    defaults = [SessionKey("tg", "bot"), SessionKey("tg"), SessionKey("irc", "bot")]
    for key in defaults:
        assert scene.router.set(key, ELSEWHERE).result().partition == 0
    assert all(result.partition == 0 for result in scene.router.set_many([(defaults[0], HOME)]).result())
    scene.transport.remove(0)
    assert scene.router.set_many([(defaults[0], HOME)]).result()[0].outcome is SetOutcome.UNAVAILABLE
    with pytest.raises(PartitionUnavailableError):
        scene.router.delete(defaults[0]).result()


def test_a_default_is_deleted_wherever_it_lives(scene: Scene) -> None:
    """Deleting a default finds it on any partition, and the answer does not depend on the down one."""
    key = SessionKey("tg", "bot")
    scene.router.set(key, HOME).result()
    assert scene.router.delete(key).result() is True
    assert scene.router.delete(key).result() is False


def test_stats_of_a_router_with_a_partition_down(scene: Scene) -> None:
    """Stats never fail: a partition that is down is marked as not available, and counts nothing."""
    stats = scene.router.stats().result()
    assert [(each.partition, each.available) for each in stats.partitions] == [(0, True), (1, False)]
    assert (stats.name, stats.epoch, stats.holdings.live) == ("default", 1, 1)
    scene.transport.remove(0)
    assert not any(each.available for each in scene.router.stats().result().partitions)


async def test_pruning_a_router_with_a_partition_down(scene: Scene) -> None:
    """Pruning moves on what can be reached, says how many partitions that was, and fails only for none."""
    scene.clock.advance(1_801)
    pruned = await scene.router.prune()
    assert (pruned.pruned, pruned.partitions) == (1, 1)
    again = await asyncio.to_thread(scene.router.prune().result)
    assert (again.pruned, again.partitions) == (0, 1)
    scene.transport.remove(0)
    with pytest.raises(PartitionUnavailableError):
        await scene.router.prune()


def test_pruning_waits_for_the_slow() -> None:
    """A partition that is frozen for a while is waited for, in a thread and in a task."""
    scene = Scene(partitions=2)
    scene.router.set_many([(UP, HOME), (DOWN, HOME)]).result()
    scene.clock.advance(1_801)
    scene.transport.freeze(1)
    pruning = scene.router.prune()

    async def wait() -> int:
        waiting = asyncio.ensure_future(_pruned(pruning))
        await asyncio.sleep(0)
        scene.transport.thaw(1)
        return await waiting

    assert asyncio.run(wait()) == pruning.result().pruned == 2


async def _pruned(pruning) -> int:  # type: ignore[no-untyped-def]  # a reply
    return int((await pruning).pruned)
