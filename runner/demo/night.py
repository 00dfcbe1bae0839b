"""Which slots the demo plays, and what must come of them. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from runner.launch.slot import Schedule, slots_after

HOURS = 3
_MORNING_HOUR = 8
TCSH_JOB = "observing-log"

# What each job must do with its slots of the night, and the mails, as the first two words of their subjects.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "check-darks": ("failed", "failed", "failed"),
    "disk-check": ("ok", "ok", "ok"),
    "download-wfc3": ("ok", "ok", "ok"),
    "exposures-wfc3": ("ok",),
    "index-wfc3": ("warned", "ok", "ok"),
    "mirror-night": ("timed_out",),
    TCSH_JOB: ("ok",),
}
MAILS = ("WARNED index-wfc3", "FAILED check-darks", "RECOVERED index-wfc3", "TIMED_OUT mirror-night")


@dataclass(frozen=True, slots=True, order=True)
class Firing:
    """One line of the crontab coming due: the slot, in POSIX seconds, and the job."""

    slot: int
    job: str


def find_morning(now: float) -> int:
    """Return the last end of a night, eight o'clock by the clock of the host, that is over at `now`."""
    year, month, day, hour = time.localtime(now)[:4]
    today = day if hour >= _MORNING_HOUR else day - 1
    return int(time.mktime((year, month, today, _MORNING_HOUR, 0, 0, 0, 0, -1)))


def plan_night(schedules: Mapping[str, Sequence[Schedule]], morning: int) -> tuple[Firing, ...]:
    """Return, in order, what comes due in the `HOURS` before `morning`."""
    evening = morning - HOURS * 3600
    return tuple(
        sorted(
            Firing(slot, job)
            for job, whens in schedules.items()
            for slot in takewhile(lambda slot: slot < morning, slots_after(whens, evening))
        )
    )


def find_differences(outcomes: Mapping[str, Sequence[str]], subjects: Iterable[str], *, tcsh: bool) -> tuple[str, ...]:
    """Return what of a night was not as it must be, one line each; nothing if all was.

    `outcomes` are each job's in the order of its slots, `subjects` those of the mails in order.
    """
    expected = {job: wanted for job, wanted in OUTCOMES.items() if tcsh or job != TCSH_JOB}
    differences = [
        f"{job}: {_join(outcomes.get(job, ()))}, not {_join(expected.get(job, ()))}"
        for job in sorted(expected.keys() | outcomes.keys())
        if tuple(outcomes.get(job, ())) != expected.get(job, ())
    ]
    mails = [" ".join(subject.split()[:2]) for subject in subjects]
    if mails != list(MAILS):
        differences.append(f"mails: {_join(mails)}, not {_join(MAILS)}")
    return tuple(differences)


def _join(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
