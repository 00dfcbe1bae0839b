"""``runner run``: a job now, on the same path as cron, with somebody watching."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from runner.cli.complete import complete_jobs, complete_profiles
from runner.cli.context import get_home
from runner.document.faults import describe_unknown
from runner.errors import UserError
from runner.plans.check import WRAPPER
from runner.plans.load import LoadedHome, load_home
from runner.plans.make import Planned
from runner.plans.write import compare_output, make_plan_files
from runner.profiles.choose import resolve_name


@click.command("run", context_settings={"ignore_unknown_options": False})
@click.argument("job", shell_complete=complete_jobs)
@click.option(
    "-P", "--profile", metavar="PROFILE", shell_complete=complete_profiles, help="Which of the job's profiles."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run_command(ctx: click.Context, job: str, profile: str | None, arguments: tuple[str, ...]) -> NoReturn:
    """Run JOB now. Its output is shown, its run recorded as by hand; the exit code is the job's own.

    Arguments after -- are added to the words of a single command.
    """
    home = get_home(ctx)
    loaded = load_home(home)
    planned = choose_plan(loaded, job, profile)
    steps = len(planned.plan.steps)
    if arguments and steps > 1:
        raise UserError(f"{job} has {steps} steps: arguments go to a single command only")
    if stale := compare_output(home, make_plan_files((planned,), loaded.profiles, loaded.settings)).stale:
        raise UserError(f'{" and ".join(stale)}: missing or stale; run "runner compile"')
    words = [planned.plan.name, "--hand", *(["--", *arguments] if arguments else [])]
    try:
        # In our place: Ctrl-C and every other signal are then the wrapper's, as its exit code is ours.
        os.execv(home / WRAPPER, [WRAPPER, *words])
    except OSError as error:
        raise UserError(f"{WRAPPER}: {error.strerror}; take it from a new home (runner init DIR), mode 755") from error


def resolve_profile(name: str, loaded: LoadedHome) -> str:
    """Return what a profile is called today, with a warning if `name` is an old one (PROF-13)."""
    name, warning = resolve_name(name, loaded.profiles, dict(loaded.settings.renamed))
    if warning:
        click.echo(warning, err=True)
    return name


def choose_plan(loaded: LoadedHome, job: str, profile: str | None) -> Planned:
    """Return the plan that a person means; UserError names the jobs or profiles there are."""
    plans = [one for one in loaded.planned if one.job.id == job]
    if not plans:
        raise UserError(describe_unknown("job", job, {one.job.id for one in loaded.planned}))
    names = ", ".join(one.profile.name for one in plans)
    if profile is not None:
        profile = resolve_profile(profile, loaded)
        plans = [one for one in plans if one.profile.name == profile]
        if not plans:
            raise UserError(f"{job} does not run in {profile}; its profiles: {names}")
    if len(plans) > 1:
        raise UserError(f"{job} runs in several profiles; choose one with -P: {names}")
    return plans[0]
