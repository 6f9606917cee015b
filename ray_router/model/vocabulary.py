"""The closed vocabularies of routing, each an enum whose value is its spelling outside Python."""

from enum import Enum, IntEnum


class Scope(IntEnum):
    """How much of a platform a key names, narrow to wide."""

    THREAD = 0
    ROOM = 1
    INSTANCE = 2
    CHANNEL = 3


class Origin(IntEnum):
    """Who said that a route is good, weakest to strongest."""

    SYSTEM = 0
    AGENT = 1
    INBOUND = 2
    OPERATOR = 3


class Confidence(IntEnum):
    """How sure an answer is, least to most; callers ask for a minimum."""

    NONE = 0
    STALE = 1
    PROVIDED = 2
    INHERITED = 3
    ALTERNATE = 4
    OBSERVED = 5
    CONFIRMED = 6


class PressureLevel(IntEnum):
    """How close a partition is to refusing work."""

    NORMAL = 0
    WARN = 1
    DEGRADED = 2
    SHED = 3


class Freshness(str, Enum):
    """Where a session stands between its last observation and being forgotten."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


class ResolutionSource(str, Enum):
    """The rung of the ladder that answered."""

    EXACT = "exact"
    ALTERNATE = "alternate"
    SCOPE = "scope"
    PROVIDED = "provided"
    STALE = "stale"
    NONE = "none"


class FallbackReason(str, Enum):
    """Why the session's own primary route was not the answer."""

    MISS = "miss"
    STALE = "stale"
    SCOPE_MISS = "scope_miss"
    FAILED = "failed"
    LOW_CONFIDENCE = "low_confidence"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"


class Verdict(str, Enum):
    """What a rung of the ladder made of a route.

    ``ANSWERED`` it is the answer; ``OUTRANKED`` it would have done, and a better one answered; ``FAILED``
    a delivery along it failed, and it was not seen since; ``DEFERRED`` one failed for the moment;
    ``FAILED_HERE`` either was reported for this session of a route that is not its own; ``STALE`` past its
    TTL; ``EXPIRED`` kept no longer for stale answers; ``UNSURE`` less sure than was asked for; ``MISFIT`` of
    another channel or instance; ``TOO_WIDE`` of a scope wider than was asked for; ``UNASKED`` past its TTL,
    and stale answers were not asked for.
    """

    ANSWERED = "answered"
    OUTRANKED = "outranked"
    FAILED = "failed"
    DEFERRED = "deferred"
    FAILED_HERE = "failed_here"
    STALE = "stale"
    EXPIRED = "expired"
    UNSURE = "unsure"
    MISFIT = "misfit"
    TOO_WIDE = "too_wide"
    UNASKED = "unasked"


class SetOutcome(str, Enum):
    """What a write did.

    ``STORED`` a new route, ``REFRESHED`` a known route is held with this stamp, ``SUPERSEDED`` newer
    knowledge already stands, ``SHED`` refused under pressure, ``UNAVAILABLE`` not acknowledged.
    """

    STORED = "stored"
    REFRESHED = "refreshed"
    SUPERSEDED = "superseded"
    SHED = "shed"
    UNAVAILABLE = "unavailable"


class Delivery(str, Enum):
    """What became of a message that was sent along a route."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    MOVED = "moved"


class ReportOutcome(str, Enum):
    """``APPLIED`` the report is known now, ``SUPERSEDED`` newer knowledge already stands."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
