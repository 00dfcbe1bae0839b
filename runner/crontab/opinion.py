"""python-crontab's second opinion on our block before it is installed; foreign lines never get there (CRON-43)."""

from __future__ import annotations

from runner.crontab.entry import SWEEP, parse_entries
from runner.launch.slot import Schedule


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
    for job in CronTab(tab=body, user=False if system else None):
        plan = job.command.rpartition(" ")[2]
        if plan != SWEEP:
            lines.setdefault(plan, []).append([{int(number) for number in field} for field in job.slices])
    return lines


def _list_numbers(schedule: Schedule) -> list[set[int]]:
    masks = (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays)
    return [{number for number in range(mask.bit_length()) if mask >> number & 1} for mask in masks]


def _blur(fields: str, numbers: list[set[int]]) -> list[set[int]]:
    """Leave out weekdays written with a 7: python-crontab 3.4 reads ``7-7`` as every day and ``5-7/2`` as 5."""
    return numbers[:4] if "7" in fields.rpartition(" ")[2] else numbers
