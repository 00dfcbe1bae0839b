"""When it was observed, in UTC, from DATE-OBS and its like or from an MJD (FITS Standard 4.0, section 9; ARCH-21).

What is UTC already and plainly written is read here, to the same microsecond as astropy reads it; other scales, leap
seconds and rare forms are left to `astropy.time`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from runner.archive.headers.values import Value, is_blank, show

TIMESYS = "TIMESYS"
# Where the time of day stands if a date has none; the last three are older than TIME-OBS, and of DATE-OBS only.
_TIMES_OF_OBS = ("TIME-OBS", "UTC-OBS", "UT", "UTC")

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# FITS Standard 4.0, section 4.4.2.1: the form of before 1998 is of the twentieth century.
_OLD_DATE = re.compile(r"(\d\d)/(\d\d)/(\d\d)")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.(\d*))?)?Z?", re.ASCII)
# Section 9.2.1, table 30; what astropy calls them. A realization may follow, as in TT(TAI).
_SCALES = {
    **dict.fromkeys(("UTC", "UT", "GMT", "Z"), "utc"),
    **dict.fromkeys(("TT", "TDT", "ET"), "tt"),
    **dict.fromkeys(("TAI", "IAT"), "tai"),
    **{scale: scale.lower() for scale in ("UT1", "TDB", "TCG", "TCB", "GPS")},
}
_MJD_EPOCH = datetime(1858, 11, 17)
_MJD_EPOCH_DAY = _MJD_EPOCH.toordinal()
_LAST_MJD = datetime.max.toordinal() - _MJD_EPOCH_DAY + 1
_FIRST_MJD = 1 - _MJD_EPOCH_DAY
_JD_OF_MJD = 2400000.5
_GPS_LATE_BY_S = 19  # behind TAI, for ever


def name_times(keyword: str) -> tuple[str, ...]:
    """Return the keywords that may have the time of day of a date's keyword."""
    if keyword == "DATE-OBS":
        return _TIMES_OF_OBS
    return (f"TIME{keyword[4:]}",) if keyword.startswith("DATE-") else ()


def find_instant(keywords: Iterable[str], header: Mapping[str, Value]) -> tuple[str | None, list[str]]:
    """Return the first instant that a header has, like ``2026-03-08T07:00:00.412907Z``, and what was wrong.

    A date without a time of day counts only where no later keyword has an instant.
    """
    findings: list[str] = []
    day = None
    for keyword in keywords:
        value = header.get(keyword)
        if is_blank(value):
            continue
        try:
            instant, is_day = _read_instant(keyword, value, header)
        except ValueError as error:
            findings.append(str(error))
            continue
        if not is_day:
            return instant, findings
        day = day or instant
    return day, findings


def _read_instant(keyword: str, value: Value, header: Mapping[str, Value]) -> tuple[str, bool]:
    scale = _find_scale(header)
    if isinstance(value, str):
        date, time = _split(keyword, value, header)
        try:
            return parse_instant(date, time or "00:00:00", scale), not time
        except ValueError:
            beside = "" if time in value else f" at {show(time)}"
            raise ValueError(f"{keyword} is {show(value)}{beside}, no instant") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{keyword} is {show(value)}, no instant")
    try:
        return parse_mjd(value - _JD_OF_MJD if keyword.startswith("JD") else value, scale), False
    except (ValueError, OverflowError):
        raise ValueError(f"{keyword} is {show(value)}, no instant") from None


def _find_scale(header: Mapping[str, Value]) -> str:
    system = header.get(TIMESYS)
    if is_blank(system):
        return "utc"
    scale = _SCALES.get(system.upper().partition("(")[0].strip()) if isinstance(system, str) else None
    if scale is None:
        raise ValueError(f"{TIMESYS} is {show(system)}, no time scale that leads to UTC")
    return scale


def _split(keyword: str, value: str, header: Mapping[str, Value]) -> tuple[str, str]:
    """Return date and time of day, which is empty where the header has none."""
    date, _, time = value.strip().replace(" ", "T", 1).partition("T")
    for other in () if time else name_times(keyword):
        candidate = header.get(other)
        if isinstance(candidate, str) and candidate.strip():
            return date, candidate.strip()
    return date, time


def parse_instant(date: str, time: str, scale: str) -> str:
    """Return the UTC of a date and time of day as FITS writes them; ValueError if there is no such instant."""
    if old := _OLD_DATE.fullmatch(date):
        day, month, year = old.groups()
        date = f"19{year}-{month}-{day}"
    parts = _TIME.fullmatch(time)
    if not parts or not _DATE.fullmatch(date):
        raise ValueError(f"not as FITS writes it: {date} {time}")
    hour, minute, second, fraction = (part or "" for part in parts.groups())
    stamp = f"{date}T{hour:0>2}:{minute}:{second:0>2}"
    # Astropy would take a day that its month has not.
    datetime.fromisoformat(stamp[:17] + "00")
    if scale == "utc" and second != "60" and (len(fraction) <= 6 or _rounds_plainly(fraction)):
        return _format_plain(stamp, fraction)
    return ask_astropy(f"{stamp}.{fraction}" if fraction else stamp, scale)


def _rounds_plainly(fraction: str) -> bool:
    # Next to a tie the double precision of astropy decides, and not the digits.
    rest = fraction[6:]
    return not rest.startswith("4999") and rest[:2] not in ("5", "50")


def _format_plain(stamp: str, fraction: str) -> str:
    instant = datetime.fromisoformat(stamp)
    micros = int(f"{fraction:0<6}"[:6]) + (fraction[6:7] >= "5")
    if micros == 1_000_000:
        if stamp.endswith("23:59:59"):
            return ask_astropy(f"{stamp}.{fraction}", "utc")
        instant, micros = instant + timedelta(seconds=1), 0
    return f"{instant.isoformat(timespec='seconds')}.{micros:06d}Z"


def parse_quick(date: Value, time: Value) -> str | None:
    """Return the UTC of a date and a time of day where both are written as most write them; None for all else.

    It agrees with `find_instant`, and is what most files need.
    """
    if type(date) is not str:
        return None
    stamp = date if time is None else f"{date}T{time}"
    size = len(stamp)
    # The separators say enough: fromisoformat refuses what is no digit between them.
    if not 19 <= size <= 26 or stamp[10] != "T" or stamp[13:17:3] != "::" or stamp[4:8:3] != "--":
        return None
    # From Python 3.13 on, hour 24 is one.
    if stamp[11:13] > "23":
        return None
    whole, fraction = stamp[:19], stamp[20:]
    if size > 19 and (stamp[19] != "." or (fraction and not (fraction.isascii() and fraction.isdigit()))):
        return None
    try:
        datetime.fromisoformat(whole)
    except ValueError:
        return None
    return f"{whole}.{fraction:0<6}Z"


def parse_mjd(mjd: float, scale: str) -> str:
    """Return the UTC of an MJD of some time scale; ValueError if it is of no year that has four digits."""
    mjd = float(mjd)
    if not _FIRST_MJD <= mjd < _LAST_MJD:
        raise ValueError(f"no year from 1 to 9999: {mjd}")
    day = math.floor(mjd)
    date = datetime.fromordinal(day + _MJD_EPOCH_DAY)
    # A day with a leap second is longer, and its fractions too: only these two have ever had one.
    if scale != "utc" or (date.year >= 1972 and (date.month, date.day) in ((6, 30), (12, 31))):
        return ask_astropy(mjd, scale)
    # As ERFA's d2tf rounds.
    micros = math.floor(1e6 * (86400.0 * (mjd - day)) + 0.5)
    return f"{(date + timedelta(microseconds=micros)).isoformat(timespec='microseconds')}Z"


def ask_astropy(when: str | float, scale: str) -> str:
    """Return the UTC that astropy makes of an instant; ValueError if it makes none."""
    import warnings

    from astropy.time import Time, TimeDelta
    from astropy.utils import iers

    # The tables that came with astropy: no job waits for a network to learn the UT1 of last week.
    with warnings.catch_warnings(), iers.conf.set_temp("auto_download", False):
        warnings.simplefilter("ignore")
        format = "fits" if isinstance(when, str) else "mjd"
        time = Time(when, format=format, scale="tai" if scale == "gps" else scale, precision=6)
        if scale == "gps":
            time += TimeDelta(_GPS_LATE_BY_S, format="sec", scale="tai")
        try:
            # Years before 1000 come without their zeros.
            text = str(time.utc.isot).zfill(26)
        except (OverflowError, iers.IERSRangeError) as error:
            raise ValueError(str(error)) from None
    if len(text) != 26 or not _DATE.match(text):
        raise ValueError(f"no year from 1 to 9999: {text}")
    return f"{text}Z"
