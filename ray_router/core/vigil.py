"""``Vigil``: who of its peers a partition has to have restarted, because it stands still.

A runtime restarts what died, not what is frozen: that answers nothing, and nothing says so. Every partition
calls its peers now and then; one whose call has been under way for too long counts as frozen, and the first
of its successors that is not itself frozen has it restarted. One that has not answered yet since it was
started, or restarted, is not frozen: it may take a while to come up.
"""

from __future__ import annotations

from collections.abc import Sequence


class Vigil:
    """Calls to peers that are under way, as one partition sees them.

    Args:
        index: the partition that watches.
        partitions: all of them, in order; each is watched by the next.
        frozen_after_s: how long a call may be under way, seconds.
    """

    def __init__(self, index: int, partitions: Sequence[int], frozen_after_s: float) -> None:
        self._index = index
        self._ring = tuple(partitions)
        self._frozen_after_s = frozen_after_s
        self._asked_at: dict[int, float] = {}
        self._known: set[int] = set()

    def asked(self, peer: int, now: float) -> None:
        """A call to a peer is under way, or still is. ``now``: monotonic seconds."""
        self._asked_at.setdefault(peer, now)

    def ended(self, peer: int, *, answered: bool) -> None:
        """It was answered, or has failed: then the runtime knows."""
        self._asked_at.pop(peer, None)
        if answered:
            self._known.add(peer)
        else:
            self._known.discard(peer)

    def to_restart(self, now: float) -> list[int]:
        """The peers that this partition must have restarted now."""
        late = (peer for peer, at in self._asked_at.items() if now - at > self._frozen_after_s)
        frozen = self._known.intersection(late)
        mine = [peer for peer in frozen if self._watcher_of(peer, frozen) == self._index]
        self._known.difference_update(mine)
        return mine

    def _watcher_of(self, peer: int, frozen: set[int]) -> int | None:
        at = self._ring.index(peer)
        successors = self._ring[at + 1 :] + self._ring[:at]
        return next((each for each in successors if each not in frozen), None)
