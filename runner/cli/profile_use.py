"""``runner profile exec activate deactivate``: a profile for one command, and in a person's shell (PROF-70)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from runner.cli.complete import complete_profiles
from runner.cli.context import get_home
from runner.errors import UserError
from runner.home.here import find_state
from runner.home.settings import Settings, read_settings
from runner.launch.activation import Activation, encode_activation
from runner.launch.outcome import CannotStart
from runner.launch.snapshot import ask_for_snapshot
from runner.launch.with_profile import become
from runner.plans.write import read_compiled_plans
from runner.profiles.shellcode import SHELLS, write_code
from runner.profiles.undo import Result, enter, leave
from runner.profiles.use import get_profile, use_profile

profile_argument: Callable[[Any], Any] = click.argument("profile", metavar="P", shell_complete=complete_profiles)
shell_option: Callable[[Any], Any] = click.option(
    "--shell", type=click.Choice(SHELLS), required=True, help="The shell that will evaluate it."
)


@click.command(
    "exec",
    short_help="one command in a profile",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
@profile_argument
@click.argument("words", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def exec_command(ctx: click.Context, profile: str, words: tuple[str, ...]) -> int:
    """Become COMMAND in an environment built from nothing, as a job's of profile P.

    Exit 126 if the environment cannot be made whole, 127 if there is no such command; else the command's own code.
    """
    command = list(words[1:] if words[0] == "--" else words)
    settings = read_settings(get_home(ctx))
    chosen = get_profile(settings, profile)
    if not command:
        raise UserError(f"no command to run in {profile}")
    try:
        use = use_profile(settings, chosen)
        if use.asked:
            _ask_for_snapshot(settings, profile, use.asked)
        become(command, use.environment)
    except CannotStart as refusal:
        click.echo(f"runner: {refusal}", err=True)
        return refusal.code


@click.command("activate", short_help="print what makes a shell use a profile")
@profile_argument
@shell_option
@click.pass_context
def activate_command(ctx: click.Context, profile: str, shell: str) -> None:
    """Print the code that brings profile P into the environment that is there, and takes another one out.

    It is for activate_profile of wrappers/activate_profile.sh and .csh. On failure nothing is printed, exit 2.
    """
    settings = read_settings(get_home(ctx))
    chosen = get_profile(settings, profile)
    environment = _read_environment()
    leave(environment)  # a damaged record is told of at once
    try:
        use = use_profile(settings, chosen)
    except CannotStart as cause:
        raise UserError(str(cause)) from None
    _print_change(environment, enter(environment, use.personal, profile, use.secrets), shell)


@click.command("deactivate", short_help="print what makes a shell leave its profile")
@shell_option
def deactivate_command(shell: str) -> None:
    """Print the code that restores what was there before the profile; nothing, if none is active."""
    environment = _read_environment()
    _print_change(environment, leave(environment), shell)


def _ask_for_snapshot(settings: Settings, profile: str, asked: Activation) -> None:
    """Let the sweep make a snapshot, if a plan asks for the same and its state is ours: with-profile will be quick."""
    state = find_state(settings)
    if _is_ours(state):
        plans = [plan for plan in read_compiled_plans(settings.home) if plan.profile == profile]
        if plans and encode_activation(plans[0].activation) == encode_activation(asked):
            ask_for_snapshot(str(state), profile, plans[0].name)


def _is_ours(directory: Path) -> bool:
    try:
        return directory.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _print_change(before: Mapping[str, str], result: Result, shell: str) -> None:
    code = write_code(before, result.environment, shell)
    if result.kept:
        names = " ".join(result.kept)
        click.echo(f"runner: changed since the profile was activated, and kept: {names}", err=True)
    click.echo(code.encode("utf-8", "surrogateescape"), nl=False)


def _read_environment() -> dict[str, str]:
    """Return the environment of this process, whatever its locale takes the bytes for."""
    pairs = os.environb.items()
    return {name.decode("utf-8", "surrogateescape"): value.decode("utf-8", "surrogateescape") for name, value in pairs}
