"""Times as long as they are precise, and as nanoseconds (ARCH-40)."""

from __future__ import annotations

from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from runner.archive.find.periods import count_ns, format_ns, parse_period
from runner.archive.find.tree import Period


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2024-02", "2024-02", "2024-03"),
        ("2024-12", "2024-12", "2025-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2023-12-31T23", "2023-12-31T23", "2024-01-01T00"),
        ("2024-01-01 05:59", "2024-01-01T05:59", "2024-01-01T06:00"),
        ("2024-01-01T05:59:59Z", "2024-01-01T05:59:59", "2024-01-01T06:00:00"),
        ("2024-01-01T05:59:59.07", "2024-01-01T05:59:59.07", "2024-01-01T05:59:59.08"),
        ("2024-01-01T05:59:59.99", "2024-01-01T05:59:59.99", "2024-01-01T06:00:00"),
    ],
)
def test_a_time_lasts_as_long_as_its_last_part(text: str, begins: str, ends: str) -> None:
    assert parse_period(text) == Period(begins, ends)


@pytest.mark.parametrize(
    "text",
    ["", "2024", "2024-13", "2024-00-01", "2023-02-29", "2024-01-01T24", "2024-01-01T05:60", "2024-1-1", "9999-12-31",
     "2024-01-01T05:59:60", "2024-01-01T05:59:59.", "2024-01-01T05:59:59+02:00", "2024-01-01T", "\u0662024-01-01",
     "0000-01"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|no such time"):
        parse_period(text)


@hypothesis.given(
    at=st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1)),
    length=st.sampled_from([7, 10, 13, 16, 19, 21, 26]),
)
def test_an_instant_is_in_the_time_that_is_written_of_it(at: datetime, length: int) -> None:
    text = at.isoformat(timespec="microseconds")
    period = parse_period(text[:length])
    assert period.begins <= f"{text}Z" < period.ends


@hypothesis.given(ns=st.integers(-30_000_000_000 * 10**9, 250_000_000_000 * 10**9))
def test_nanoseconds_are_written_and_read_to_the_microsecond(ns: int) -> None:
    text = format_ns(ns)
    period = parse_period(text)
    assert count_ns(period.begins) <= ns < count_ns(period.ends)
    assert datetime.fromisoformat(text).tzinfo == UTC


def test_a_part_of_a_nanosecond_is_counted() -> None:
    assert count_ns("1970-01-01T00:00:01.000000009") == 1_000_000_009
    assert count_ns("1970-02") == 31 * 86400 * 10**9
