"""Partitions killed under traffic: who notices, who does not, and who brings them back (nobody has to).

The short form kills a few times and runs everywhere; the long form kills many (``-m chaos``).
"""

from __future__ import annotations

import random
import signal
from collections import Counter
from sys import modules

import pytest

from ray_router import FallbackReason, PartitionUnavailableError, ResolutionSource, Route
from ray_router.handle.lane import Lane
from ray_router.testing import wait_until

from .prey import OWN, PREY, Caller, Prey

pytestmark = pytest.mark.ray


@pytest.fixture(autouse=True)
def _slow_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine holds up the living too: what is down is so by Ray's word, not by its silence."""
    monkeypatch.setattr(modules[Lane.__module__], "_DOWN_AFTER_S", 30.0)


@pytest.mark.parametrize("victim", [2, *(pytest.param(each, marks=pytest.mark.chaos) for each in (0, 1, 3))])
def test_a_killed_partition_of_four(prey: Prey, victim: int) -> None:
    """No call on the other three fails, or is sent twice, and nobody stands still while one is dead.

    Calls on the dead one come back with their fallbacks, or ``PartitionUnavailableError``; and it serves
    again by itself, in a new life.
    """
    others = [partition for partition in range(PREY.partitions) if partition != victim]
    lost = prey.router.stats().result().partitions[victim]
    helped = [Caller(prey.router, prey.keys[victim], (OWN,)) for _ in range(2)]
    alone = [Caller(prey.router, prey.keys[victim]) for _ in range(2)]
    bystanders = [Caller(prey.router, prey.keys[each]) for each in others]
    callers = [*helped, *alone, *bystanders]
    wait_until(lambda: all(caller.calls for caller in callers))

    prey.signal(victim, signal.SIGKILL)
    at_the_kill = [caller.calls for caller in bystanders]
    wait_until(lambda: prey.serves(victim))
    at_its_return = [caller.calls for caller in bystanders]
    for caller in callers:
        caller.finish()

    for partition, caller, before, after in zip(others, bystanders, at_the_kill, at_its_return, strict=True):
        assert not caller.errors
        assert {answer.source for answer in caller.answers} == {ResolutionSource.EXACT}
        assert prey.transport.batches[partition] == caller.calls  # one each: nothing was asked again
        assert after > before + 1  # more than the one that was under way
    for caller in helped:
        assert not caller.errors
        for answer in caller.answers:
            if answer.source is ResolutionSource.PROVIDED:
                assert answer.route == OWN
                assert answer.reason in (
                    FallbackReason.UNAVAILABLE,
                    FallbackReason.MISS,
                )  # a new life is empty
            else:
                assert answer.source is ResolutionSource.EXACT
    for caller in alone:
        assert {answer.source for answer in caller.answers} <= {ResolutionSource.EXACT, ResolutionSource.NONE}
        for error in caller.errors:
            assert isinstance(error, PartitionUnavailableError)
            assert error.partition == victim
    stats = prey.router.stats().result()
    assert stats.down == ()
    assert stats.partitions[victim].pid != lost.pid
    assert stats.partitions[victim].incarnation == lost.incarnation + 1


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.chaos)])
def test_whatever_dies_comes_back(prey: Prey, rounds: int) -> None:
    """All at once at first, then any of them, again and again, under traffic from all sides.

    Whatever lived on has lost nothing, and no answer is ever wrong.
    """
    chance = random.Random(rounds)
    callers = [Caller(prey.router, key, (OWN,)) for key in prey.keys]
    killed: Counter[int] = Counter()
    before = prey.router.stats().result().partitions
    for number in range(rounds):
        most = PREY.partitions - bool(number)
        victims = chance.sample(range(PREY.partitions), chance.randint(1, most) if number else most)
        pids = [each.pid for each in prey.router.stats().result().partitions]
        prey.pids = pids
        for victim in victims:
            prey.signal(victim, signal.SIGKILL)
        killed.update(victims)
        for partition in set(range(PREY.partitions)).difference(victims):
            answer = prey.router.resolve(prey.keys[partition]).result()
            assert (answer.source, answer.route) == (ResolutionSource.EXACT, Route(prey.keys[partition]))
        wait_until(prey.all_serve)
        wait_until(lambda: not prey.router.stats().result().down)
    for caller in callers:
        caller.finish()
        assert not caller.errors
        seen = {(answer.route, answer.source) for answer in caller.answers}
        assert seen <= {(Route(caller.key), ResolutionSource.EXACT), (OWN, ResolutionSource.PROVIDED)}
    after = prey.router.stats().result().partitions
    lives = [new.incarnation - old.incarnation for old, new in zip(before, after, strict=True)]
    assert lives == [killed[partition] for partition in range(PREY.partitions)]
