"""Schedules, and which slots they have: the only slot decision in the product (CRON-30 to CRON-35).

Everything here works in the zone that libc is in; `use_zone` changes it for this process. Instants are
POSIX seconds; a slot is an int at which the local clock shows a whole minute.

A *stretch* is a span of real time in which the zone's offset stays the same. Within one, local time is the
instant plus the offset, so matching is arithmetic; what is difficult happens only where one stretch meets
the next. Local times are counted in seconds as if the clock on the wall were UTC's.
"""

from __future__ import annotations

import posix
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Cron may be late with a line by so much (RUN-5). A gated line fires at minutes that are no slots, too: there a slot
# of some time ago was skipped or not installed then, and is not started because of another firing (CRON-53, RUN-7).
NEWEST_WINDOW_S, GATED_WINDOW_S = 15 * 60, 5 * 60

_HOUR_S = 3600
_DAY_S = 86400
# Weekdays and leap years come round again after 28 years. The calendar is asked from 2000 on, as 2000 to 2027
# has every kind of year, so that the answer is the same at any time (CRON-19).
_CYCLE_DAYS = 28 * 1461 // 4
_DAY_OF_2000 = 10957

_zone: str | None = None


class Schedule:
    """One element of ``when``: five sets of numbers as bit masks, and which fields began with a star.

    Attributes
    ----------
    minutes, hours, days, months, weekdays
        Bit n is set if n belongs to the set; weekdays 0 to 6 from Sunday.
    minute_star, hour_star, day_star, weekday_star
        Whether the field began with ``*``: decides the day rule (CRON-6) and wildcard or fixed (CRON-30).
    """

    __slots__ = (
        "day_star", "days", "hour_star", "hours", "minute_star", "minutes", "months", "weekday_star", "weekdays",
    )  # fmt: skip
    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    minute_star: bool
    hour_star: bool
    day_star: bool
    weekday_star: bool


class _Stretch:
    """Real time from `start` to before `stop`, with one offset.

    `shown` is the latest local time that the clock has shown before `start`: what lies between it and
    the first local time of the stretch is a gap, what the stretch shows up to it is a repetition.
    """

    __slots__ = ("offset", "shown", "start", "stop")

    def __init__(self, start: int, stop: int, offset: int, shown: int) -> None:
        self.start = start
        self.stop = stop
        self.offset = offset
        self.shown = shown


def use_zone(name: str | None) -> None:
    """Make libc's local time that of zone `name`; None is the host's own, whatever TZ says (CRON-38).

    libc finds zones in TZDIR or where the system keeps them. Only libc's environment is changed: ``os.environ``
    keeps what this process was started with, so a program started with a copy of that does not see our zone.

    Raises
    ------
    LookupError
        If this machine has no such zone; libc alone would take it for UTC in silence.
    """
    global _zone
    _zone = name
    if name is None:
        posix.unsetenv("TZ")
    else:
        posix.putenv("TZ", name)
    time.tzset()
    # Of a name that it does not find, glibc makes the abbreviation: 'Mars' of Mars/Base.
    if name and "/" in name and (not time.tzname[0] or name.startswith(time.tzname[0])):
        raise LookupError(f'this machine has no time zone "{name}"')


def get_zone() -> str | None:
    """Return what `use_zone` was last told, so that whoever changes the zone for a moment can put it back."""
    return _zone


def newest_slot(schedules: Iterable[Schedule], now: float, window_s: int = NEWEST_WINDOW_S) -> int | None:
    """Return the newest slot in (now - window, now], or None (RUN-5)."""
    schedules = tuple(schedules)
    first = int(now - window_s) + 1
    stop = int(now) + 1
    while first < stop:
        start = max(first, stop - _DAY_S)
        if slots := _find_slots(schedules, start, stop):
            return max(slots)
        stop = start
    return None


def slots_after(schedules: Iterable[Schedule], after: float) -> Iterator[int]:
    """Yield every slot strictly after `after`, in order, coinciding ones once; ends after 28 years without one.

    Slots are looked for as they are asked for, so the zone must not be changed in between.
    """
    schedules = tuple(schedules)
    start = int(after) + 1
    last_day = start // _DAY_S + _CYCLE_DAYS
    while (day := find_day(schedules, start // _DAY_S - 1, last_day)) < last_day:
        # A local day begins and ends, or is skipped, within a day of UTC's day of the same date.
        start = max(start, (day - 1) * _DAY_S)
        stop = (start // _DAY_S + 1) * _DAY_S
        if slots := _find_slots(schedules, start, stop):
            yield from sorted(slots)
            last_day = stop // _DAY_S + _CYCLE_DAYS
        start = stop


def has_slot(schedule: Schedule) -> bool:
    """Whether any day of 28 years matches (CRON-5); looks at the calendar only, not at zones."""
    last_day = _DAY_OF_2000 + _CYCLE_DAYS
    return find_day((schedule,), _DAY_OF_2000, last_day) < last_day


def matches_local(schedule: Schedule, local: int) -> bool:
    """Whether a minute of the clock on the wall matches, be it in a gap or shown twice."""
    return next(match_local(schedule, local, local + 60), None) is not None


def find_day(schedules: tuple[Schedule, ...], day: int, stop: int) -> int:
    """Return the first day from `day` to before `stop`, since 1970, on which one is due, `stop` if there is none."""
    for schedule in schedules:
        stop = _find_day_of(schedule, day, stop)
    return stop


def _find_day_of(schedule: Schedule, day: int, stop: int) -> int:
    while day < stop:
        date = time.gmtime(day * _DAY_S)
        if not schedule.months >> date.tm_mon & 1:
            day += max(29 - date.tm_mday, 1)  # no month is shorter than that
        elif _matches_date(schedule, date):
            return day
        else:
            day += 1
    return stop


def _matches_date(schedule: Schedule, date: time.struct_time) -> bool:
    """Whether a day is due: both day fields must match if one begins with a star, else either (CRON-6)."""
    if not schedule.months >> date.tm_mon & 1:
        return False
    day = schedule.days >> date.tm_mday & 1
    weekday = schedule.weekdays >> (date.tm_wday + 1) % 7 & 1
    return bool(day & weekday if schedule.day_star or schedule.weekday_star else day | weekday)


def _find_slots(schedules: tuple[Schedule, ...], start: int, stop: int) -> set[int]:
    """Return all slots from `start` to before `stop`, at most some days apart."""
    slots: set[int] = set()
    for stretch in _find_stretches(start, stop):
        for schedule in schedules:
            if schedule.minute_star or schedule.hour_star:
                _add_wildcard_slots(slots, schedule, stretch)
            else:
                _add_fixed_slots(slots, schedule, stretch)
    return slots


def _add_wildcard_slots(slots: set[int], schedule: Schedule, stretch: _Stretch) -> None:
    """Add every instant whose local time matches (CRON-31)."""
    offset = stretch.offset
    slots.update([local - offset for local in match_local(schedule, stretch.start + offset, stretch.stop + offset)])


def _add_fixed_slots(slots: set[int], schedule: Schedule, stretch: _Stretch) -> None:
    """Add each matching local time once: its first pass, or the first minute after its gap (CRON-32)."""
    offset = stretch.offset
    first = stretch.start + offset
    if stretch.shown < first and next(match_local(schedule, stretch.shown, first), None) is not None:
        slots.add(stretch.start + -first % 60)
    slots.update([local - offset for local in match_local(schedule, max(first, stretch.shown), stretch.stop + offset)])


def match_local(schedule: Schedule, start: int, stop: int) -> Iterator[int]:
    """Yield the local times from `start` to before `stop` that match, in order; zones play no part here."""
    minutes = [minute * 60 for minute in range(60) if schedule.minutes >> minute & 1]
    for hour in range(start // _HOUR_S, -(-stop // _HOUR_S)):
        begin = hour * _HOUR_S
        if schedule.hours >> hour % 24 & 1 and _matches_date(schedule, time.gmtime(begin)):
            for minute in minutes:
                if start <= begin + minute < stop:
                    yield begin + minute


def _find_stretches(start: int, stop: int) -> list[_Stretch]:
    """Return the stretches from `start` to before `stop`, which are at most some days apart."""
    stretches = []
    begin = start - _DAY_S  # no clock is put back by more than a day: what is shown again at `start` was shown since
    shown = begin + offset_at(begin)
    for limit in (start, stop):
        while begin < limit:
            offset = offset_at(begin)
            end = find_change(begin, limit, offset)
            if begin >= start:
                stretches.append(_Stretch(begin, end, offset, shown))
            shown = max(shown, end + offset)
            begin = end
    return stretches


def find_change(start: int, stop: int, offset: int) -> int:
    """Return the first instant after `start` with another offset than `offset`, `stop` if there is none before.

    No zone has changed its offset and taken that back within two days.
    """
    low, high = start, stop - 1
    if offset_at(high) == offset:
        return stop
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle) == offset:
            low = middle
        else:
            high = middle
    return high


def offset_at(instant: int) -> int:
    """Return the seconds by which local time is ahead of UTC."""
    return time.localtime(instant).tm_gmtoff
