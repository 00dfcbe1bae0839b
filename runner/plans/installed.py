"""Which plans the installed crontab names: a plan is never taken from under its line (CRON-54).

The file ``installed`` of the state directory is written by an install and read by ``compile``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from runner.home.here import find_state
from runner.home.settings import Settings
from runner.launch import lines
from runner.launch.plan import PLANS
from runner.launch.state import INSTALLED, read_file, write_file
from runner.plans.write import Differences


def read_installed(state: Path) -> frozenset[str]:
    """Return the names of the plans that the last install put into the crontab."""
    data = read_file(str(state / INSTALLED))
    return frozenset(value for key, value in lines.decode(data or b"") if key == "plan")


def write_installed(state: Path, plans: Iterable[str]) -> None:
    """Remember the plans of an install."""
    write_file(str(state / INSTALLED), lines.encode([("plan", plan) for plan in sorted(plans)]))


def keep_installed(differences: Differences, settings: Settings) -> Differences:
    """Return `differences` without the plans that a line of the installed crontab still needs."""
    needed = {f"{PLANS}/{plan}.plan" for plan in read_installed(find_state(settings))}
    kept = tuple(path for path in differences.superfluous if path not in needed)
    return replace(differences, superfluous=kept)
