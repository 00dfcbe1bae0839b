"""What cron would execute of a home, and whether anybody else can change it (CRON-55)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runner.errors import UserError
from runner.home.machine import DIRECTORY as MACHINE
from runner.launch.plan import HOME_PLAN, PLANS
from runner.launch.trust import find_doubts
from runner.plans.check import WRAPPER
from runner.plans.make import Planned

_SHOWN = 3


def list_executed(home: Path, planned: Iterable[Planned]) -> list[str]:
    """Return the wrapper, the machine's part, registry, profiles, plans and scripts of a home that are there.

    Of a command that the profile's PATH finds nobody knows yet where it is; what is outside a home is walked too.
    """
    found = [home / WRAPPER, home / HOME_PLAN, *(home / MACHINE / name for name in ("main.py", "launch.code"))]
    for pattern in ("jobs", "jobs/*.yaml", "envs", "envs/*.yaml", "envs/capo/*.properties", f"{PLANS}/*.plan"):
        found += sorted(home.glob(pattern))
    found += sorted({home / step.words[0] for one in planned for step in one.job.steps if "/" in step.words[0]})
    return [str(path) for path in found if path.exists()]


def check_trust(paths: Iterable[str], uid: int) -> list[str]:
    """Return warnings of what a group can change.

    Raises
    ------
    UserError
        If anybody else could change what a user's jobs will execute, naming each component.
    """
    doubts = find_doubts(paths, uid)
    if refused := [f"{doubt.path} {doubt.why}" for doubt in doubts if doubt.refused]:
        raise UserError("\n".join(f"{line}: who can change it decides what cron runs (SEC-1)" for line in refused))
    groups = [doubt.path for doubt in doubts]
    if not groups:
        return []
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return [f"their group can change what cron runs: {', '.join(groups[:_SHOWN])}{more} (SEC-1)"]
