"""The ways in which platforms write an event's time, each read as epoch seconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ray_router.channels.payload import Payload

_YEAR_10000_S = 253_402_300_800
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:[Zz]|([+-])(\d\d):([0-5]\d))", re.ASCII
)


def epoch_seconds(payload: Payload, name: str) -> float:
    """A number of seconds (``1569518342``)."""
    return _in_range(payload, name, payload.integer(name))


def epoch_milliseconds(payload: Payload, name: str) -> float:
    """A number of milliseconds (``1520372800469``)."""
    return _in_range(payload, name, payload.integer(name) / 1000)


def decimal_seconds(payload: Payload, name: str) -> float:
    """Seconds as text, with or without a fraction (``"1767224888.280449"``)."""
    text = payload.text(name)
    if not _DECIMAL.fullmatch(text):
        raise payload.broken(name, "must be epoch seconds as decimal text")
    return _in_range(payload, name, float(text))


def rfc3339_seconds(payload: Payload, name: str) -> float:
    """A date and time with its offset (``"2026-01-02T18:28:24.3788393Z"``), by RFC 3339.

    Written out because ``datetime.fromisoformat`` reads neither ``Z`` nor seven digits in Python 3.10.
    """
    match = _RFC_3339.fullmatch(payload.text(name))
    if match is None:
        raise payload.broken(name, "must be an RFC 3339 date and time with its offset")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_h, offset_min = match.groups()[6:]
    try:
        offset = timedelta(hours=int(offset_h or 0), minutes=int(offset_min or 0))
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        raise payload.broken(name, "is not a date and time of the calendar") from None
    return _in_range(payload, name, moment.timestamp() + float(fraction or 0))


def _in_range(payload: Payload, name: str, seconds: float) -> float:
    if not 0 <= seconds < _YEAR_10000_S:
        raise payload.broken(name, "must be between the years 1970 and 9999")
    return float(seconds)
