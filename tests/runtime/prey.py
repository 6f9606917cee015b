"""A router whose partitions are killed and frozen, and those who call it meanwhile."""

from __future__ import annotations

import os
import signal
import threading

from ray_router import (
    DeadlineExceededError,
    FallbackReason,
    Resolution,
    ResolutionSource,
    Route,
    RouterConfig,
    RouterHandle,
    SetOutcome,
)

from .actors import CountingTransport, Place, key_on, pids_of

PREY = Place("prey", "prey", 4)
PREY_CONFIG = RouterConfig(name=PREY.name, partitions=PREY.partitions, call_timeout_s=4)
OWN = Route("the caller's own")
_BREATH_S = 0.005


class Prey:
    """A router under observation, with a session on each partition."""

    def __init__(self) -> None:
        self.transport = CountingTransport(PREY.name, PREY.namespace)
        self.router = RouterHandle(self.transport)
        self.keys = [key_on(self.router, partition) for partition in range(PREY.partitions)]
        written = self.router.set_many([(key, Route(key)) for key in self.keys]).result()
        assert [result.partition for result in written] == list(range(PREY.partitions))
        assert SetOutcome.UNAVAILABLE not in {result.outcome for result in written}
        self.pids = pids_of(self.router)
        self.transport.batches.clear()

    def signal(self, partition: int, number: signal.Signals) -> None:
        """Send a partition's process a signal."""
        os.kill(self.pids[partition], number)

    def serves(self, partition: int) -> bool:
        """Whether a partition takes a write and answers with it."""
        key = self.keys[partition]
        (written,) = self.router.set_many([(key, Route(key))]).result()
        if written.outcome is SetOutcome.UNAVAILABLE:
            return False
        answer = self.router.resolve(key, [OWN]).result()
        return answer.source is ResolutionSource.EXACT and answer.route == Route(key)

    def all_serve(self) -> bool:
        """Whether every partition does; each is asked, so that none is still on its way."""
        return {self.serves(partition) for partition in range(PREY.partitions)} == {True}

    def is_known_down(self, partition: int) -> bool:
        """Whether a new call is answered at once from the caller's fallback."""
        reply = self.router.resolve(self.keys[partition], [OWN])
        try:
            return is_unavailable(reply.result(timeout_s=0.05))
        except DeadlineExceededError:
            return False  # it waits for the partition


def is_unavailable(answer: Resolution) -> bool:
    """Whether an answer was given without its partition."""
    return answer.reason is FallbackReason.UNAVAILABLE


class Caller(threading.Thread):
    """Somebody who asks for one session over and over, one call at a time, until told to stop."""

    def __init__(self, router: RouterHandle, key: str, fallbacks: tuple[Route, ...] = ()) -> None:
        super().__init__()
        self._router, self._fallbacks = router, fallbacks
        self._enough = threading.Event()
        self.key = key
        self.answers: list[Resolution] = []
        self.errors: list[Exception] = []
        self.start()

    def run(self) -> None:
        """Ask, and note what comes; with a breath between, as what is refused comes back at once."""
        while not self._enough.wait(_BREATH_S):
            try:
                self.answers.append(self._router.resolve(self.key, self._fallbacks).result())
            except Exception as error:  # judged by the test
                self.errors.append(error)

    @property
    def calls(self) -> int:
        """How many have come back, one way or the other."""
        return len(self.answers) + len(self.errors)

    def finish(self) -> None:
        """See the last call through."""
        self._enough.set()
        self.join()
