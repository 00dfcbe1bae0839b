"""What every clock of the world shows, minute by minute, and random schedules: the reference of CRON-31 and CRON-32.

It shares nothing with ``runner.launch.slot``: zones are zoneinfo's, matching is by sets of numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from runner.crontab.dialects import DEBIAN, Dialect
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Entry, Table
from runner.launch.slot import Schedule

ZONES = ("UTC", "America/New_York", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe")
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
AROUND = timedelta(hours=6)
MINUTE = timedelta(minutes=1)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
STAR_SHARES = (0.1, 0.2, 0.8, 0.9, 0.8)

Numbers = tuple[int, int, int, int, int]


# Random schedules: text for cronsim, sets for the reference, masks for us.


@dataclass(frozen=True)
class Sample:
    """A schedule: its text and, field by field, whether it begins with a star and the numbers it means."""

    text: str
    stars: tuple[bool, ...]
    sets: tuple[frozenset[int], ...]

    @property
    def schedule(self) -> Schedule:
        schedule = Schedule()
        masks = [sum(1 << number for number in numbers) for numbers in self.sets]
        schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays = masks
        schedule.minute_star, schedule.hour_star, schedule.day_star, _, schedule.weekday_star = self.stars
        return schedule

    def matches(self, local: Numbers) -> bool:
        minute, hour, day, month, weekday = local
        minutes, hours, days, months, weekdays = self.sets
        if minute not in minutes or hour not in hours or month not in months:
            return False
        if self.stars[2] or self.stars[4]:
            return day in days and weekday in weekdays
        return day in days or weekday in weekdays


def choose_item(dice: random.Random, low: int, high: int) -> tuple[str, range]:
    """Return one item of a field, as text and as the numbers it means; never ``a-a/n``, which cronsim misreads."""
    first = dice.randint(low, high - 1)
    last = dice.randint(first + 1, high)
    step = dice.randint(1, max(2, (last - first) // 2))
    items = [
        (f"{first}", range(first, first + 1)),
        (f"{first}-{last}", range(first, last + 1)),
        (f"{first}-{last}/{step}", range(first, last + 1, step)),
    ]
    return dice.choice(items)


def choose_field(dice: random.Random, low: int, high: int, star_share: float) -> tuple[str, frozenset[int]]:
    """Return a field that is ``*`` in `star_share` of the cases."""
    if dice.random() < star_share:
        return "*", frozenset(range(low, high + 1))
    if dice.random() < 0.2:
        step = dice.randint(2, (high - low + 1) // 2)
        return f"*/{step}", frozenset(range(low, high + 1, step))
    # Clocks change at night: half of the hours are chosen there.
    high = 5 if high == 23 and dice.random() < 0.5 else high
    items = [choose_item(dice, low, high) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
    return ",".join(text for text, _ in items), frozenset().union(*(numbers for _, numbers in items))


def choose_samples(seed: str, count: int, star_shares: Iterable[float] = STAR_SHARES) -> list[Sample]:
    """Return random schedules, most of them due on most days: what is to be seen happens in few nights a year."""
    shares = tuple(star_shares)
    dice = random.Random(seed)
    samples = []
    for _ in range(count):
        fields = [choose_field(dice, low, high, share) for (low, high), share in zip(RANGES, shares, strict=True)]
        texts = [text for text, _ in fields]
        stars = tuple(text.startswith("*") for text in texts)
        samples.append(Sample(" ".join(texts), stars, tuple(numbers for _, numbers in fields)))
    return samples


# The reference: every minute, what the clock shows, what it shows for the first time, what it has just left out.


@dataclass(frozen=True)
class Minute:
    instant: int
    shows: Numbers
    again: bool
    left_out: tuple[Numbers, ...]


def numbers_of(local: datetime) -> Numbers:
    return local.minute, local.hour, local.day, local.month, local.isoweekday() % 7


def find_clock_changes(zone: str) -> list[datetime]:
    """Return the first instants of each new offset in the two years."""
    hours = (LAST - FIRST) // timedelta(hours=1)
    instants = [FIRST + timedelta(hours=hour) for hour in range(hours + 1)]
    offsets = [instant.astimezone(ZoneInfo(zone)).utcoffset() for instant in instants]
    return [instants[i + 1] for i, (before, after) in enumerate(pairwise(offsets)) if before != after]


def watch_clock(zone: str, start: datetime, end: datetime) -> list[Minute]:
    """Return the minutes from `start` to `end`, the clock being watched from a day before."""
    instant = start - timedelta(days=1)
    last = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - MINUTE
    shown = set()
    minutes = []
    while instant < end:
        local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        gap = [numbers_of(last + number * MINUTE) for number in range(1, (local - last) // MINUTE)]
        minutes.append(Minute(int(instant.timestamp()), numbers_of(local), local in shown, tuple(gap)))
        shown.add(local)
        last = local
        instant += MINUTE
    return minutes[24 * 60 :]


def list_slots(sample: Sample, minutes: list[Minute]) -> list[int]:
    """Return the slots among the minutes: CRON-31 for wildcard schedules, CRON-32 for fixed ones."""
    if sample.stars[0] or sample.stars[1]:
        return [minute.instant for minute in minutes if sample.matches(minute.shows)]
    return [
        minute.instant
        for minute in minutes
        if (not minute.again and sample.matches(minute.shows)) or any(map(sample.matches, minute.left_out))
    ]


# Crontab lines, as the two recorded grammars read them.


def read_lines(lines: str, dialect: Dialect = DEBIAN) -> list[tuple[str, Sample]]:
    """Return command and schedule of each line; every line must be one that this cron takes."""
    explanation = explain_table(dialect, Table(lines.encode()))
    assert not explanation.refusals, explanation.refusals
    return [(entry.command.decode(), read_sample(entry)) for entry in explanation.entries]


def read_sample(entry: Entry) -> Sample:
    fields = zip(entry.schedule.numbers, RANGES, strict=True)
    sets = [
        frozenset(range(low, high + 1) if text == "all" else map(int, text.split(","))) for text, (low, high) in fields
    ]
    sets[4] = frozenset(number % 7 for number in sets[4])
    stars = tuple(flag in entry.schedule.flags for flag in ("MIN_STAR", "HR_STAR", "DOM_STAR", "MON_STAR", "DOW_STAR"))
    return Sample("", stars, tuple(sets))
