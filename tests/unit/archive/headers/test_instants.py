"""When it was observed: the instant that astropy makes of the same cards, in UTC (ARCH-21)."""

from __future__ import annotations

import warnings
from random import Random

import pytest
from astropy.time import Time

from runner.archive.headers.times import find_instant, parse_mjd, parse_quick
from runner.archive.headers.values import UNREADABLE, Value

_KEYWORDS = ("DATE-OBS", "MJD-OBS", "EXPSTART")


def _ask_astropy(when: str | float, scale: str = "utc") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time = Time(when, format="isot" if isinstance(when, str) else "mjd", scale=scale, precision=6)
        return f"{time.utc.isot}Z"


@pytest.mark.parametrize(
    ("header", "instant"),
    [
        ({"DATE-OBS": "2026-03-08T07:00:00.412907"}, "2026-03-08T07:00:00.412907Z"),
        ({"DATE-OBS": "2026-03-08T07:00:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08 07:00:00"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:00:00Z"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08"}, "2026-03-08T00:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08", "TIME-OBS": "07:00:01.5"}, "2026-03-08T07:00:01.500000Z"),
        ({"DATE-OBS": "2026-03-08", "UT": "7:00:01"}, "2026-03-08T07:00:01.000000Z"),
        ({"DATE-OBS": "08/03/98", "TIME-OBS": "07:00:01"}, "1998-03-08T07:00:01.000000Z"),
        ({"DATE-OBS": "2016-12-31T23:59:60.5"}, "2016-12-31T23:59:60.500000Z"),
        ({"DATE-OBS": "2026-03-08", "MJD-OBS": 61107.5}, "2026-03-08T12:00:00.000000Z"),
        ({"DATE-OBS": "", "MJD-OBS": 61107.5}, "2026-03-08T12:00:00.000000Z"),
        ({"MJD-OBS": 61107}, "2026-03-08T00:00:00.000000Z"),
        ({"MJD-OBS": None, "EXPSTART": 61107.25}, "2026-03-08T06:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:00:00", "TIMESYS": "UTC"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:00:37", "TIMESYS": "TAI"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:01:09.184", "TIMESYS": "TT"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:01:09.184", "TIMESYS": "TT(TAI)"}, "2026-03-08T07:00:00.000000Z"),
        ({"DATE-OBS": "2026-03-08T07:00:18", "TIMESYS": "GPS"}, "2026-03-08T07:00:00.000000Z"),
        ({}, None),
        ({"DATE-OBS": "", "MJD-OBS": None}, None),
    ],
)
def test_the_instant_is_the_first_that_the_header_has_in_utc(header: dict[str, Value], instant: str | None) -> None:
    assert find_instant(_KEYWORDS, header) == (instant, [])


@pytest.mark.parametrize("scale", ["utc", "tai", "tt", "tdb", "tcg", "tcb", "ut1"])
@pytest.mark.parametrize("when", ["1999-12-31T23:59:59.9999", "2016-12-31T12:00:00", "2017-01-01T00:00:10", 57754.25])
def test_each_time_scale_leads_to_the_utc_of_astropy(scale: str, when: str | float) -> None:
    keyword = "DATE-OBS" if isinstance(when, str) else "MJD-OBS"
    assert find_instant(_KEYWORDS, {keyword: when, "TIMESYS": scale.upper()}) == (_ask_astropy(when, scale), [])


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        ({"DATE-OBS": "yesterday"}, "DATE-OBS is 'yesterday', no instant"),
        ({"DATE-OBS": "2026-02-30T07:00:00"}, "DATE-OBS is '2026-02-30T07:00:00', no instant"),
        ({"DATE-OBS": "2026-03-08", "TIME-OBS": "25:00:00"}, "DATE-OBS is '2026-03-08' at '25:00:00', no instant"),
        ({"DATE-OBS": True}, "DATE-OBS is T, no instant"),
        ({"DATE-OBS": UNREADABLE}, "DATE-OBS is unreadable, no instant"),
        ({"MJD-OBS": 1e300}, "MJD-OBS is 1e+300, no instant"),
        ({"MJD-OBS": 10**400}, None),
        ({"MJD-OBS": float("inf")}, "MJD-OBS is inf, no instant"),
        ({"DATE-OBS": "2026-03-08T07:00:00", "TIMESYS": "LOCAL"}, "TIMESYS is 'LOCAL', no time scale"),
        ({"DATE-OBS": "2026-03-08T07:00:00", "TIMESYS": 1}, "TIMESYS is 1, no time scale"),
    ],
)
def test_what_is_no_instant_is_none_and_a_finding(header: dict[str, Value], finding: str | None) -> None:
    instant, findings = find_instant(_KEYWORDS, header)
    assert (instant, len(findings)) == (None, 1)
    assert findings[0].startswith(finding or "MJD-OBS is 1000")


def test_a_keyword_that_is_no_instant_leaves_it_to_the_next() -> None:
    instant, findings = find_instant(_KEYWORDS, {"DATE-OBS": "unknown", "MJD-OBS": 61107.5})
    assert (instant, findings) == ("2026-03-08T12:00:00.000000Z", ["DATE-OBS is 'unknown', no instant"])


def test_an_mjd_is_the_same_microsecond_as_for_astropy() -> None:
    chance = Random(1)
    days = [chance.uniform(41317, 61000) for _ in range(400)] + [57753.999999999, 57754.0, 50630.5]
    theirs = [f"{text}Z" for text in Time(days, format="mjd", scale="utc", precision=6).isot]
    assert [parse_mjd(day, "utc") for day in days] == theirs


def test_a_date_is_the_same_microsecond_as_for_astropy() -> None:
    chance = Random(2)
    dates = [
        f"20{chance.randrange(100):02d}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
        f"T{chance.randrange(24):02d}:{chance.randrange(60):02d}:{chance.uniform(0, 59.9):0{digits + 3}.{digits}f}"
        for digits in range(1, 9)
        for _ in range(30)
    ]
    theirs = [_ask_astropy(date) for date in dates]
    assert [find_instant(_KEYWORDS, {"DATE-OBS": date})[0] for date in dates] == theirs


@pytest.mark.parametrize("date", ["2026-03-08T07:00:00", "2026-03-08T07:00:00.4", "2026-03-08T23:59:59.999999"])
def test_the_quick_way_agrees(date: str) -> None:
    assert parse_quick(date, None) == find_instant(_KEYWORDS, {"DATE-OBS": date})[0]


@pytest.mark.parametrize(
    "date",
    ["2026-03-08T24:00:00", "2026-02-30T07:00:00", "2026-03-08T07:00:60", "2026-03-08T07:00:00.1234567", "08/03/98"],
)
def test_the_quick_way_leaves_what_is_rare(date: str) -> None:
    assert parse_quick(date, None) is None
