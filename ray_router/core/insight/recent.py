"""``Recent``: the uses of each slot in the last minutes: what is ten minutes old counts half, and so on.

Every use is counted with a weight that grows with time, and all of them are divided by that of the present
when somebody asks: forward decay (Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009). A slot that has gone to
another partition fades where it was as fast as it comes up where it is, so that the sum of both stays true.
"""

from __future__ import annotations

HALVES_EVERY_S = 600.0

_MOST_DOUBLINGS = 64.0  # of the weight, before all counts are brought down


class Recent:
    """Uses by slot."""

    def __init__(self) -> None:
        self._uses: dict[int, float] = {}
        self._from = 0.0  # when a use counts as one
        self._first_at: float | None = None

    def add(self, slot: int, uses: float, now: float) -> None:
        """A slot was used so often."""
        if self._first_at is None:
            self._first_at = self._from = now
        doublings = (now - self._from) / HALVES_EVERY_S
        if doublings > _MOST_DOUBLINGS:
            self._uses = {each: grown for each, grown in self.by_slot(now) if grown >= 1e-3}
            self._from, doublings = now, 0.0
        self._uses[slot] = self._uses.get(slot, 0.0) + uses * 2.0**doublings

    def by_slot(self, now: float) -> tuple[tuple[int, float], ...]:
        """Each slot with its uses, as they count now."""
        less = 2.0 ** ((self._from - now) / HALVES_EVERY_S)
        return tuple((slot, grown * less) for slot, grown in sorted(self._uses.items()))

    def measured_s(self, now: float) -> float:
        """Since when anything was counted, seconds."""
        return 0.0 if self._first_at is None else max(0.0, now - self._first_at)
