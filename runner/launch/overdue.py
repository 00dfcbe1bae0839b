"""Which slots were missed, and which of them are started after all (RUN-38)."""

from __future__ import annotations

from runner.launch.instant import parse_instant
from runner.launch.slot import Schedule, newest_slot, slots_after

# A slot is missed if nobody has named it five minutes after it was due.
GRACE_S = 300.0
# Of `missed: all` so many slots, and none that is older.
MOST_SLOTS = 24
MOST_S = 7 * 86400.0
# So many runs that the sweep has started may live, of all plans together.
MOST_AT_ONCE = 4


class Start:
    """What is to be started: ``trigger`` is that of its run (``missed rerun``)."""

    __slots__ = ("plan", "slot", "trigger")

    def __init__(self, plan: str, slot: str, trigger: str) -> None:
        self.plan = plan
        self.slot = slot
        self.trigger = trigger


def find_due(schedules: list[Schedule], since: float, last_look: float, now: float) -> list[int]:
    """Return the slots that have become overdue since the last look, oldest first; none that was due by `since`.

    They are those of the zone that libc is in. All instants are POSIX seconds.
    """
    after, until = max(since, last_look - GRACE_S, now - MOST_S), now - GRACE_S
    if after >= until or newest_slot(schedules, until, int(until - after) + 1) is None:
        return []  # so it is at nearly every look, and the next slot of a yearly job is far to seek
    due = []
    for slot in slots_after(schedules, after):
        if slot > until:
            break
        due.append(slot)
    return due


def choose_missed(policy: str, slots: set[str], now: float) -> list[str]:
    """Return which of the missed slots are to be started under a policy (``skip once all``), oldest first."""
    most = {"once": 1, "all": MOST_SLOTS}.get(policy, 0)
    recent = sorted(slot for slot in slots if parse_instant(slot) > now - MOST_S)
    return recent[-most:] if most else []


def choose_starts(waiting: list[Start], running: int) -> list[Start]:
    """Return what is to be started now, oldest first: one a plan, and so many as may live beside the `running` ones."""
    first: dict[str, Start] = {}
    for start in sorted(waiting, key=lambda one: (one.slot, one.plan)):
        first.setdefault(start.plan, start)
    return list(first.values())[: max(MOST_AT_ONCE - running, 0)]
