"""What the crontab knows of a plan, and the lines that start it, both ways (CRON-11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.launch.installed import Installed
from runner.launch.plan import Plan
from runner.launch.slot import Schedule
from runner.registry.schedule import parse_when

SWEEP = "--sweep"
FIELD_STARTS = tuple("0123456789*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One plan in a crontab.

    Attributes
    ----------
    plan, job, profile
        Names; ``plan`` is ``JOB`` or ``JOB@PROFILE``.
    fields
        The five fields of each line, as compiled (CRON-7).
    mailto
        Addresses; empty means those of ops.
    schedules, timezone
        When the plan has slots, and by whose clock, empty for the target's; not one for each line where a zone
        gates it.
    """

    plan: str
    job: str
    profile: str
    fields: tuple[str, ...]
    mailto: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    timezone: str = ""


def format_lines(entry: Entry, call: str) -> list[str]:
    """Return the lines of a plan, one for each element of ``when``, without their newlines.

    ``call`` is the wrapper's path, in a system crontab behind the user column (CRON-11).
    """
    return [f"{fields} {call} {entry.plan}" for fields in entry.fields]


def parse_entries(body: str) -> tuple[Entry, ...]:
    """Return the plans in the lines between our markers, sorted by name; housekeeping is none.

    The profile of a plan is known only where its name tells it; recipients always are.
    """
    mailto: tuple[str, ...] = ()
    found: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    for line in body.split("\n"):
        if line.startswith('MAILTO="'):
            mailto = tuple(line[8:-1].split(","))
        elif line.startswith(FIELD_STARTS) and line.count(" ") in (6, 7):
            *fields, plan = [*line.split(" ")[:5], line.rpartition(" ")[2]]
            found.setdefault(plan, (mailto, []))[1].append(" ".join(fields))
    return tuple(_make_entry(plan, *found[plan]) for plan in sorted(found) if plan != SWEEP)


def recall_zones(entries: Iterable[Entry], plans: Mapping[str, Installed | Plan]) -> tuple[Entry, ...]:
    """Return `entries`, those with a clock of their own being due when their plans say, as installed or as compiled.

    Lines alone say all of a plan that goes by the target's clock, and of a gated one only when it is looked at.
    """
    return tuple(_recall_zone(entry, plans.get(entry.plan)) for entry in entries)


def _recall_zone(entry: Entry, plan: Installed | Plan | None) -> Entry:
    if plan is None or not plan.timezone:
        return entry
    return replace(entry, schedules=tuple(plan.schedules), timezone=plan.timezone)


def _make_entry(plan: str, mailto: tuple[str, ...], lines: list[str]) -> Entry:
    job, _, profile = plan.partition("@")
    try:
        schedules = tuple(parse_when(fields).schedule for fields in lines)
    except ValueError:  # lines of another version of ours: the text is shown, the slots stay unknown
        schedules = ()
    return Entry(plan, job, profile, tuple(lines), mailto, schedules)
