"""Schedules, and which slots they have: the only slot decision in the product (CRON-30 to CRON-35).

Everything here works in the zone that libc is in; `use_zone` changes it for this process.
Instants are POSIX seconds (int), always a whole minute for a slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NEWEST_WINDOW_S = 15 * 60


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


def use_zone(name: str | None) -> None:
    """Make libc's local time that of zone `name`; None is the host's own."""
    raise NotImplementedError


def newest_slot(schedules: Iterable[Schedule], now: float, window_s: int = NEWEST_WINDOW_S) -> int | None:
    """Return the newest slot in (now - window, now], or None (RUN-5)."""
    raise NotImplementedError


def slots_after(schedules: Iterable[Schedule], after: float) -> Iterator[int]:
    """Yield every slot strictly after `after`, in order, coinciding ones once; ends after 28 years without one."""
    raise NotImplementedError


def has_slot(schedule: Schedule) -> bool:
    """Whether any day of 28 years matches (CRON-5); looks at the calendar only, not at zones."""
    raise NotImplementedError
