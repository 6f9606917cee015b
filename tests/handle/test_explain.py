"""Explanations while partitions are down: who answered is said, and what is left when nobody did."""

from __future__ import annotations

import pytest

from ray_router import (
    FallbackReason,
    LocalTransport,
    PartitionUnavailableError,
    ResolutionSource,
    Route,
    RouterConfig,
    RouterHandle,
    Verdict,
)
from ray_router.testing import FaultyTransport

from .scene import AWAY, HOME, Scene, key_on


def test_without_its_partition_the_fallbacks_are_explained() -> None:
    """As resolve answers them: the first that fits; the rungs above say who did not answer."""
    scene = Scene(partitions=1)
    scene.transport.remove(0)
    misfit, second = Route("x", channel="slack"), Route("y")
    fallbacks = [misfit, AWAY, second]
    explained = scene.router.explain("tg:bot:room", fallbacks).result()
    assert explained.resolution == scene.router.resolve("tg:bot:room", fallbacks).result()
    assert explained.resolution.reason is FallbackReason.UNAVAILABLE
    rungs = {rung.source: rung for rung in explained.rungs}
    provided = rungs[ResolutionSource.PROVIDED].candidates
    assert [each.verdict for each in provided] == [Verdict.MISFIT, Verdict.ANSWERED, Verdict.OUTRANKED]
    for source in (ResolutionSource.EXACT, ResolutionSource.SCOPE):
        assert rungs[source].note.startswith("not asked: partition 0 did not answer")


def test_without_its_partition_and_without_a_fallback_there_is_nothing_to_explain() -> None:
    """It raises, as a resolve does."""
    scene = Scene(partitions=1)
    scene.transport.remove(0)
    with pytest.raises(PartitionUnavailableError) as raised:
        scene.router.explain("tg:bot:room").result()
    assert raised.value.partition == 0


def test_a_standby_explains_what_it_answers() -> None:
    """And that it is one."""
    config = RouterConfig(
        partitions=3, replicas=1, durability="sync", hedge_after_s=0.02, cleanup_interval_s=3_600
    )
    transport = FaultyTransport(LocalTransport(config))
    router = RouterHandle(transport)
    key = key_on(0, partitions=3)
    router.set(key, HOME).result()
    by_owner = router.explain(key).result()
    transport.kill(0)
    explained = router.explain(key).result()
    assert explained.resolution.served_by_standby
    assert explained.resolution.partition != 0
    assert explained.answered_by == f"partition {explained.resolution.partition}, a standby"
    assert "a standby" in str(explained)
    assert not by_owner.resolution.served_by_standby
    assert (explained.route, by_owner.route) == (HOME, HOME)
    assert [rung.source for rung in explained.rungs] == [rung.source for rung in by_owner.rungs]
    answer = router.resolve(key).result()
    assert (answer.route, answer.served_by_standby) == (HOME, True)
