"""``PartitionActor``: a partition as a Ray actor. A thin shell: names, threads and lives, no rules.

Data calls come one at a time in their own concurrency group; control calls have threads of their own,
so a sign of life, the stats and the end are not behind a long batch.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from math import inf
from typing import Any, NamedTuple

import ray
from ray.actor import ActorHandle

from ray_router.config import RouterConfig
from ray_router.core.lives import Life
from ray_router.core.slots import Topology, slot_function
from ray_router.core.vigil import Vigil
from ray_router.errors import InvalidConfigError
from ray_router.handle import RouterHandle
from ray_router.runtime.naming import actor_name
from ray_router.runtime.post import Post
from ray_router.runtime.snapshots import snapshot_regularly
from ray_router.runtime.transport import RayTransport
from ray_router.telemetry import Home, for_partition
from ray_router.transport import Directory, PartitionShell, Request

_log = logging.getLogger(__name__)

CONCURRENCY_GROUPS = {"data": 1, "control": 4, "post": 2, "archive": 1}
SAMPLE_KEYS = tuple(f"sample:{index % 7}:{index * index}" for index in range(64))
_BREATH_S = 0.0005  # between two chunks of cleaning, for the calls that wait


class Hello(NamedTuple):
    """What an actor says of its router: the config that it was first deployed with, and the way to it.

    ``sample_slots``: what its hash strategy makes of ``SAMPLE_KEYS`` in its own process.
    ``problem``: why this partition cannot work, if so. ``life``: which one it lives, and where.
    """

    directory: Directory
    actors: dict[int, ActorHandle[Any]]
    sample_slots: tuple[int, ...]
    problem: InvalidConfigError | None
    life: Life


class PartitionActor:
    """One partition. Its constructor is quick and never raises: Ray makes such a death permanent.

    Args:
        joins: other partitions were deployed before it, and may know what it should.
    """

    def __init__(self, index: int, config: RouterConfig, namespace: str, joins: bool) -> None:
        self._index = index
        self._config = config
        self._namespace = namespace
        self._topology = Topology.balanced(config.partitions)
        context = ray.get_runtime_context()
        fresh = not joins and not context.was_current_actor_reconstructed
        # Another actor of this name counts its lives from 1 again, but its peers remember the former one's.
        anew = joins and not context.was_current_actor_reconstructed
        home = Home(config.name, index, int(time.time()) if anew else _incarnation())
        self._telemetry = for_partition(config.telemetry, config.ray_metrics, home)
        self._shell = PartitionShell(
            index,
            config,
            self._topology,
            incarnation=home.incarnation,
            fresh=fresh,
            node=context.get_node_id(),
            observer=self._telemetry.observer,
            work=self._telemetry.work,
        )
        self._telemetry.watch(self._shell.stats)
        # The table's queues are in place and hold nothing that refers back: a collector that goes through
        # them, a million sessions long, for each full collection would find nothing and stop the process.
        gc.freeze()
        self._closing = threading.Event()
        if config.clock == "wall":
            threading.Thread(target=self._clean, name="ray-router-cleaner", daemon=True).start()
        self._post(config).start()
        self._keeps_snapshots = False
        if context.was_current_actor_reconstructed:
            self._keep_snapshots()

    @ray.method(concurrency_group="data")
    def apply(self, batch: bytes) -> bytes:
        """Carry out a packed batch."""
        return self._shell.apply(batch)

    @ray.method(concurrency_group="post")
    def exchange(self, letter: bytes) -> bytes:
        """Hear what a peer tells, and tell it what it is owed."""
        return self._shell.answer_letter(letter)

    @ray.method(concurrency_group="archive")
    def archive(self, request: Request) -> object:
        """Give a page to a snapshot, or take one in; either takes a while, and nobody else waits for it."""
        return self._shell.answer(request)

    @ray.method(concurrency_group="control")
    def meet(self, lives: dict[int, Life]) -> None:
        """Hear where the other partitions live."""
        self._shell.meet(lives)

    @ray.method(concurrency_group="control")
    def answer(self, request: Request) -> object:
        """Answer what is asked past the data lane."""
        return self._shell.answer(request)

    @ray.method(concurrency_group="control")
    def hello(self) -> Hello:
        """What a newcomer needs to know."""
        directory, life = Directory(self._config, self._shell.topology), self._shell.life()
        if self._telemetry.problem is not None and self._shell.incarnation == 1:
            return Hello(directory, {}, (), self._telemetry.problem, life)  # later lives go without
        try:
            slots = sample_slots(self._config.hash_strategy)
        except InvalidConfigError as error:
            return Hello(directory, {}, (), error, life)
        actors = {index: self._find(index) for index in directory.topology.members}
        known = {index: actor for index, actor in actors.items() if actor}
        return Hello(directory, known, slots, None, life)

    @ray.method(concurrency_group="control")
    def keep_snapshots(self) -> None:
        """Begin to write the router's own snapshots, once it holds what it is to begin with.

        One that was written before would be newer than what it was to begin with, and empty.
        """
        self._keep_snapshots()

    @ray.method(concurrency_group="control")
    def close(self) -> None:
        """Stop what runs by itself, and flush what was collected; the end is near."""
        self._closing.set()
        self._telemetry.close()

    def _keep_snapshots(self) -> None:
        if self._index == 0 and self._config.snapshot_uri is not None and not self._keeps_snapshots:
            self._keeps_snapshots = True
            router = RouterHandle(RayTransport(self._config.name, self._namespace))
            snapshot_regularly(router, self._config, self._index, self._closing, self._shell.tell)

    def _find(self, partition: int) -> ActorHandle[Any] | None:
        """The actor that has the partition's name now; Ray remembers it, and knows when it is gone."""
        try:
            return ray.get_actor(actor_name(self._config.name, partition), namespace=self._namespace)
        except ValueError:
            return None  # not deployed yet

    def _post(self, config: RouterConfig) -> Post:
        return Post(
            self._index,
            self._shell,
            self._find,
            interval_s=config.replication_interval_ms / 1_000,
            vigil=Vigil(self._index, config.frozen_after_s if config.replicas else inf),
            closing=self._closing,
        )

    def _clean(self) -> None:
        while not self._closing.wait(self._config.cleanup_interval_s):
            try:
                while self._shell.clean_some():
                    time.sleep(_BREATH_S)
            except Exception:  # cleaning must go on next time
                _log.exception("cleaning up partition %d failed", self._index)


def sample_slots(strategy: str) -> tuple[int, ...]:
    """What a hash strategy makes of ``SAMPLE_KEYS`` in this process.

    Raises:
        InvalidConfigError: it cannot be imported, or it fails.
    """
    slot_of = slot_function(strategy)
    try:
        return tuple(slot_of(key) for key in SAMPLE_KEYS)
    except InvalidConfigError:
        raise
    except Exception as error:  # the strategy is foreign code
        raise InvalidConfigError("hash_strategy", f"{strategy!r} fails on a session: {error!r}") from error


def _incarnation() -> int:
    """The how-manieth life of this actor, from 1.

    Ray keeps the number, but hands it out only through its private state API; should that change, the
    time of a restart serves as well: it rises from life to life, and fences as well.
    """
    context = ray.get_runtime_context()
    if not context.was_current_actor_reconstructed:
        return 1
    try:
        from ray._private import state

        return int(state.actors(context.get_actor_id())["NumRestarts"]) + 1
    except Exception as error:
        _log.warning("Ray did not say how often this actor was restarted: %s", error)
        return int(time.time())
