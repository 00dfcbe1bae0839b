"""All lock files of a state directory: those of plans, and those of the runs that wait or run beside them.

``locks/<plan>`` is a plan's; ``locks/<plan>+wait`` is of the run that waits for it, and ``locks/<plan>+1``, ``+2`` ...
are of runs beside it (RUN-11).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.launch.gates import is_plan_name
from runner.launch.instant import parse_instant
from runner.launch.lock import BESIDE, WAITING, LockRecord, find_lock
from runner.launch.state import LOCKS

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class LockFile:
    """One lock file: its name in ``locks/`` and what it says."""

    name: str
    record: LockRecord

    @property
    def plan(self) -> str:
        """The plan of the run that it names."""
        return self.name if is_plan_name(self.name) else self.name.rpartition(BESIDE)[0]


def read_locks(state: str) -> Iterator[LockFile]:
    """Yield every lock file that can be read; of another the next run of its plan says what is wrong."""
    for path in sorted((Path(state) / LOCKS).glob("*")):
        try:
            record = find_lock(str(path)) if is_lock_name(path.name) else None
        except OSError:
            continue
        if record:
            yield LockFile(path.name, record)


def is_lock_name(name: str) -> bool:
    """Whether a file of ``locks/`` is one of ours, by its name."""
    plan, _, suffix = name.rpartition(BESIDE)
    return is_plan_name(name) or (is_plan_name(plan) and (suffix == WAITING or suffix.isdecimal()))


def measure_age(record: LockRecord, now: float, uptime_s: float) -> float:
    """Return how long the run of a lock file has gone on, seconds; no clock that was set makes it older (FAULT-24).

    Its process may be older than the run, which has waited for its turn.
    """
    process = record.wrapper or record.job
    by_clock = now - parse_instant(record.since)
    return min(by_clock, uptime_s - process.started / _TICKS) if process else by_clock
