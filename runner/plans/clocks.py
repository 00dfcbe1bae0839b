"""What the clocks do to a job: whose clock its ``when`` is read by, and what it meets when they change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from runner.errors import Fault
from runner.home.here import read_host
from runner.home.settings import Target
from runner.launch.slot import match_local
from runner.plans.zone import Span, is_same_zone, read_host_zone
from runner.registry.job import Job
from runner.registry.schedule import When

WARNED_S = 731 * 86400  # CRON-39: 24 months
_TIMES_SHOWN = 3


def check_zones(job: Job, zones: dict[Target, str]) -> Iterator[Fault]:
    """Yield why the instants of a job would hang on the machine: CRON-36, CRON-19.

    Parameters
    ----------
    zones
        Those of the targets that run it.
    """
    first = next(iter(zones.values()), "")
    if not job.timezone and not all(is_same_zone(first, zone) for zone in zones.values()):
        named = ", ".join(f"{target.name} {zone}" for target, zone in zones.items())
        yield job.fault("timezone", f"its targets are in different zones ({named})", "say with timezone: whose clock")
    for target, zone in zones.items():
        if job.timezone and not target.timezone and target.hosts != (read_host(),):
            message = f"target {target.name} has no timezone: the lines are made for this host's, {zone}"
            yield job.fault("timezone", message, f"write timezone: to the target {target.name}", "warning")


def find_zone(target: Target) -> str:
    """Return the zone that the lines of a target are read in."""
    return target.timezone or read_host_zone()


def explain_changes(when: When, zone: str, spans: tuple[Span, ...]) -> list[str]:
    """Return what becomes of fixed times that the clocks of a zone leave out or show twice (CRON-32, CRON-39)."""
    if when.schedule.minute_star or when.schedule.hour_star:
        return []
    dates: dict[tuple[str, str], list[str]] = {}
    for before, after in pairwise(spans):
        late = _format(after.local_start + -after.local_start % 60, "%H:%M")
        for start, stop, what, effect in (
            (before.local_stop, after.local_start, "has no {}", f"it runs once, at {late}"),
            (after.local_start, before.local_stop, "has {} twice", "it runs the first time only"),
        ):
            if found := list(match_local(when.schedule, start, stop)):
                key = (what.format(_list_times(found)), effect)
                dates.setdefault(key, []).append(_format(found[0], "%Y-%m-%d"))
    return [f"{zone} {what} on {' and '.join(days)}: {effect}" for (what, effect), days in dates.items()]


def _list_times(found: list[int]) -> str:
    times = [_format(local, "%H:%M") for local in found]
    more = f" and {len(times) - _TIMES_SHOWN} more" if len(times) > _TIMES_SHOWN else ""
    return ", ".join(times[:_TIMES_SHOWN]) + more


def _format(local: int, form: str) -> str:
    return datetime.fromtimestamp(local, UTC).strftime(form)
