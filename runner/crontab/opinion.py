"""python-crontab's second opinion on our block before it is installed; foreign lines never get there (CRON-43)."""

from __future__ import annotations

import re

from runner.crontab.entry import SWEEP, parse_entries
from runner.launch.slot import Schedule

_FIELDS = re.compile(r"^[0-9*][^ \n]*(?: [0-9*][^ \n]*){4}", re.MULTILINE)
_HIGHS = (59, 23, 31, 12, 6)


def find_disagreement(body: str, *, system: bool = False) -> str:
    """Return the first plan that python-crontab reads otherwise than we do, or an empty text.

    ``system`` is whether the lines have a user column.
    """
    ours = {entry.plan: entry for entry in parse_entries(body)}
    theirs = _read_lines(body, system=system)
    if ours.keys() != theirs.keys():
        return f"plans that only one of us reads: {' '.join(sorted(ours.keys() ^ theirs.keys()))}"
    for plan, entry in ours.items():
        numbers = [
            _blur(fields, _list_numbers(schedule))
            for fields, schedule in zip(entry.fields, entry.schedules, strict=True)
        ]
        others = [_blur(fields, other) for fields, other in zip(entry.fields, theirs[plan], strict=False)]
        if numbers != others:
            return f"{plan}: {numbers} is {others} to python-crontab"
    return ""


def _read_lines(body: str, *, system: bool) -> dict[str, list[list[set[int]]]]:
    from crontab import CronTab  # type: ignore[import-untyped]  # 49 ms, for an install alone

    lines: dict[str, list[list[set[int]]]] = {}
    readable = _FIELDS.sub(lambda fields: _make_readable(fields[0]), body)
    for job in CronTab(tab=readable, user=False if system else None):
        plan = job.command.rpartition(" ")[2]
        if plan != SWEEP:
            lines.setdefault(plan, []).append([{int(number) for number in field} for field in job.slices])
    return lines


def _list_numbers(schedule: Schedule) -> list[set[int]]:
    masks = (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays)
    return [{number for number in range(mask.bit_length()) if mask >> number & 1} for mask in masks]


def _blur(fields: str, numbers: list[set[int]]) -> list[set[int]]:
    """Leave out the fields that python-crontab cannot read."""
    pairs = zip(fields.split(" "), numbers, _HIGHS, strict=True)
    return [set() if _is_odd(field, high) else found for field, found, high in pairs]


def _make_readable(fields: str) -> str:
    pairs = zip(fields.split(" "), _HIGHS, strict=True)
    return " ".join(["*" if _is_odd(field, high) else field for field, high in pairs])


def _is_odd(field: str, high: int) -> bool:
    """Whether python-crontab 3.4 misreads a field.

    To it the weekday ``7-7`` is every day and ``5-7/2`` is 5; a step beyond the field's range (``0-0/24``), which
    both crons take, is an error.
    """
    return (high == 6 and "7" in field) or any(int(step) > high for step in re.findall(r"/(\d+)", field))
