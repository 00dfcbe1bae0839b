"""What a change of the crontab means: which firings come and go (CRON-60, CRON-61). Pure but for libc's zone.

Local times, and the slots of plans without a zone of their own, are those of the zone that libc is in, which is the
target's; see `runner.launch.slot.use_zone`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from runner.crontab.entry import Entry
from runner.document.zones import in_zone
from runner.launch.plan_encode import encode_schedule
from runner.launch.slot import get_zone, newest_slot, slots_after

SLOTS_SHOWN = 5
SOON_S = 600


@dataclass(frozen=True, slots=True)
class JobChange:
    """One plan that an install adds, removes or changes.

    Attributes
    ----------
    plan, job, profile
        Names; the profile of a removed plan is empty where its name does not tell it.
    change
        ``added``, ``removed`` or ``changed``.
    before, after
        The next five slots, POSIX seconds.
    """

    plan: str
    job: str
    profile: str
    change: str
    before: tuple[int, ...]
    after: tuple[int, ...]


def list_changes(old: Iterable[Entry], new: Iterable[Entry], now: float) -> tuple[JobChange, ...]:
    """Return the plans that are due otherwise, whatever the cause: schedule, zone, spread; sorted by name."""
    olds = {entry.plan: entry for entry in old}
    news = {entry.plan: entry for entry in new}
    changes = (_compare(olds.get(plan), news.get(plan), now) for plan in sorted(olds.keys() | news.keys()))
    return tuple(change for change in changes if change is not None)


def list_soon(entries: Iterable[Entry], now: float) -> tuple[tuple[int, str], ...]:
    """Return slot and plan of what fires in the next ten minutes, in order."""
    soon = [(slot, entry.plan) for entry in entries for slot in _list_soon(entry, now)]
    return tuple(sorted(soon))


def format_local(slot: int) -> str:
    """Return a slot in local time with its offset, ``2026-03-08T03:00:00-04:00``."""
    return datetime.fromtimestamp(slot, UTC).astimezone().isoformat()


def _compare(old: Entry | None, new: Entry | None, now: float) -> JobChange | None:
    if old and new and _describe_due(old) == _describe_due(new):
        return None
    before = _list_next(old, now) if old else ()
    after = _list_next(new, now) if new else ()
    if old and new:
        return JobChange(new.plan, new.job, new.profile, "changed", before, after)
    if new:
        return JobChange(new.plan, new.job, new.profile, "added", before, after)
    return JobChange(old.plan, old.job, old.profile, "removed", before, after) if old else None


def _describe_due(entry: Entry) -> tuple[object, ...]:
    """Return all that decides when a plan is due: behind the same lines there may be another clock."""
    return set(entry.fields), {encode_schedule(schedule) for schedule in entry.schedules}, entry.timezone


def _list_next(entry: Entry, now: float) -> tuple[int, ...]:
    with suppress(LookupError), in_zone(entry.timezone or get_zone()):
        return tuple(islice(slots_after(entry.schedules, now), SLOTS_SHOWN))
    return ()  # installed with a zone that this machine no longer has: it has no slots here


def _list_soon(entry: Entry, now: float) -> list[int]:
    with in_zone(entry.timezone or get_zone()):
        if newest_slot(entry.schedules, now + SOON_S, SOON_S) is None:
            return []
        slots = islice(slots_after(entry.schedules, now), SOON_S // 60 + 1)
        return [slot for slot in slots if slot <= now + SOON_S]
