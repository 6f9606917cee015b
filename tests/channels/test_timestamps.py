"""The ways in which platforms write times."""

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_router.channels import InvalidPayloadError, Payload
from ray_router.channels.timestamps import decimal_seconds, epoch_milliseconds, epoch_seconds, rfc3339_seconds


def at(value: object) -> Payload:
    return Payload.of({"at": value})


def test_numbers() -> None:
    """Numbers are seconds or milliseconds."""
    assert epoch_seconds(at(1569518342), "at") == 1569518342.0
    assert epoch_milliseconds(at(1520372800469), "at") == 1520372800.469
    assert isinstance(epoch_seconds(at(0), "at"), float)


@pytest.mark.parametrize(("text", "seconds"), [("1697043223", 1697043223.0), ("1.000500", 1.0005)])
def test_decimal_text(text: str, seconds: float) -> None:
    """Decimal text is seconds, with or without a fraction."""
    assert decimal_seconds(at(text), "at") == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-05T00:49:53.676000+00:00", 1767574193.676),
        ("2026-01-02T18:28:24.3788393Z", 1767378504.3788393),
        ("2026-01-02t18:28:24.123456789z", 1767378504.1234567),
        ("2026-01-02T20:28:24+02:00", 1767378504.0),
        ("2026-01-02T12:58:24-05:30", 1767378504.0),
    ],
)
def test_rfc3339(text: str, seconds: float) -> None:
    """Dates and times are read with their offset and up to nine digits of a second."""
    assert rfc3339_seconds(at(text), "at") == seconds


@given(
    st.datetimes(
        min_value=datetime(1971, 1, 1),
        max_value=datetime(9998, 12, 31),
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_rfc3339_as_datetime_writes_it(moment: datetime) -> None:
    """Whatever datetime writes is read as the same moment."""
    seconds = rfc3339_seconds(at(moment.isoformat()), "at")
    assert math.isclose(seconds, moment.timestamp(), rel_tol=0, abs_tol=1e-4)


@pytest.mark.parametrize("value", ["", "1e9", "-1", "1.", ".5", "\u0663", "1" * 13, "nan", "1700000000 ", 5])
def test_broken_decimal_text(value: object) -> None:
    """Text that is no plain decimal number is refused."""
    with pytest.raises(InvalidPayloadError, match=r"^at: "):
        decimal_seconds(at(value), "at")


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02",
        "2026-01-02T18:28:24",
        "2026-13-02T18:28:24Z",
        "2026-02-30T18:28:24Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T18:28:60Z",
        "2026-01-02T18:28:24+24:00",
        "2026-01-02T18:28:24+00:60",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "\u0662\u066026-01-02T18:28:24Z",
        17,
    ],
)
def test_broken_rfc3339(value: object) -> None:
    """A date without an offset, off the calendar, or before 1970 is refused."""
    with pytest.raises(InvalidPayloadError, match=r"^at: "):
        rfc3339_seconds(at(value), "at")


@pytest.mark.parametrize("value", [-1, 253_402_300_800, 1 << 63, 1.5, math.nan, True, "5", None])
def test_broken_numbers(value: object) -> None:
    """A number of seconds that is no whole number, or beyond the calendar, is refused."""
    with pytest.raises(InvalidPayloadError, match=r"^at: "):
        epoch_seconds(at(value), "at")
