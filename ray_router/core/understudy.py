"""``Understudy``: a partition in another's place: it answers from copies, and takes writes as copies.

By the same rules as the partition itself, whose defaults it shares: only its sessions are those of the
standby. It neither evicts nor sheds nor counts: all that is the owner's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_router.core.candidates import NOTHING, SessionState
from ray_router.core.exchange import Exchange
from ray_router.core.table import Change, Phase, Transition


class Copies:
    """The sessions of others, as a partition sees its own."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.astray = False
        """Whether what is written now may be missing elsewhere."""

    def __len__(self) -> int:
        return len(self._exchange.standby)

    def __iter__(self) -> Iterator[str]:
        return iter(self._exchange.standby.keys())

    @property
    def ghosts(self) -> int:
        """Copies are not evicted, so none is remembered."""
        return 0

    @property
    def bytes(self) -> int:
        """The owner counts what its sessions take."""
        return 0

    def count(self, phase: Phase) -> int:
        """Copies do not move on."""
        return len(self) if phase is Phase.LIVE else 0

    def state(self, key: str) -> SessionState | None:
        """What is known of a session."""
        return self._exchange.standby.state(key)

    def known(self, key: str) -> SessionState:
        """The same: a copy of a deleted session stays whole."""
        return self.state(key) or NOTHING

    def expired(self, key: str, now: float) -> bool:
        """Whether a session had routes, all of which expired."""
        return self._exchange.standby.expired(key, now)

    def quick(self, keys: Sequence[str], now: float) -> list[str | None]:
        """Each is looked at by itself."""
        return [None] * len(keys)

    def touch(self, key: str) -> None:
        """Recency is the owner's."""

    def touch_quick(self, keys: Sequence[str]) -> None:
        """Recency is the owner's."""

    def merge(self, key: str, fact: SessionState, now: float) -> Change:
        """Take a write of another partition's session."""
        return self._exchange.keep(key, fact, now, astray=self.astray)

    def refresh(
        self, key: str, route: str, observed_at: float, ttl_s: float, origin: int, now: float
    ) -> bool:
        """Every write is merged."""
        return False

    def take_next(self, now: float) -> Transition | None:
        """Copies do not move on."""
        return None
