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
from runner.launch.environment import add_jobside
from runner.launch.gates import read_place
from runner.launch.guard import guard_command
from runner.launch.outcome import CannotStart
from runner.launch.snapshot import ask_for_snapshot
from runner.launch.with_profile import become
from runner.plans.write import read_compiled_plans
from runner.profiles.changes import find_tree, make_activation
from runner.profiles.choose import choose_profile, find_place
from runner.profiles.inside import run_inside
from runner.profiles.profile import Profile
from runner.profiles.read import list_profile_files, read_profiles
from runner.profiles.shellcode import SHELLS, write_code
from runner.profiles.undo import Result, enter, leave
from runner.profiles.use import get_profile, use_profile

profile_option: Callable[[Any], Any] = click.option(
    "-P", "--profile", "asked", metavar="P", shell_complete=complete_profiles, help="The profile, in place of P."
)
utility_option: Callable[[Any], Any] = click.option(
    "--utility", metavar="FILE", help="The calling program: where it lies may say the profile."
)
explain_option: Callable[[Any], Any] = click.option("--explain", is_flag=True, help="Say which rule chose the profile.")
shell_option: Callable[[Any], Any] = click.option(
    "--shell", type=click.Choice(SHELLS), required=True, help="The shell that will evaluate it."
)


class ExecCommand(click.Command):
    """A command whose words stand behind ``--``: none of them is ours, and the profile before it may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the words of the command aside, and read what is before them."""
        end = _find_end(args)
        rest = super().parse_args(ctx, args[:end])
        ctx.params["words"] = (*ctx.params["words"], *args[end + 1 :])
        return rest


def _find_end(args: list[str]) -> int:
    """Return where the ``--`` before the command is; it comes behind our options and at most one name."""
    at, names = 0, 0
    while at < len(args) and names < 2 and args[at] != "--":
        is_option = args[at].startswith("-")
        names += not is_option
        at += 2 if args[at] in ("-P", "--profile", "--utility") else 1
    return at if names < 2 else len(args)


@click.command(
    "exec",
    cls=ExecCommand,
    short_help="one command in a profile",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
@profile_option
@utility_option
@explain_option
@click.argument("profile", metavar="[P]", required=False, shell_complete=complete_profiles)
@click.argument("words", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def exec_command(
    ctx: click.Context,
    asked: str | None,
    utility: str | None,
    explain: bool,
    profile: str | None,
    words: tuple[str, ...],
) -> int:
    """Become COMMAND in an environment built from nothing, as a job's of profile P.

    Without P it is that of CAPO_PROFILE, else the one in whose tree the utility lies. Exit 126 if the environment
    cannot be made whole, 127 if there is no such command; else the command's own code.
    """
    settings = read_settings(get_home(ctx))
    chosen = choose(settings, asked or profile, utility, explain=explain)
    if not words:
        raise UserError(f"no command to run in {chosen.name}")
    try:
        use = use_profile(settings, chosen)
        _guard(settings, chosen, use.environment, [words[0]])
        add_jobside(use.environment, str(settings.home))
        if use.asked:
            _ask_for_snapshot(settings, chosen.name, use.asked)
        if chosen.mode == "inside":
            activation = make_activation(chosen, settings)
            return run_inside(activation, str(settings.home), use.environment, set(use.secrets), list(words))
        become(list(words), use.environment)
    except CannotStart as refusal:
        click.echo(f"runner: {refusal}", err=True)
        return refusal.code


@click.command("activate", short_help="print what makes a shell use a profile")
@profile_option
@utility_option
@explain_option
@click.argument("profile", metavar="[P]", required=False, shell_complete=complete_profiles)
@shell_option
@click.pass_context
def activate_command(
    ctx: click.Context, asked: str | None, utility: str | None, explain: bool, profile: str | None, shell: str
) -> None:
    """Print the code that brings profile P into the environment that is there, and takes another one out.

    It is for activate_profile of wrappers/activate_profile.sh and .csh. On failure nothing is printed, exit 2.
    """
    settings = read_settings(get_home(ctx))
    environment = _read_environment()
    left = leave(environment)  # a damaged record is told of at once
    before = left.environment.get("CAPO_PROFILE")  # of the caller, not of the profile that is left now
    chosen = choose(settings, asked or profile, utility, explain=explain, variable=before)
    try:
        use = use_profile(settings, chosen)
        _guard(settings, chosen, use.environment, [])
    except CannotStart as cause:
        raise UserError(str(cause)) from None
    if chosen.mode == "inside":
        hint = f"runner profile exec {chosen.name} -- COMMAND"
        click.echo(f"runner: profile {chosen.name}: its aliases and functions exist only under {hint}", err=True)
    _print_change(environment, enter(environment, use.personal, chosen.name, use.secrets), shell)


def choose(
    settings: Settings, asked: str | None, utility: str | None, *, explain: bool = False, variable: str | None = None
) -> Profile:
    """Return the profile that a command without a job means (PROF-11); what must be said of it goes to stderr."""
    place = _find_place(Path(utility), settings) if utility else ""
    variable = os.environ.get("CAPO_PROFILE") if variable is None else variable
    written = list_profile_files(settings.home)  # one with a mistake in it is told of by that
    choice = choose_profile(asked, variable, place, written, dict(settings.renamed))
    for line in [choice.warning, choice.explain() if explain else ""]:
        if line:
            click.echo(f"runner: {line}", err=True)
    return get_profile(settings, choice.profile)


def _find_place(utility: Path, settings: Settings) -> str:
    profiles = read_profiles(settings).by_name
    trees = {name: find_tree(profile, settings) for name, profile in profiles.items()}
    return find_place(utility, trees, settings.home)


def _guard(settings: Settings, profile: Profile, environment: dict[str, str], programs: list[str]) -> None:
    """Say what the mixing guard warns of; CannotStart if it refuses (PROF-80)."""
    activation = make_activation(profile, settings)
    for warning in guard_command(read_place(str(settings.home)), activation, profile.name, environment, programs):
        click.echo(f"runner: {warning}", err=True)


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
