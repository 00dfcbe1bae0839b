"""Instants as text, and back (RUN-4, CRON-34)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.instant import format_instant, format_slot, parse_instant

# From 1970 to the end of 2299: a float still holds the microseconds.
seconds = st.integers(0, 10_413_791_999)
micros = st.integers(0, 999_999)


@given(seconds)
def test_a_slot_is_written_as_datetime_writes_it(second: int) -> None:
    assert format_slot(second) == datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@given(seconds)
def test_a_slot_is_read_back(second: int) -> None:
    assert parse_instant(format_slot(second)) == second


@given(seconds, micros)
def test_an_instant_is_read_back_to_the_microsecond(second: int, micro: int) -> None:
    text = format_instant(second + micro / 1_000_000)
    assert format_instant(parse_instant(text)) == text
    assert abs(parse_instant(text) - (second + micro / 1_000_000)) < 2e-6


def test_instants_sort_as_their_texts_do() -> None:
    """The last microsecond of a second is not rounded into a text of seven digits."""
    assert format_instant(1_772_953_199.9999999) == "2026-03-08T07:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-08",
        "2026-03-08T07:00:00",
        "2026-03-08T07:00:00+00:00",
        "2026-03-08 07:00:00Z",
        "2026-02-29T07:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-03-08T24:00:00Z",
        "2026-03-08T07:00:61Z",
        "2026-03-08T07:00:00.Z",
        "2026-03-08T07:00:005Z",
        "2026-03-08T07:00:00e5Z",
        "2026-03-08T07:00:00.5_5Z",
        "2026-03-08T07:00:00.5Z\n",
        "2026-03-08T07:00:0\u0665Z",
        "2026-03-08T07:00:00.\u0665Z",
        "+026-03-08T07:00:00Z",
        "tomorrow at 07:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="instant"):
        parse_instant(text)


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        parse_instant(text)
    except ValueError:
        return
    raise AssertionError(text)
