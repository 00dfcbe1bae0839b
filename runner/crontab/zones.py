"""The lines of a job whose clock is not the target's: they fire more often than it is due, `launch` decides (CRON-36).

Such a job is *gated*. What it can be due at, by the target's clock, is worked out from the clock changes of both
zones in the 28 years from 2026 on, whatever the date is today: the same zone data give the same lines (CRON-19),
and 28 years hold every weekday and leap day that a rule of a zone can meet. An update of the zone data asks for
a new compilation of these lines and of nothing else.

Pure but for `make_fields`: the zones come in as spans. A local time is counted in seconds, as if the clock on the
wall were UTC's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from runner.launch.plan import FIELD_RANGES
from runner.launch.slot import Schedule, find_day, match_local
from runner.plans.zone import Span, is_same_zone, read_rules, read_spans
from runner.registry.schedule import When

# 2026-01-01 to 2054-01-01.
EXAMINED_FROM, EXAMINED_TO = 1_767_225_600, 2_650_838_400

_DAY_S = 86400
_DAY_M = 1440
_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS = ((2 << high) - (1 << low) for low, high in FIELD_RANGES)
# A leap year between others: each date together with those around it.
_CALENDAR = [date(2027, 12, 25) + timedelta(day) for day in range(800)]


def make_fields(whens: tuple[When, ...], timezone: str, target: str) -> tuple[str, ...]:
    """Return the fields of each line of a job: as they were written, or gated where its clock is not the target's.

    Parameters
    ----------
    timezone, target
        Zones of the job, empty if that is the target's, and of the target.
    """
    if not timezone or is_same_zone(timezone, target):
        return tuple(when.text for when in whens)
    job_spans, target_spans = (_examine(zone, read_rules(zone)) for zone in (timezone, target))
    return gate_fields(whens, job_spans, target_spans)


@lru_cache
def _examine(zone: str, _rules: bytes) -> tuple[Span, ...]:
    return read_spans(zone, EXAMINED_FROM, EXAMINED_TO)


def gate_fields(whens: Iterable[When], job: tuple[Span, ...], target: tuple[Span, ...]) -> tuple[str, ...]:
    """Return the fields of as few lines as fire at every slot of a job, folded, by the clock of the target.

    Parameters
    ----------
    job, target
        The spans of both zones, from `EXAMINED_FROM` to `EXAMINED_TO`.
    """
    changes = len(target) > 1
    rows: dict[str, dict[int, int]] = {}
    for when in whens:
        for moment, shifts in _find_moments(when.schedule, job, target, _DAY_M // 24 if changes else _DAY_M).items():
            hour, minute = divmod(moment, 60)
            row = rows.setdefault(_format_dates(when, shifts), {})
            # Debian's cron repeats in a repeated hour only what has a star there (CRON-37).
            row[minute] = row.get(minute, 0) | (_HOURS if changes else 1 << hour)
    return tuple(f"{times} {dates}" for dates, row in sorted(rows.items()) for times in _fold(row))


def _fold(row: dict[int, int]) -> Iterator[str]:
    """Yield minute and hour fields, the minutes of the same hours together."""
    by_hours: dict[int, int] = {}
    for minute, hours in row.items():
        by_hours[hours] = by_hours.get(hours, 0) | 1 << minute
    for hours, minutes in sorted(by_hours.items(), key=lambda pair: (pair[1] & -pair[1], pair)):
        yield f"{_format_numbers(minutes, _MINUTES)} {_format_numbers(hours, _HOURS)}"


def _find_moments(
    schedule: Schedule, job: tuple[Span, ...], target: tuple[Span, ...], cycle_m: int
) -> dict[int, frozenset[int]]:
    """Return minute of the target's day (or hour: `cycle_m`) -> by how many days its date may differ from the job's."""
    found: dict[int, set[int]] = {}
    for ahead_s in _find_differences(schedule, job, target):
        ahead_m = -(-ahead_s // 60)  # a slot within a minute of the target's is found by the firing after it
        for minute in _list_times(schedule):
            found.setdefault((minute + ahead_m) % cycle_m, set()).add((minute + ahead_m) // _DAY_M)
    for local, slot in _find_late_slots(schedule, job):
        shown = slot + _get_offset(target, slot)
        found.setdefault(-(-shown // 60) % cycle_m, set()).add(shown // _DAY_S - local // _DAY_S)
    return {moment: frozenset(shifts) for moment, shifts in found.items()}


def _find_differences(schedule: Schedule, job: tuple[Span, ...], target: tuple[Span, ...]) -> set[int]:
    """Return by how many seconds the target's clock can be ahead of the job's when the schedule is due."""
    starts = sorted({span.start for span in (*job, *target)})
    found: set[int] = set()
    for start, stop in pairwise([*starts, EXAMINED_TO]):
        offset = _get_offset(job, start)
        ahead = _get_offset(target, start) - offset
        if ahead not in found and _is_due(schedule, start + offset, stop + offset):
            found.add(ahead)
    return found


def _is_due(schedule: Schedule, start: int, stop: int) -> bool:
    """Whether a schedule is due, in local time, from `start` to before `stop`: on a whole day, or in part of one."""
    first, last = -(-start // _DAY_S), stop // _DAY_S
    if first < last and find_day((schedule,), first, last) < last:
        return True
    parts = ((start, min(stop, first * _DAY_S)), (max(start, last * _DAY_S), stop))
    return any(next(match_local(schedule, *part), None) is not None for part in parts)


def _find_late_slots(schedule: Schedule, job: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
    """Yield each local time in a gap of the job's zone, and the slot after the gap that it has there (CRON-32)."""
    if schedule.minute_star or schedule.hour_star:
        return
    for before, after in pairwise(job):
        for local in match_local(schedule, before.local_stop, after.local_start):
            yield local, after.start + -after.local_start % 60


def _get_offset(spans: tuple[Span, ...], instant: int) -> int:
    return spans[bisect_right(spans, instant, key=lambda span: span.start) - 1].offset_s


def _list_times(schedule: Schedule) -> list[int]:
    """Return the minutes of the day that a schedule has."""
    minutes, hours = _list_numbers(schedule.minutes), _list_numbers(schedule.hours)
    return [hour * 60 + minute for hour in hours for minute in minutes]


def _format_dates(when: When, shifts: frozenset[int]) -> str:
    """Return day, month and weekday fields that hold all dates of a schedule, shifted by these numbers of days.

    They may hold more. Both day fields of a schedule may be restricted: where either decides, each is shifted
    by itself; where both must match, the one that began with a star gives way, since no list of other days
    begins with one (CRON-6).
    """
    if shifts == {0}:
        return " ".join(when.text.split(" ")[2:])
    schedule = when.schedule
    either = not (schedule.day_star or schedule.weekday_star)
    days = months = weekdays = 0
    for shift in shifts:
        some_days, some_months = _shift_dates(schedule.days, schedule.months, shift)
        days |= some_days
        months |= _shift_dates(_DAYS, schedule.months, shift)[1] if either else some_months
        for day in _list_numbers(schedule.weekdays):
            weekdays |= 1 << (day + shift) % 7
    if either and (days == _DAYS or weekdays == _WEEKDAYS):
        days, weekdays = _DAYS, _WEEKDAYS
    elif not either and days != _DAYS and weekdays != _WEEKDAYS:
        days, weekdays = (_DAYS, weekdays) if schedule.day_star else (days, _WEEKDAYS)
    fields = ((days, _DAYS), (months, _MONTHS), (weekdays, _WEEKDAYS))
    return " ".join([_format_numbers(mask, every) for mask, every in fields])


@lru_cache
def _shift_dates(days: int, months: int, shift: int) -> tuple[int, int]:
    """Return the days of the month and the months of all dates that lie `shift` days from one of `days` of `months`."""
    shifted_days = shifted_months = 0
    for day in _CALENDAR:
        if days >> day.day & 1 and months >> day.month & 1:
            shifted = day + timedelta(shift)
            shifted_days |= 1 << shifted.day
            shifted_months |= 1 << shifted.month
    return shifted_days, shifted_months


def _list_numbers(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _format_numbers(mask: int, every: int) -> str:
    """Return a field in few characters; it begins with a star only where it is full."""
    if mask == every:
        return "*"
    numbers = _list_numbers(mask)
    steps = {after - before for before, after in pairwise(numbers)}
    if len(numbers) > 2 and len(steps) == 1 and steps != {1}:
        return f"{numbers[0]}-{numbers[-1]}/{steps.pop()}"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join([f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs])
