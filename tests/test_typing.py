"""The public API as a type checker sees it, and what it refuses.

Types are checked by mypy, strictly, with the rest: a wrong type fails there, and so does a comment that
ignores an error which is none. The right uses run too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import assert_type

import ray_router as rr
from ray_router.core.events import Resolved
from ray_router.testing import ManualClock, RecordingObserver, local_router

KEY = "telegram:bot_1:room_9"


def test_replies_are_of_what_was_asked_for() -> None:
    """Each call's reply, and what it holds."""
    router = assert_type(local_router(clock=ManualClock()), rr.RouterHandle)
    key = assert_type(rr.SessionKey.parse(KEY), rr.SessionKey)
    route = rr.Route("-100123", metadata={"lang": "de"})
    assert_type(key.parent, rr.SessionKey | None)
    assert_type(router.config, rr.RouterConfig)
    assert_type(router.set(key, route), rr.Reply[rr.SetResult])
    assert_type(router.set(KEY, route).result().outcome, rr.SetOutcome)
    assert_type(router.set_many([(KEY, route), rr.Write(key, route)]), rr.Reply[Sequence[rr.SetResult]])
    assert_type(router.get(key).result(), rr.RouteRecord | None)
    answer = assert_type(router.resolve(key, [route]).result(), rr.Resolution)
    assert_type(answer.route, rr.Route | None)
    assert_type(answer.require().metadata["lang"], str)
    assert_type(answer.reason, rr.FallbackReason | None)
    assert_type(answer.confidence >= rr.Confidence.OBSERVED, bool)
    assert_type(router.resolve_many([KEY, key]).result(timeout_s=1.0)[0], rr.Resolution)
    explained = assert_type(router.explain(key).result(), rr.Explanation)
    assert_type(explained.winner, rr.Candidate | None)
    assert_type(explained.rungs[0], rr.Rung)
    assert_type(router.report(key, route, rr.Delivery.DELIVERED).result(), rr.ReportResult)
    assert_type(router.advise(within=0.02).result(), rr.Advice)
    stats = assert_type(router.stats().result(), rr.RouterStats)
    assert_type(stats.partitions, tuple[rr.PartitionStats, ...])
    assert_type(stats.traffic.hit_ratio, float)
    assert_type(router.prune().result(), rr.PruneResult)
    assert_type(router.delete(key).result(), bool)


async def test_replies_can_be_awaited() -> None:
    """And come to the same types."""
    router = local_router()
    assert_type(await router.set(KEY, rr.Route("r")), rr.SetResult)
    assert_type(await router.resolve(KEY), rr.Resolution)
    assert_type(await router.get(KEY), rr.RouteRecord | None)
    assert_type(await router.explain(KEY), rr.Explanation)


def test_what_tests_use_is_typed() -> None:
    """The public switches for users' own tests."""
    observer = RecordingObserver()
    router = local_router(rr.RouterConfig(partitions=2), observer=observer)
    router.resolve(KEY).result()
    assert assert_type(observer.of(Resolved), list[Resolved])


if TYPE_CHECKING:

    def functions_on_ray() -> None:
        """What needs a cluster to run."""
        config = rr.RouterConfig(name="chat")
        assert_type(rr.deploy(config), rr.RouterHandle)
        assert_type(rr.connect("chat", namespace="ray_router"), rr.RouterHandle)
        assert_type(rr.shutdown("chat"), None)

    def refused(router: rr.RouterHandle, key: rr.SessionKey, route: rr.Route) -> None:
        """Each line is wrong, and a checker says so before it runs."""
        router.set(key, "-100123")  # type: ignore[arg-type]  # a route, not a room's id
        router.set(route, route)  # type: ignore[arg-type]  # a route is no key
        router.set(key, route, origin="inbound")  # type: ignore[arg-type]  # an Origin
        router.set_many([(key, route, 1.0)])  # type: ignore[list-item]  # a pair, or a Write
        router.resolve(key, route)  # type: ignore[arg-type]  # several fallbacks
        router.resolve(key, [route], True)  # type: ignore[call-arg]  # wishes are given by name
        router.resolve(key, allow_stale="yes")  # type: ignore[arg-type]
        router.resolve(key, widest_scope=rr.Confidence.NONE)  # type: ignore[arg-type]
        router.resolve_many(key)  # type: ignore[arg-type]  # several keys
        router.explain(key, minimum=1)  # type: ignore[call-arg]
        router.report(key, route, "delivered")  # type: ignore[arg-type]  # a Delivery
        _ = router.resolve(key).route  # type: ignore[attr-defined]  # a Reply is waited for first
        _ = router.resolve(key).result().route.text  # type: ignore[union-attr]  # there may be none
        _ = router.get(key).result().route  # type: ignore[union-attr]  # there may be none
        rr.Route(thread="t")  # type: ignore[call-arg]
        rr.SessionKey()  # type: ignore[call-arg]
        key.room = "other"  # type: ignore[misc]  # keys never change
        router.resolve(key).result().stale = False  # type: ignore[misc]  # nor do answers
        rr.deploy("chat")  # type: ignore[arg-type]  # a config
        rr.Verdict("answered").name = "x"  # type: ignore[misc]
