"""Instants as text: UTC, ISO 8601 with a ``Z`` (RUN-4). ``datetime`` would cost a tenth of the start-up budget."""

from __future__ import annotations

import time

# The year 9999 is the last that has a form of four digits; nothing here is about that late.
LAST_INSTANT = 253_370_764_800.0
_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def format_slot(seconds: int) -> str:
    """Return a slot as ``2026-03-08T07:00:00Z`` (CRON-34)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def format_instant(seconds: float) -> str:
    """Return an instant with microseconds, ``2026-03-08T07:00:00.412907Z``."""
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{micros:06d}Z"


def parse_instant(text: str) -> float:
    """Return the POSIX seconds of what `format_slot` or `format_instant` wrote; ValueError for all else."""
    stamp, fraction = text[:19], text[19:]
    numbers = (stamp[:4], stamp[5:7], stamp[8:10], stamp[11:13], stamp[14:16], stamp[17:])
    is_fraction = fraction == "Z" or (fraction[:1] == "." and fraction[-1] == "Z" and fraction[1:-1].isdecimal())
    if len(stamp) != 19 or not text.isascii() or not "".join(numbers).isdecimal() or not is_fraction:
        raise ValueError(f"not an instant like 2026-03-08T07:00:00Z: {text!r}")
    year, month, day, hour, minute, second = map(int, numbers)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719162
    days += _DAYS_BEFORE_MONTH[(month - 1) % 12] + (leap and month > 2) + day - 1
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    if format_slot(seconds)[:19] != stamp:
        raise ValueError(f"no such instant: {text!r}")
    return seconds + (float("0" + fraction[:-1]) if len(fraction) > 1 else 0.0)
