"""What the shell offers behind a command: jobs, plans, profiles, targets, runs, checks, columns (README, "Completion").

Names are those of compiled plans and files, and of ``envs/archive.yaml``: no other YAML is read and no database asked
while somebody waits for a key to answer. Where there is no home, or it cannot be read, nothing is offered and nothing
is said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from runner.errors import RunnerError
from runner.home.find import find_home

_MOST_RUNS = 50

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _offer(list_names: Callable[[Path, str], Iterable[str]]) -> Completer:
    """Return the completion by names of a home."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        try:
            home = find_home(ctx.find_root().params.get("home"), os.environ, Path.cwd())
            return [name for name in list_names(home, incomplete) if name.startswith(incomplete)]
        except (RunnerError, OSError, ValueError):
            return []  # a traceback between two words of a command line helps nobody; the command will say it

    return complete


def _list_plans(home: Path, _: str) -> Iterable[str]:
    from runner.plans.write import list_compiled_plans

    return list_compiled_plans(home)


def _list_jobs(home: Path, incomplete: str) -> Iterable[str]:
    return sorted({plan.partition("@")[0] for plan in _list_plans(home, incomplete)})


def _list_names(home: Path, incomplete: str) -> Iterable[str]:
    return sorted({*_list_plans(home, incomplete), *_list_jobs(home, incomplete)})


def _list_names_and_runs(home: Path, incomplete: str) -> Iterable[str]:
    if not incomplete[:1].isdecimal():
        return _list_names(home, incomplete)
    from runner.launch.gates import read_place
    from runner.ledger.logs import list_runs

    return [*_list_names(home, incomplete), *list_runs(read_place(str(home)).state, incomplete)[:_MOST_RUNS]]


def _list_profiles(home: Path, _: str) -> Iterable[str]:
    from runner.profiles.read import list_profile_files

    return list_profile_files(home)


def _list_targets(home: Path, _: str) -> Iterable[str]:
    from runner.launch.gates import read_place

    return sorted(target.name for target in read_place(str(home)).plan.targets)


def _list_registries(home: Path, _: str) -> Iterable[str]:
    return sorted(f"jobs/{path.name}" for path in (home / "jobs").glob("[!.]*.yaml"))


def _list_columns(home: Path, incomplete: str) -> Iterable[str]:
    """Yield lists of columns, each with another as its last; a ``-`` before a name to sort by stays."""
    from runner.archive.find.fields import list_fields
    from runner.archive.settings import read_archive

    given, comma, last = incomplete.rpartition(",")
    minus = "-" if last.startswith("-") else ""
    return (f"{given}{comma}{minus}{name}" for name in list_fields(read_archive(home)).by_name)


def _list_rules(home: Path, _: str) -> Iterable[str]:
    from runner.archive.settings import read_archive

    return (name for name, _ in read_archive(home).expected)


def complete_checks(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Offer the ids of checks, in any case of letters."""
    from runner.diagnose.check import list_checks

    return [check.id for check in list_checks()[0] if check.id.upper().startswith(incomplete.upper())]


def complete_releases(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Offer the commits of the releases that are there."""
    from runner.releases.base import find_base_of

    try:
        base = find_base_of(ctx.params.get("base"), ctx.find_root().params.get("home"), os.environ, Path.cwd())
        return sorted(path.name for path in base.release("").iterdir() if path.name.startswith(incomplete))
    except (RunnerError, OSError):
        return []


complete_jobs = _offer(_list_jobs)
complete_names = _offer(_list_names)
complete_names_and_runs = _offer(_list_names_and_runs)
complete_profiles = _offer(_list_profiles)
complete_targets = _offer(_list_targets)
complete_columns = _offer(_list_columns)
complete_rules = _offer(_list_rules)
complete_files = _offer(_list_registries)
