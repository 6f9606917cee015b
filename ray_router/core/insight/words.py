"""Numbers as people say them, and rounded so that they can be said."""

from __future__ import annotations

from math import ceil, inf

_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def round_up_s(seconds: float) -> float:
    """The next duration that is a whole number, or under ten a tenth, of days, hours, minutes or seconds.

    One is taken from twice itself upward, so that what is added is at most a tenth, and 5 % on average.
    """
    if seconds == inf:
        return inf
    unit = next((each for each, _ in _UNITS if seconds >= 2 * each), 1.0)
    in_units = seconds / unit
    return ceil(in_units) * unit if in_units >= 10 else ceil(round(in_units * 10, 6)) / 10 * unit


def duration(seconds: float | None) -> str:
    """A duration in its greatest unit; ``no limit`` for none."""
    if seconds is None or seconds == inf:
        return "no limit"
    unit, name = next((each for each in _UNITS if seconds >= 2 * each[0] or seconds == each[0]), _UNITS[-1])
    number = f"{seconds / unit:.3g}"
    return f"{number} {name}{'' if number == '1' else 's'}"


def percent(share: float) -> str:
    """A share, 0 to 1, in per cent, with as many digits as it takes to see it."""
    return f"{share:.1%}" if share >= 0.0995 or share == 0 else f"{share:.2%}"
