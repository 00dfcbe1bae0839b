"""What commands share: options, the home and target they speak of, and how warnings are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from runner.cli.complete import complete_targets
from runner.errors import Fault, UserError
from runner.home.find import find_home
from runner.home.here import find_target, read_host, read_user
from runner.home.release import is_sealed
from runner.home.settings import Settings, Target

json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
yes_option: Callable[[Any], Any] = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
dry_run_option: Callable[[Any], Any] = click.option("--dry-run", is_flag=True, help="Show what would be done.")


target_option: Callable[[Any], Any] = click.option(
    "--target", metavar="T", shell_complete=complete_targets, help="The target; by default that of this host and user."
)


def get_home(ctx: click.Context) -> Path:
    """Return the home of a command: ``--home``, else RUNNER_HOME, else the nearest directory upwards that is one."""
    return find_home(ctx.find_root().obj, os.environ, Path.cwd())


def get_open_home(ctx: click.Context) -> Path:
    """Return the home of a command that changes it; UserError if that is a release, in which nothing changes."""
    home = get_home(ctx)
    if is_sealed(home):
        raise UserError(f"{home} is a release, and stays as it was built; commit the change, and build a new one")
    return home


def get_target(settings: Settings, name: str | None) -> Target:
    """Return the target `name`, by default that of this host and user; UserError names those that there are."""
    target = find_target(settings)
    if name is not None:
        target = next((one for one in settings.targets if one.name == name), None)
    if target is None:
        known = ", ".join(f"{one.name} ({one.user} on {' '.join(one.hosts)})" for one in settings.targets)
        asked = f'no target is called "{name}"' if name else f"no target is for {read_user()} on {read_host()}"
        raise UserError(f"{asked}; in envs/site.yaml are: {known}")
    return target


def show_warnings(faults: Iterable[Fault]) -> None:
    """Print warnings on stderr, a line each."""
    for fault in faults:
        click.echo(str(fault), err=True)


def ask() -> bool:
    """Ask on a terminal; elsewhere nobody can answer, and the command was given on purpose."""
    try:
        return not sys.stdin.isatty() or click.confirm("Go on?", default=False, err=True)
    except click.Abort:  # Ctrl-C or Ctrl-D is a no
        return False
