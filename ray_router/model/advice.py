"""``Advice``: which settings the traffic that was seen speaks for, why, and what they would change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that advice is about. ``ttl_s``: seconds, None for no expiry."""

    ttl_s: float | None
    max_entries_per_partition: int
    partitions: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A hit ratio, 0 to 1, and how far off it may be: with 95 % confidence it lies within ``uncertainty``."""

    hit_ratio: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Losses:
    """Shares of asks, 0 to 1, that the present settings leave without the session's own route, by why.

    ``evicted``: it came back within its TTL, and was no longer there; ``expired``: after its TTL;
    ``unknown``: it had never been written, as far as was seen, so that no setting would help.
    """

    evicted: float
    expired: float
    unknown: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One setting: its name in ``RouterConfig``, what it is, what it might be, and why."""

    setting: str
    current: float | int | None
    suggested: float | int | None
    why: str

    @property
    def is_change(self) -> bool:
        """Whether it speaks for another value."""
        return self.current != self.suggested


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The expected hit ratio of a setting's value (None: no limit), all others as suggested."""

    value: float | None
    hit_ratio: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What the traffic speaks for. Nothing is changed by it.

    Args:
        name: of the router.
        span_s: time over which traffic was seen, seconds; ``asks``: resolves in it.
        within: how much of the hit ratio the suggestions may give up, 0 to 1.
        current: the settings now; ``measured``: the hit ratio that was counted under them;
            ``expected_now``: what the model makes of them, whose distance to ``measured`` is its error.
        limit: without any limit of time or capacity: what is missing here no setting can give.
        suggested: the settings suggested; ``expected``: what they would have given.
        suggestions: one for each setting, with its reason.
        findings: what else is worth knowing, a sentence each.
        ttl_curve: by TTL, without a limit of capacity. capacity_curve: by entries of each partition, with
            the TTL suggested.
    """

    name: str
    span_s: float
    asks: int
    within: float
    current: Settings
    measured: float
    expected_now: Expected
    limit: Expected
    losses: Losses
    suggested: Settings
    expected: Expected
    suggestions: tuple[Suggestion, ...]
    findings: tuple[str, ...] = ()
    ttl_curve: tuple[CurvePoint, ...] = ()
    capacity_curve: tuple[CurvePoint, ...] = ()

    def _repr_html_(self) -> str:
        from ray_router.model.html.advice import advice_html

        return advice_html(self)
