"""Compiled output on disk: which files ``crontab.d/`` must hold, which are stale, and how they get there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.launch.gates import read_plan
from runner.launch.plan import HOME_PLAN, PLANS, Plan
from runner.launch.plan_encode import encode_home_plan, encode_plan
from runner.launch.state import write_file

if TYPE_CHECKING:
    from runner.home.settings import Settings
    from runner.plans.make import Planned
    from runner.profiles.profile import Profile

OUTPUT = "crontab.d"


@dataclass(frozen=True, slots=True)
class Differences:
    """What is wrong with the compiled output, as paths below the home.

    ``stale`` files are missing or hold something else, ``superfluous`` ones no longer come from anything.
    """

    stale: tuple[str, ...]
    superfluous: tuple[str, ...]


def make_plan_files(planned: tuple[Planned, ...], profiles: dict[str, Profile], settings: Settings) -> dict[str, bytes]:
    """Return path below the home -> bytes of the home plan and all plans; the same on any machine (CRON-19)."""
    from runner.plans.make import make_home_plan  # status and completion read plans and make none

    files = {HOME_PLAN: encode_home_plan(make_home_plan(settings, profiles))}
    files.update({f"{PLANS}/{one.plan.name}.plan": encode_plan(one.plan) for one in planned})
    return files


def list_compiled_plans(home: Path) -> list[str]:
    """Return the names of the compiled plans, sorted."""
    return sorted(path.name.removesuffix(".plan") for path in (home / PLANS).glob("*.plan"))


def read_compiled_plans(home: Path) -> list[Plan]:
    """Return the compiled plans by name: what cron runs, whatever the registry says by now."""
    return [read_plan(str(home), name)[0] for name in list_compiled_plans(home)]


def compare_output(home: Path, files: dict[str, bytes]) -> Differences:
    """Return how the output on disk differs from `files`."""
    stale = tuple(sorted(path for path, data in files.items() if _read(home / path) != data))
    there = {str(path.relative_to(home)) for path in _list_output(home)}
    return Differences(stale, tuple(sorted(there - files.keys())))


def write_output(home: Path, files: dict[str, bytes], differences: Differences) -> None:
    """Write what is stale; what is superfluous is for `remove_output`, after the lines that name it are gone (CRON-54).

    Not synced: the files can be made again, and one that a power loss emptied is refused by its digest.
    """
    (home / PLANS).mkdir(parents=True, exist_ok=True)
    for path in differences.stale:
        write_file(str(home / path), files[path], 0o644, sync=False)


def remove_output(home: Path, paths: tuple[str, ...]) -> None:
    """Remove superfluous files."""
    for path in paths:
        (home / path).unlink(missing_ok=True)


def _list_output(home: Path) -> list[Path]:
    return [*(home / OUTPUT).glob("*.crontab"), *(home / PLANS).glob("*.plan")]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
