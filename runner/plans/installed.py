"""Which plans the installed crontab names: a plan is never taken from under its line (CRON-54).

The file ``installed`` of the state directory is written by an install, read by ``compile`` and by ``diff``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from runner.home.here import find_state
from runner.home.settings import Settings
from runner.launch.installed import Installed, change_installed, read_installed
from runner.launch.plan import PLANS, Plan
from runner.launch.plan_encode import encode_schedule
from runner.launch.record import open_record
from runner.launch.state import SWEEP_ALIVE
from runner.plans.write import Differences


def note_installed(state: Path, plans: Iterable[Plan], now: float) -> None:
    """Remember the plans of an install; one whose schedule stays the same stays installed since then (CRON-53).

    With the first of them a sweep is due within the minute: what fails before it has been here can wait for it.

    Parameters
    ----------
    now
        POSIX seconds.
    """

    def merge(before: dict[str, Installed]) -> dict[str, Installed]:
        return {plan.name: _merge(before.get(plan.name), plan, now) for plan in plans}

    is_first = not read_installed(str(state))
    change_installed(str(state), merge)
    if is_first and read_installed(str(state)):
        os.close(open_record(f"{state}/{SWEEP_ALIVE}"))
        os.utime(state / SWEEP_ALIVE)


def _merge(before: Installed | None, plan: Plan, now: float) -> Installed:
    if before and before.fits(plan):
        return before
    return Installed(plan.name, now, plan.timezone, [encode_schedule(schedule) for schedule in plan.schedules])


def keep_installed(differences: Differences, settings: Settings) -> Differences:
    """Return `differences` without the plans that a line of an installed crontab still needs, of whatever target.

    A home may be shared by hosts and users, each with a state directory of its own; what we cannot read there
    we cannot spare.
    """
    states = {find_state(settings), *map(settings.state_of, settings.targets)}
    needed = {f"{PLANS}/{plan}.plan" for state in states for plan in _list_installed(state)}
    kept = tuple(path for path in differences.superfluous if path not in needed)
    return replace(differences, superfluous=kept)


def _list_installed(state: Path) -> Iterable[str]:
    try:
        return read_installed(str(state))
    except OSError:
        return ()
