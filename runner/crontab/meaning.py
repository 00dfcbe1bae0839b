"""What a change of the crontab means: which firings come and go (CRON-60, CRON-61). Pure but for libc's zone.

Local times are those of the zone that libc is in; see `runner.launch.slot.use_zone`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from runner.crontab.entry import Entry
from runner.launch.slot import newest_slot, slots_after

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
    """Return the plans whose lines or next slots differ, sorted by name."""
    olds = {entry.plan: entry for entry in old}
    news = {entry.plan: entry for entry in new}
    changes = (_compare(olds.get(plan), news.get(plan), now) for plan in sorted(olds.keys() | news.keys()))
    return tuple(change for change in changes if change is not None)


def list_soon(entries: Iterable[Entry], now: float) -> tuple[tuple[int, str], ...]:
    """Return slot and plan of what fires in the next ten minutes, in order."""
    soon = []
    for entry in entries:
        if newest_slot(entry.schedules, now + SOON_S, SOON_S) is not None:
            slots = islice(slots_after(entry.schedules, now), SOON_S // 60 + 1)
            soon += [(slot, entry.plan) for slot in slots if slot <= now + SOON_S]
    return tuple(sorted(soon))


def format_local(slot: int) -> str:
    """Return a slot in local time with its offset, ``2026-03-08T03:00:00-04:00``."""
    return datetime.fromtimestamp(slot, UTC).astimezone().isoformat()


def _compare(old: Entry | None, new: Entry | None, now: float) -> JobChange | None:
    if old and new and set(old.fields) == set(new.fields):
        return None
    before = tuple(islice(slots_after(old.schedules, now), SLOTS_SHOWN)) if old else ()
    after = tuple(islice(slots_after(new.schedules, now), SLOTS_SHOWN)) if new else ()
    if old and new:
        return JobChange(new.plan, new.job, new.profile, "changed", before, after)
    if new:
        return JobChange(new.plan, new.job, new.profile, "added", before, after)
    return JobChange(old.plan, old.job, old.profile, "removed", before, after) if old else None
