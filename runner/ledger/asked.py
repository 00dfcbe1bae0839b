"""A time as a person asks for it, and which slots he can mean by it; local time is what libc's zone makes it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from runner.errors import UserError
from runner.launch.slot import Schedule, matches_local, newest_slot, slots_after

_DAY_S = 86400
# How far back the slot before is looked for: there is one in each year, or it is of no interest.
_BEFORE_S = 366 * _DAY_S
# Years that every part of this machine can count in.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_TIME = re.compile(
    r"(?:(?P<date>\d{4}-\d\d-\d\d)[T ]+|(?P<day>today|yesterday)[T ]+)?"
    r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
EXAMPLES = '2026-11-25T02:00, "2026-11-25 02:00", 02:00, "yesterday 02:00", 2026-11-25T09:00:00Z'


@dataclass(frozen=True, slots=True)
class Asked:
    """A minute that somebody asks about.

    Attributes
    ----------
    instants
        POSIX seconds at which the clock showed it: two in a repeated hour, none in a gap.
    local
        What the clock on the wall shows, in seconds as if it were UTC's; None where an instant was asked for.
    moved
        The first minute after the gap that it lies in, else None.
    """

    instants: tuple[int, ...]
    local: int | None = None
    moved: int | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """What a minute is to a plan.

    Attributes
    ----------
    slot
        POSIX seconds.
    is_due
        Whether the plan has a slot then.
    clock
        What a change of the clock did to it: ``moved`` (a fixed time in a gap is due after it), ``gap`` (a wildcard
        has no slot in it), ``repeated`` (a fixed time is due in the first pass only), or empty.
    """

    slot: int
    is_due: bool
    clock: str = ""


def parse_asked(text: str, now: float) -> Asked:
    """Return the minute that a person means; UserError with examples if it is none."""
    found = _TIME.fullmatch(text.strip())
    try:
        if not found or (found["zone"] and not found["date"]):
            raise ValueError
        day = _choose_day(found, now)
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise ValueError
        wanted = datetime(day.year, day.month, day.day, int(found["hour"]), int(found["minute"]), tzinfo=UTC)
        offset_s = _offset_s(found["zone"]) if found["zone"] else 0.0
    except ValueError:
        raise UserError(f'"{text}" is no time; write one like {EXAMPLES}') from None
    if found["zone"]:
        return Asked((int(wanted.timestamp() - offset_s),))
    asked = _find_local(int(wanted.timestamp()))
    if not found["date"] and not found["day"] and min(asked.instants or (asked.moved or 0,)) > now:
        return _find_local(int(wanted.timestamp()) - _DAY_S)  # the last time that the clock showed it
    return asked


def choose_meant(asked: Asked, schedules: Sequence[Schedule]) -> list[Meant]:
    """Return the slots of a plan that are meant, the first instant of the minute if it has none then."""
    if asked.moved is not None and asked.local is not None:
        return [_choose_in_gap(asked.local, asked.moved, schedules)]
    due = [Meant(instant, is_due=True) for instant in asked.instants if is_due(schedules, instant)]
    return due or [Meant(asked.instants[0], is_due=False, clock=_explain_pass(asked.instants[0], schedules))]


def is_due(schedules: Sequence[Schedule], instant: int) -> bool:
    """Whether an instant is a slot."""
    return newest_slot(schedules, instant, 1) == instant


def find_nearest(schedules: Sequence[Schedule], instant: int) -> tuple[int | None, int | None]:
    """Return the slot before an instant, of the year before it, and the one after it."""
    return newest_slot(schedules, instant - 1, _BEFORE_S), next(slots_after(schedules, instant), None)


def _choose_day(found: re.Match[str], now: float) -> date:
    if found["date"]:
        return date.fromisoformat(found["date"])
    today = time.localtime(now)
    days = 1 if found["day"] == "yesterday" else 0
    return date(today.tm_year, today.tm_mon, today.tm_mday) - timedelta(days=days)


def _offset_s(zone: str) -> float:
    if zone == "Z":
        return 0.0
    offset = datetime.strptime(zone, "%z").utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _find_local(local: int) -> Asked:
    passes = _find_passes(local)
    if passes:
        return Asked(passes, local)
    shown = time.gmtime(local)
    once = Schedule()
    once.minutes, once.hours, once.days, once.months = (
        1 << number for number in (shown.tm_min, shown.tm_hour, shown.tm_mday, shown.tm_mon)
    )
    once.weekdays = 0b1111111
    once.weekday_star = once.day_star = True
    once.minute_star = once.hour_star = False
    return Asked((), local, next(slots_after((once,), local - 2 * _DAY_S)))


def _find_passes(local: int) -> tuple[int, ...]:
    """Return the instants at which the clock shows a local time, in order."""
    offsets = {time.localtime(local + shift).tm_gmtoff for shift in (-_DAY_S, _DAY_S)}
    return tuple(sorted(local - offset for offset in offsets if time.localtime(local - offset).tm_gmtoff == offset))


def _choose_in_gap(local: int, moved: int, schedules: Sequence[Schedule]) -> Meant:
    matching = [schedule for schedule in schedules if matches_local(schedule, local)]
    if any(not _is_wildcard(schedule) for schedule in matching):
        return Meant(moved, is_due=True, clock="moved")
    return Meant(moved, is_due=False, clock="gap" if matching else "")


def _explain_pass(instant: int, schedules: Sequence[Schedule]) -> str:
    local = instant + time.localtime(instant).tm_gmtoff
    is_second = instant != _find_passes(local)[0]
    return "repeated" if is_second and any(matches_local(schedule, local) for schedule in schedules) else ""


def _is_wildcard(schedule: Schedule) -> bool:
    return schedule.minute_star or schedule.hour_star
