"""``Post``: a thread of an actor that carries letters between partitions, and has a frozen peer restarted.

No data call ever waits for it: letters are read in a concurrency group of their own, and whoever writes one
holds the partition for as long as it takes to write. A restarted partition calls its peers, and is answered
with what it lacks: calls *to* an actor that was restarted a moment ago may hang for seconds in their
callers, calls *from* it never do.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray.actor import ActorHandle

from ray_router.core.vigil import Vigil
from ray_router.runtime.faults import fault_of
from ray_router.transport import PartitionShell

_log = logging.getLogger(__name__)

Find = Callable[[int], "ActorHandle[Any] | None"]


class Post:
    """The letters of one partition.

    Args:
        index: the partition.
        find: a peer's actor, as it is named now.
        interval_s: how often letters leave, seconds.
        closing: set when the actor is about to end.
    """

    def __init__(
        self,
        index: int,
        shell: PartitionShell,
        find: Find,
        *,
        interval_s: float,
        vigil: Vigil,
        closing: threading.Event,
    ) -> None:
        self._index = index
        self._shell = shell
        self._find = find
        self._interval_s = interval_s
        self._vigil = vigil
        self._closing = closing
        self._under_way: set[int] = set()
        self._arrived: SimpleQueue[tuple[int, Any]] = SimpleQueue()

    def start(self) -> None:
        """Begin to carry letters."""
        threading.Thread(target=self._run, name="ray-router-post", daemon=True).start()

    def _run(self) -> None:
        next_at = time.monotonic()
        while not self._closing.is_set():
            try:
                self._receive_until(next_at)
                next_at = time.monotonic() + self._interval_s
                if self._shell.spent:
                    _log.warning("partition %d makes way for its next life", self._index)
                    os._exit(1)  # whatever is restarted begins empty, and asks its peers
                self._shell.put_in_order()
                for peer in self._shell.peers_due():
                    self._send(peer)
                for peer in self._vigil.to_restart(time.monotonic(), self._shell.topology.members):
                    self._restart(peer)
            except Exception:  # the post must go on
                _log.exception("the post of partition %d stumbled", self._index)

    def _receive_until(self, until: float) -> None:
        """Read what arrives until then, and what has arrived by now, however late it is."""
        while (left_s := until - time.monotonic()) > 0:
            try:
                peer, reference = self._arrived.get(timeout=left_s)
            except Empty:
                return
            self._receive(peer, reference)
        for _ in range(self._arrived.qsize()):
            self._receive(*self._arrived.get())

    def _send(self, peer: int) -> None:
        if peer in self._under_way:
            return
        actor = self._find(peer)
        if actor is None:
            self._shell.gone(peer)
            return
        reference = actor.exchange.remote(self._shell.letter_to(peer))
        self._under_way.add(peer)
        self._vigil.asked(peer, time.monotonic())
        reference.future().add_done_callback(partial(self._announce, peer, reference))

    def _announce(self, peer: int, reference: Any, _: object) -> None:
        self._arrived.put((peer, reference))

    def _receive(self, peer: int, reference: Any) -> None:
        self._under_way.discard(peer)
        try:
            answer = ray.get(reference)
        except Exception as error:  # a peer may be down, and is written to again
            self._vigil.ended(peer, answered=False)
            _log.debug("partition %d did not answer: %s", peer, fault_of(error))
            return
        self._vigil.ended(peer, answered=True)
        self._shell.read_letter(answer)
        if peer in self._shell.peers_in_haste():
            self._send(peer)

    def _restart(self, peer: int) -> None:
        actor = self._find(peer)
        if actor is not None:
            _log.warning("partition %d stands still, and is restarted", peer)
            ray.kill(actor, no_restart=False)
