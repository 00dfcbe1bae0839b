"""Times of an expression: ``2024-01``, ``2024-01-31``, ``2024-01-31T12:30:15.5`` in UTC, each as long as it is precise.

So a day is a whole day whatever it is compared with: ``=`` is on that day, ``<`` before it begins, ``>`` after it
has ended, and ``between 2024-01-01 and 2024-01-31`` has all of the 31st in it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from runner.archive.find.tree import Period
from runner.archive.find.words import quote

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2})(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?)?Z?)?"
)
# By how many of its parts are written: how long a time is, and its form.
_STEPS = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}
_FORMS = {2: 7, 3: 10, 4: 13, 5: 16, 6: 19}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_period(text: str) -> Period:
    """Return the time that a text is; ValueError if it is none, or there is no such day."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"{quote(text)} is no time")
    parts = [int(part) for part in found.groups()[:6] if part is not None]
    try:
        begins = datetime(*(parts if len(parts) > 2 else [*parts, 1]), tzinfo=UTC)  # type: ignore[misc, arg-type]
        if found[7]:
            return _divide(begins, found[7])
        ends = begins + _STEPS[len(parts)] if len(parts) > 2 else (begins + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        raise ValueError(f"there is no such time as {quote(text)}") from None
    return Period(_format(begins)[: _FORMS[len(parts)]], _format(ends)[: _FORMS[len(parts)]])


def _divide(second: datetime, digits: str) -> Period:
    """Return a part of a second, as long as one of its last digit."""
    after = int(digits) + 1
    if after == 10 ** len(digits):
        ends = _format(second + timedelta(seconds=1))
    else:
        ends = f"{_format(second)}.{after:0{len(digits)}d}"
    return Period(f"{_format(second)}.{digits}", ends)


def _format(at: datetime) -> str:
    return at.isoformat()[:19]


def count_ns(text: str) -> int:
    """Return the nanoseconds since 1970 of the begin or end of a `Period`."""
    stamp, _, digits = text.partition(".")
    whole = datetime.fromisoformat(f"{stamp}-01" if len(stamp) == 7 else stamp).replace(tzinfo=UTC) - _EPOCH
    return (whole.days * 86400 + whole.seconds) * 1_000_000_000 + int(digits.ljust(9, "0") or 0)


def format_ns(ns: int) -> str:
    """Return nanoseconds since 1970 as text, UTC; what is beyond a microsecond is cut off."""
    at = _EPOCH + timedelta(microseconds=ns // 1000)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at.year > 999 else at.isoformat()
