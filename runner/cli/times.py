"""Instants and durations as people read them, in local time: libc's zone is set by who prints."""

from __future__ import annotations

import re
import time
from calendar import timegm

from runner.launch.instant import parse_instant
from runner.launch.slot import use_zone

_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def show_in_zone(name: str) -> None:
    """Show all times from here on in a zone, that of the target; empty is the host's own."""
    use_zone(name or None)


def show_instant(text: str | None) -> str:
    """Return an instant of a record in local time, to the second; empty if there is none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(parse_instant(text))) if text else ""


def show_near(text: str | None, now: float, *, seconds: bool = False) -> str:
    """Return an instant in local time as short as it is plain from `now`: ``02:30``, ``Tue 02:30``, ``03-08 02:30``."""
    if not text:
        return ""
    shown, today = time.localtime(parse_instant(text)), time.localtime(now)
    days = abs(_number_day(shown) - _number_day(today))
    date = "" if days == 0 else "%a " if days < 7 else "%m-%d " if shown.tm_year == today.tm_year else "%Y-%m-%d "
    return time.strftime(date + ("%H:%M:%S" if seconds else "%H:%M"), shown)


def _number_day(shown: time.struct_time) -> int:
    return timegm((shown.tm_year, shown.tm_mon, shown.tm_mday, 0, 0, 0)) // 86400


def show_distance(text: str | None, now: float) -> str:
    """Return how far an instant is from `now` in one unit: ``40 min ago``, ``in 5 h``."""
    if not text:
        return ""
    away = parse_instant(text) - now
    seconds = int(abs(away))
    if seconds < 60:
        shown = f"{seconds} s"
    elif seconds < 3600:
        shown = f"{seconds // 60} min"
    else:
        shown = f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} d"
    return f"{shown} ago" if away < 0 else f"in {shown}"


def show_instants(text: str) -> str:
    """Return a text with the instants of records in it shown in local time."""

    def show(found: re.Match[str]) -> str:
        try:
            return show_instant(found[0])
        except ValueError:
            return found[0]  # written by hand, and no instant

    return _INSTANT.sub(show, text)


def show_duration(seconds: float) -> str:
    """Return a duration in at most two units: ``0.4 s``, ``42 s``, ``3 min 20 s``, ``2 h 05 min``, ``3 d 4 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = whole // 60
    if minutes < 1440:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def started_at(run_id: str) -> str:
    """Return the instant that a run id begins with (RUN-4)."""
    stamp = run_id.partition("-")[0]
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:]}"
