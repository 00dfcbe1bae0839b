"""ARCH-21: instants in UTC, the same as `astropy.time` has them (FITS Standard 4.0, section 9)."""

from __future__ import annotations

import warnings

import pytest
from astropy.time import Time
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.archive.headers.times import find_instant, parse_mjd, parse_quick
from runner.archive.headers.values import UNREADABLE, Value

_KEYWORDS = ("DATE-OBS", "MJD-OBS", "EXPSTART")


def _find(**header: Value) -> tuple[str | None, list[str]]:
    return find_instant(_KEYWORDS, {keyword.replace("_", "-"): value for keyword, value in header.items()})


def _ask(when: str | float, scale: str = "utc") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        format = "isot" if isinstance(when, str) else "mjd"
        return f"{Time(when, format=format, scale=scale, precision=6).utc.isot:0>26}Z"


@pytest.mark.parametrize(
    ("header", "instant"),
    [
        ({"DATE_OBS": "2026-03-08T07:00:00.412907"}, "2026-03-08T07:00:00.412907Z"),
        ({"DATE_OBS": "2026-03-08T07:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08T07:00:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08 07:00:00Z"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08", "TIME_OBS": "07:00:00.5"}, "2026-03-08T07:00:00.500000Z"),
        ({"DATE_OBS": "2026-03-08", "UT": "7:00:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08", "TIME_OBS": "", "UTC_OBS": "07:00:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08T01:00:00", "TIME_OBS": "07:00:00"}, "2026-03-08T01:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08"}, "2026-03-08T00:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08", "MJD_OBS": 61107.5}, "2026-03-08T12:00:00.000000Z"),
        ({"DATE_OBS": "19/05/94", "TIME_OBS": "15:41:16"}, "1994-05-19T15:41:16.000000Z"),
        ({"MJD_OBS": 61107.25}, "2026-03-08T06:00:00.000000Z"),
        ({"MJD_OBS": 61107}, "2026-03-08T00:00:00.000000Z"),
        ({"EXPSTART": 50923.5}, "1998-04-20T12:00:00.000000Z"),
        ({"DATE_OBS": "2016-12-31T23:59:60.5"}, "2016-12-31T23:59:60.500000Z"),
        ({"DATE_OBS": "2016-12-31T23:59:59.9999999"}, "2016-12-31T23:59:60.000000Z"),
        ({"DATE_OBS": "2026-03-08T23:59:59.9999999"}, "2026-03-09T00:00:00.000000Z"),
        ({"DATE_OBS": "2017-01-01T00:00:36", "TIMESYS": "TAI"}, "2016-12-31T23:59:60.000000Z"),
        ({"DATE_OBS": "2026-03-08T07:01:09.184", "TIMESYS": "TT"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08T07:01:09.184", "TIMESYS": "tt(TAI)"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08T07:00:18", "TIMESYS": "GPS"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE_OBS": "2026-03-08T07:00:00", "TIMESYS": "UTC"}, "2026-03-08T07:00:00.000000Z"),
        ({}, None),
        ({"DATE_OBS": None}, None),
        ({"DATE_OBS": ""}, None),
    ],
)
def test_an_instant_is_found(header: dict[str, Value], instant: str | None) -> None:
    assert _find(**header) == (instant, [])


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        ({"DATE_OBS": "2026-02-30T07:00:00", "TIMESYS": "TAI"}, "DATE-OBS is '2026-02-30T07:00:00', no instant"),
        ({"DATE_OBS": "2026-03-08T07:00:61"}, "DATE-OBS is '2026-03-08T07:00:61', no instant"),
        ({"DATE_OBS": "2026-02-30T07:00:00"}, "DATE-OBS is '2026-02-30T07:00:00', no instant"),
        ({"DATE_OBS": "2026-02-30", "TIME_OBS": "07:00:00"}, "DATE-OBS is '2026-02-30' at '07:00:00', no instant"),
        ({"DATE_OBS": "2026-03-08T24:00:00"}, "DATE-OBS is '2026-03-08T24:00:00', no instant"),
        ({"DATE_OBS": "yesterday"}, "DATE-OBS is 'yesterday', no instant"),
        ({"DATE_OBS": True}, "DATE-OBS is T, no instant"),
        ({"DATE_OBS": UNREADABLE}, "DATE-OBS is unreadable, no instant"),
        ({"MJD_OBS": 1e300}, "MJD-OBS is 1e+300, no instant"),
        ({"MJD_OBS": 10**400}, "no instant"),
        (
            {"DATE_OBS": "2026-03-08T07:00:00", "TIMESYS": "LOCAL"},
            "TIMESYS is 'LOCAL', no time scale that leads to UTC",
        ),
    ],
)
def test_what_is_no_instant_is_a_finding(header: dict[str, Value], finding: str) -> None:
    instant, findings = _find(**header)
    assert instant is None
    assert finding in findings[0]


def test_an_impossible_date_leaves_it_to_the_next_keyword() -> None:
    instant, findings = _find(DATE_OBS="2026-13-01", MJD_OBS=61107.25)
    assert (instant, len(findings)) == ("2026-03-08T06:00:00.000000Z", 1)


@given(st.floats(-600_000, 2_900_000, allow_nan=False))
def test_an_mjd_is_the_instant_of_astropy(mjd: float) -> None:
    assert parse_mjd(mjd, "utc") == _ask(mjd)


@given(st.integers(41317, 61000), st.integers(0, 86400 * 10**6))
def test_an_mjd_of_this_age_is_the_instant_of_astropy(day: int, micros: int) -> None:
    mjd = day + micros / 86400e6
    assert parse_mjd(mjd, "utc") == _ask(mjd)


@given(st.datetimes(), st.sampled_from((0, 3, 6, 7, 9, 12)), st.integers(0, 10**12 - 1))
def test_a_date_in_text_is_the_instant_of_astropy(when: object, digits: int, fraction: int) -> None:
    text = str(when)[:19].replace(" ", "T") + (f".{fraction:012d}"[: digits + 1] if digits else "")
    assume(not text.startswith("0000"))
    assert _find(DATE_OBS=text) == (_ask(text), [])


@given(st.text("0123456789-:T. Z", max_size=28))
def test_the_quick_way_agrees_with_the_whole_one(text: str) -> None:
    quick = parse_quick(text.rstrip(), None)
    assert quick is None or (quick, []) == _find(DATE_OBS=text)


@pytest.mark.parametrize("hour", ["24", "25", "9Z"])
def test_the_quick_way_leaves_no_hour_that_a_later_python_would_take(hour: str) -> None:
    assert parse_quick(f"2026-03-08T{hour}:00:00", None) is None
