"""Partitions killed under traffic: who notices, who does not, and who brings them back (nobody has to).

The short form kills a few times and runs everywhere; the long form kills many (``-m chaos``).
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from ray_router import (
    FallbackReason,
    PartitionUnavailableError,
    Resolution,
    ResolutionSource,
    Route,
    RouterConfig,
    RouterHandle,
    SetOutcome,
    deploy,
    shutdown,
)
from ray_router.testing import wait_until

from .actors import CountingTransport, key_on, pids_of

pytestmark = pytest.mark.ray

PARTITIONS = 4
NAMESPACE = "killed"
OWN = Route("the caller's own")


@pytest.fixture(scope="module")
def deployed(ray_cluster: str) -> Iterator[None]:
    """A router of four partitions; each test leaves it whole, and empties what it killed."""
    deploy(RouterConfig(name="prey", partitions=PARTITIONS), namespace=NAMESPACE)
    yield
    shutdown("prey", namespace=NAMESPACE)


class Prey:
    """A router under observation, with a session on each partition."""

    def __init__(self) -> None:
        self.transport = CountingTransport("prey", NAMESPACE)
        self.router = RouterHandle(self.transport)
        self.keys = [key_on(self.router, partition) for partition in range(PARTITIONS)]
        self.write_all()
        self.transport.batches.clear()

    def write_all(self) -> None:
        """Every session has its route."""
        written = self.router.set_many([(key, Route(key)) for key in self.keys]).result()
        assert [result.partition for result in written] == list(range(PARTITIONS))
        assert SetOutcome.UNAVAILABLE not in {result.outcome for result in written}

    def answers_from(self, partition: int) -> bool:
        """Ask once for a partition's session, which must be answered by itself and at once."""
        answer = self.router.resolve(self.keys[partition]).result()
        assert (answer.source, answer.route) == (ResolutionSource.EXACT, Route(self.keys[partition]))
        return True

    def kill(self, partition: int, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a partition's process a signal; its number."""
        pid = pids_of(self.router)[partition]
        os.kill(pid, how)
        return pid

    def serves_again(self, partition: int) -> bool:
        """Whether a partition takes a write and answers with it."""
        (written,) = self.router.set_many([(self.keys[partition], Route(self.keys[partition]))]).result()
        return written.outcome is not SetOutcome.UNAVAILABLE and self.answers_from(partition)


@pytest.fixture
def prey(deployed: None) -> Prey:
    """The router, whole."""
    return Prey()


class Caller(threading.Thread):
    """Somebody who asks for one session over and over, with a fallback or without, until told to stop."""

    def __init__(self, router: RouterHandle, key: str, fallbacks: tuple[Route, ...]) -> None:
        super().__init__()
        self.router, self.key, self.fallbacks = router, key, fallbacks
        self.answers: list[Resolution] = []
        self.errors: list[Exception] = []
        self.stop = threading.Event()
        self.start()

    def run(self) -> None:
        """Ask, and note what comes."""
        while not self.stop.is_set():
            try:
                self.answers.append(self.router.resolve(self.key, self.fallbacks).result())
            except Exception as error:
                self.errors.append(error)

    @property
    def calls(self) -> int:
        """How many were answered, one way or the other."""
        return len(self.answers) + len(self.errors)

    def finish(self) -> None:
        """See the last call through."""
        self.stop.set()
        self.join()


@pytest.mark.parametrize("victim", [2, *(pytest.param(each, marks=pytest.mark.chaos) for each in (0, 1, 3))])
def test_a_killed_partition_of_four(prey: Prey, victim: int) -> None:
    """No call on the other three fails, waits or is sent twice, while the dead one is away.

    Calls on the dead one come back with their fallbacks, or ``PartitionUnavailableError``; and it serves
    again by itself, with a new life.
    """
    others = [partition for partition in range(PARTITIONS) if partition != victim]
    helped = [Caller(prey.router, prey.keys[victim], (OWN,)) for _ in range(2)]
    alone = [Caller(prey.router, prey.keys[victim], ()) for _ in range(2)]
    bystanders = [Caller(RouterHandle(prey.transport), prey.keys[each], ()) for each in others]
    callers = [*helped, *alone, *bystanders]
    wait_until(lambda: all(caller.calls for caller in callers))

    lost = prey.kill(victim)
    wait_until(lambda: any(caller.errors for caller in alone))
    wait_until(lambda: any(is_unavailable(answer) for caller in helped for answer in caller.answers))
    during = [caller.calls for caller in bystanders]
    wait_until(lambda: prey.serves_again(victim))
    wait_until(lambda: all(c.calls > before for c, before in zip(bystanders, during, strict=True)))
    for caller in callers:
        caller.finish()

    for partition, caller in zip(others, bystanders, strict=True):
        assert not caller.errors
        assert {answer.source for answer in caller.answers} == {ResolutionSource.EXACT}
        assert prey.transport.batches[partition] == caller.calls  # one each: nothing was asked again
    for caller in helped:
        assert not caller.errors
        assert all(caller.answers)
        for answer in caller.answers:
            if answer.fallback:
                assert (answer.route, answer.source) == (OWN, ResolutionSource.PROVIDED)
                assert answer.reason in (FallbackReason.UNAVAILABLE, FallbackReason.MISS)  # a new life is empty
    for caller in alone:
        assert {type(error) for error in caller.errors} <= {PartitionUnavailableError}
        assert {error.partition for error in caller.errors} <= {victim}  # type: ignore[attr-defined]
    stats = prey.router.stats().result()
    assert stats.down == ()
    assert stats.partitions[victim].pid != lost
    assert stats.partitions[victim].restarts > 0


def is_unavailable(answer: Resolution) -> bool:
    """Whether the answer's partition did not give it."""
    return answer.reason is FallbackReason.UNAVAILABLE


def test_a_batch_over_a_dead_partition(prey: Prey) -> None:
    """Its items are answered from the fallbacks or ``UNAVAILABLE``; all others as ever; stats name it."""
    victim = 1
    prey.kill(victim, signal.SIGSTOP)  # as good as dead, until it is
    pid = pid_until_known_down(prey, victim)
    try:
        answers = prey.router.resolve_many(prey.keys, [OWN]).result()
        for partition, answer in enumerate(answers):
            expected = OWN if partition == victim else Route(prey.keys[partition])
            assert (answer.partition, answer.route) == (partition, expected)
        written = prey.router.set_many([(key, Route(key)) for key in prey.keys]).result()
        assert [result.partition for result in written if result.outcome is SetOutcome.UNAVAILABLE] == [victim]
        assert prey.router.stats().result().down == (victim,)
        assert prey.router.prune().result is not None
        lobby = prey.router.set("tg:bot:*", OWN).result()
        assert lobby.outcome in (SetOutcome.STORED, SetOutcome.REFRESHED)
        with pytest.raises(PartitionUnavailableError):
            prey.router.delete(prey.keys[victim]).result()
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: prey.serves_again(victim))


def pid_until_known_down(prey: Prey, victim: int) -> int:
    """Not needed."""
    return 0


@pytest.mark.parametrize("rounds", [2, pytest.param(25, marks=pytest.mark.chaos)])
def test_any_number_of_partitions_at_any_time(prey: Prey, rounds: int) -> None:
    """Whatever dies, together or one after another, before it is back or just after: all of it comes back.

    Routes on partitions that lived on are never lost, and what is answered is always right.
    """
    chance = random.Random(rounds)
    callers = [Caller(prey.router, key, (OWN,)) for key in prey.keys]
    for number in range(rounds):
        victims = chance.sample(range(PARTITIONS), chance.randint(1, PARTITIONS) if number else PARTITIONS)
        pids = pids_of(prey.router)
        for victim in victims:
            os.kill(pids[victim], signal.SIGKILL)
        for partition in set(range(PARTITIONS)) - set(victims):
            assert prey.answers_from(partition)
        wait_until(lambda: all([prey.serves_again(each) for each in range(PARTITIONS)]))
    for caller in callers:
        caller.finish()
        assert not caller.errors
        seen = Counter((answer.route, answer.source) for answer in caller.answers)
        assert set(seen) <= {(Route(caller.key), ResolutionSource.EXACT), (OWN, ResolutionSource.PROVIDED)}
    lives = [each.incarnation for each in prey.router.stats().result().partitions]
    assert min(lives) > 1
