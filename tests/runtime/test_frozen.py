"""Partitions that stop without dying: Ray does not see it, so callers must not depend on Ray to tell them."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from ray_router import (
    FallbackReason,
    PartitionUnavailableError,
    ResolutionSource,
    Route,
    SetOutcome,
    connect,
)
from ray_router.testing import wait_until

from .prey import OWN, PREY, Caller, Prey, is_unavailable

pytestmark = pytest.mark.ray
FROZEN = 0  # the one that newcomers ask first


@pytest.fixture
def frozen(prey: Prey) -> Iterator[Prey]:
    """A router with a frozen partition, which goes on in the end."""
    try:
        yield prey
    finally:
        prey.signal(FROZEN, signal.SIGCONT)
        wait_until(lambda: prey.serves(FROZEN))


def test_a_frozen_partition_of_four(frozen: Prey) -> None:
    """Its callers are answered from their fallbacks within their deadline, later ones at once and unasked.

    The others never notice: their callers go on while it is frozen, each call asked once. Thawed, it has
    all that it had.
    """
    keys, router = frozen.keys, frozen.router
    others = range(1, PREY.partitions)
    life = router.stats().result().partitions[FROZEN]
    bystanders = [Caller(router, keys[each]) for each in others]
    wait_until(lambda: all(caller.calls for caller in bystanders))

    frozen.signal(FROZEN, signal.SIGSTOP)
    helped, alone = router.resolve(keys[FROZEN], [OWN]), router.resolve(keys[FROZEN])
    before = [caller.calls for caller in bystanders]
    wait_until(lambda: all(c.calls > was + 20 for c, was in zip(bystanders, before, strict=True)))
    assert is_unavailable(helped.result())
    assert helped.result().route == OWN
    with pytest.raises(PartitionUnavailableError, match=f"partition {FROZEN} is unavailable"):
        alone.result()

    assert frozen.is_known_down(FROZEN)
    asked = frozen.transport.batches[FROZEN]
    for _ in range(20):
        assert router.resolve(keys[FROZEN], [OWN]).result().reason is FallbackReason.UNAVAILABLE
        with pytest.raises(PartitionUnavailableError) as caught:
            router.set(keys[FROZEN], Route("new")).result()
        assert caught.value.partition == FROZEN
    assert frozen.transport.batches[FROZEN] == asked

    for caller in bystanders:
        caller.finish()
    for partition, caller in zip(others, bystanders, strict=True):
        assert not caller.errors
        assert {answer.source for answer in caller.answers} == {ResolutionSource.EXACT}
        assert frozen.transport.batches[partition] == caller.calls

    frozen.signal(FROZEN, signal.SIGCONT)
    wait_until(lambda: not is_unavailable(router.resolve(keys[FROZEN], [OWN]).result()))
    assert router.resolve(keys[FROZEN]).result().route == Route(keys[FROZEN])
    stats = router.stats().result().partitions[FROZEN]
    assert (stats.pid, stats.incarnation) == (life.pid, life.incarnation)


def test_batches_and_newcomers_go_round_a_frozen_partition(frozen: Prey) -> None:
    """A batch loses only the frozen partition's items; who connects now learns the way from another."""
    frozen.signal(FROZEN, signal.SIGSTOP)
    newcomer = connect(PREY.name, namespace=PREY.namespace)
    assert newcomer.config == frozen.router.config
    for router in (frozen.router, newcomer):
        answers = router.resolve_many(frozen.keys, [OWN]).result()
        for partition, answer in enumerate(answers):
            expected = OWN if partition == FROZEN else Route(frozen.keys[partition])
            assert (answer.partition, answer.route) == (partition, expected)
            assert is_unavailable(answer) == (partition == FROZEN)
    written = newcomer.set_many([(key, Route(key)) for key in frozen.keys]).result()
    unavailable = [result.partition for result in written if result.outcome is SetOutcome.UNAVAILABLE]
    assert unavailable == [FROZEN]
    assert newcomer.set("tg:bot:*", OWN).result().outcome in (SetOutcome.STORED, SetOutcome.REFRESHED)
    assert newcomer.stats().result().down == (FROZEN,)


def have_moved(callers: Sequence[Caller], before: Sequence[int]) -> bool:
    """Whether each has had more than one answer since: the first may have been under way."""
    return all(caller.calls > was + 1 for caller, was in zip(callers, before, strict=True))


@pytest.mark.chaos
def test_freezing_and_killing_by_turns(prey: Prey) -> None:
    """Frozen, thawed, killed while frozen: no answer is wrong, nobody else waits, and all come back."""
    chance = random.Random(7)
    callers = [Caller(prey.router, key, (OWN,)) for key in prey.keys]
    for _ in range(20):
        prey.pids = [each.pid for each in prey.router.stats().result().partitions]
        victim = chance.randrange(PREY.partitions)
        prey.signal(victim, signal.SIGSTOP)
        if chance.random() < 0.7:
            wait_until(partial(prey.is_known_down, victim))
        others = [caller for caller in callers if caller.key != prey.keys[victim]]
        wait_until(partial(have_moved, others, [caller.calls for caller in others]))
        prey.signal(victim, chance.choice([signal.SIGCONT, signal.SIGKILL]))
        wait_until(prey.all_serve)
        wait_until(lambda: not prey.router.stats().result().down)
    for caller in callers:
        caller.finish()
        assert not caller.errors
        seen = {(answer.route, answer.source) for answer in caller.answers}
        assert seen <= {(Route(caller.key), ResolutionSource.EXACT), (OWN, ResolutionSource.PROVIDED)}
