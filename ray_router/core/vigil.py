"""``Vigil``: who of its peers a partition has to have restarted, because it stands still.

A runtime restarts what died, not what is frozen: that answers nothing, and nothing says so. Every partition
calls its peers now and then; one whose call has been under way for too long counts as frozen, and the first
of its successors that is not itself frozen has it restarted. One that has not answered yet since it was
started, or restarted, is not frozen: it may take a while to come up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

_LOOKS = 4  # at a call that is under way, before it has been for too long


class Vigil:
    """Calls to peers that are under way, as one partition sees them.

    Args:
        index: the partition that watches.
        frozen_after_s: how long a call may be under way, seconds.
    """

    def __init__(self, index: int, frozen_after_s: float) -> None:
        self._index = index
        self._frozen_after_s = frozen_after_s
        self._asked_at: dict[int, float] = {}
        self._looked_at = inf
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

    def to_restart(self, now: float, partitions: Sequence[int]) -> list[int]:
        """The peers that this partition must have restarted now.

        Args:
            partitions: all that there are, in order; each is watched by the next.
        """
        self._leave_out_pauses(now)
        late = (peer for peer, at in self._asked_at.items() if now - at > self._frozen_after_s)
        frozen = self._known.intersection(late)
        mine = [peer for peer in frozen if self._watcher_of(peer, frozen, partitions) == self._index]
        self._known.difference_update(mine)
        return mine

    def _leave_out_pauses(self, now: float) -> None:
        """While nobody looks, answers may have come: a watcher that stood still itself accuses nobody."""
        paused_s = now - self._looked_at
        self._looked_at = now
        if paused_s > self._frozen_after_s / _LOOKS:
            self._asked_at = {peer: min(now, at + paused_s) for peer, at in self._asked_at.items()}

    def _watcher_of(self, peer: int, frozen: set[int], partitions: Sequence[int]) -> int | None:
        successors = [each for each in partitions if each > peer] + [
            each for each in partitions if each < peer
        ]
        return next((each for each in successors if each not in frozen), None)
