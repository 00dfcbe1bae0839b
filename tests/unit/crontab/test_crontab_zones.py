"""Gated lines: every slot of a job has a firing at its own minute, and the gate lets through nothing else."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import datetime, timedelta
from functools import cache

import pytest
from clockwork import (
    AROUND,
    FIRST,
    LAST,
    ZONES,
    Minute,
    Sample,
    choose_samples,
    find_clock_changes,
    list_slots,
    read_lines,
    watch_clock,
)

from runner.crontab.lint import LINE_BYTES
from runner.crontab.zones import make_fields
from runner.document.faults import Wrong
from runner.launch.slot import NEWEST_WINDOW_S
from runner.registry.schedule import parse_when

JOBS_PER_PAIR = 25
PAIRS = [(job, target) for job in ZONES for target in ZONES if job != target]
# Days are restricted more often than elsewhere: near midnight they are other days by the target's clock.
STAR_SHARES = (0.1, 0.2, 0.5, 0.8, 0.5)


def gate(job: str, target: str, *whens: str) -> list[str]:
    return list(make_fields(tuple(parse_when(when) for when in whens), job, target))


@pytest.mark.parametrize(
    ("job", "target", "whens", "fields"),
    [
        ("Europe/Paris", "UTC", ["0 11 * * *"], ["0 9,10 * * *"]),  # the example of crontab.md
        ("Europe/Paris", "UTC", ["0 11 * 1 *"], ["0 10 * 1 *"]),  # no slot of the year is at 9
        ("Europe/Paris", "UTC", ["* * * * *"], ["* * * * *"]),
        ("America/New_York", "UTC", ["30 2 * * *"], ["0 7 * * *", "30 6,7 * * *"]),  # 07:00Z after the gap
        ("America/New_York", "UTC", ["*/30 2 * * *"], ["0,30 6,7 * * *"]),  # wildcard: nothing after the gap
        ("Australia/Lord_Howe", "UTC", ["15 2 * * *"], ["15-45/15 15 * * *"]),
        ("Asia/Kolkata", "UTC", ["0,15,30,45 5 * * *"], ["30,45 23 * * *", "0,15 0 * * *"]),
        ("Africa/Casablanca", "UTC", ["0 11 * * *"], ["0 10,11 * * *"]),  # a zone whose rule is a table until 2087
    ],
)
def test_lines_fire_at_every_minute_of_the_day_that_a_slot_can_fall_on(
    job: str, target: str, whens: list[str], fields: list[str]
) -> None:
    """CRON-36."""
    assert sorted(gate(job, target, *whens)) == sorted(fields)


def test_the_hour_keeps_its_star_where_the_targets_clock_changes() -> None:
    """CRON-37; the minutes of all elements of `when` share one line."""
    assert gate("Europe/Paris", "America/New_York", "0 9 * * *", "0 17 * * *") == ["0 * * * *"]
    assert gate("Asia/Kolkata", "America/New_York", "0,20 9 * * *") == ["30,50 * * * *"]


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ("0 11 1 * 1", ["0 9,10 1 * 1"]),  # the same date: as it was written
        ("0 1 1 * *", ["0 0 1 * *", "0 23 28-31 * *"]),
        ("0 1 1 1 *", ["0 0 1 1 *"]),
        ("0 1 * * mon-fri", ["0 0 * * 1-5", "0 23 * * 0-4"]),
        ("0 1 1 * 1", ["0 0 1 * 1", "0 23 28-31 * 0"]),  # either
        ("0 1 */2 * 1", ["0 0 */2 * 1", "0 23 * * 0"]),  # both: a list without a star would make it either
        ("0 1 1-7 * */2", ["0 0 1-7 * */2", "0 23 1-6,28-31 * *"]),
        ("0 1 1-31 * 1", ["0 0 1-31 * 1", "0 23 * * *"]),
        ("0 0 1 3 *", ["0 23 28,29 2 *"]),
        ("0 1 31 12 */7", ["0 0 31 12 */7"]),
    ],
)
def test_a_slot_near_midnight_keeps_its_date_by_the_targets_clock(when: str, fields: list[str]) -> None:
    """Of Paris on a host in UTC; days are widened only where a field cannot say less (the gate decides)."""
    assert sorted(gate("Europe/Paris", "UTC", when)) == sorted(fields)


def test_the_date_may_be_two_days_away() -> None:
    assert gate("Pacific/Kiritimati", "Pacific/Pago_Pago", "30 0 1 3 *") == ["30 23 27,28 2 *"]


@pytest.mark.parametrize(
    ("job", "target"), [("", "Europe/Paris"), ("America/New_York", "US/Eastern"), ("Etc/UTC", "UTC")]
)
def test_the_targets_own_clock_leaves_lines_as_they_were_written(job: str, target: str) -> None:
    """CRON-36."""
    assert gate(job, target, "*/45 1-5 * * *", "@daily") == ["*/45 1-5 * * *", "0 0 * * *"]


# Cron, minute by minute, over clock changes.


@cache
def watch(zone: str, start: datetime) -> list[Minute]:
    return watch_clock(zone, start, start + 2 * AROUND)


def choose_nights(job: str, target: str) -> list[datetime]:
    """Return when to begin to look: around each change of either clock, and on some day besides."""
    changes = {change - AROUND for zone in (job, target) for change in find_clock_changes(zone)}
    dice = random.Random(f"{job} {target}")
    return [*sorted(changes), FIRST + dice.randrange((LAST - FIRST).days) * timedelta(days=1)]


def choose_jobs(seed: str) -> list[list[Sample]]:
    """Return jobs of one to three schedules that the registry takes."""
    dice = random.Random(seed)
    found = []
    for sample in choose_samples(seed, JOBS_PER_PAIR, STAR_SHARES):
        others = choose_samples(f"{seed} {sample.text}", dice.choice((0, 0, 1, 2)), STAR_SHARES)
        found.append([one for one in (sample, *others) if is_taken(one.text)])
    return [samples for samples in found if samples]


def is_taken(text: str) -> bool:
    try:
        return bool(parse_when(text))
    except Wrong:
        return False


def find_started(firings: list[int], slots: list[int]) -> list[tuple[int, int]]:
    """Return firing and slot of what the gate starts: the newest slot of the last 15 minutes, once (RUN-5, CRON-35)."""
    started: dict[int, int] = {}
    for firing in firings:
        position = bisect_right(slots, firing)
        if position and slots[position - 1] > firing - NEWEST_WINDOW_S:
            started.setdefault(slots[position - 1], firing)
    return [(firing, slot) for slot, firing in started.items()]


@pytest.mark.parametrize(("job", "target"), PAIRS)
def test_every_slot_is_started_at_its_minute_and_nothing_else_is(job: str, target: str) -> None:
    """CRON-36, CRON-37: cron simulated minute by minute around the changes of both clocks."""
    nights = choose_nights(job, target)
    seen = 0
    for samples in choose_jobs(f"{job} on {target}"):
        texts = [sample.text for sample in samples]
        fields = gate(job, target, *texts)
        lines = read_lines("".join(f"{line} run-job\n" for line in fields))
        for night in nights:
            ours, theirs = watch(job, night), watch(target, night)
            slots = sorted({slot for sample in samples for slot in list_slots(sample, ours)})
            firings = sorted({firing for _, line in lines for firing in list_slots(line, theirs)})
            assert find_started(firings, slots) == [(slot, slot) for slot in slots], (texts, fields, night)
            seen += len(slots)
    assert seen > 500


@pytest.mark.parametrize(("job", "target"), PAIRS)
def test_lines_are_few_and_short(job: str, target: str) -> None:
    """CRON-14, where each job has up to three schedules of many numbers."""
    for samples in choose_jobs(f"{job} on {target}, folded"):
        fields = gate(job, target, *[sample.text for sample in samples])
        assert len(fields) == len(set(fields)) <= 8 * len(samples), fields
        assert max(map(len, fields)) < LINE_BYTES / 3
