"""``runner run``: a job now, on the same path as cron, with somebody watching."""

from __future__ import annotations

import subprocess

import click

from runner.cli.context import get_home
from runner.errors import UserError
from runner.launch.plan import PLANS, encode_plan
from runner.plans.load import LoadedHome, load_home
from runner.plans.make import Planned


@click.command("run", context_settings={"ignore_unknown_options": False})
@click.argument("job")
@click.option("-P", "--profile", metavar="PROFILE", help="Which of the job's profiles.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run_command(ctx: click.Context, job: str, profile: str | None, arguments: tuple[str, ...]) -> int:
    """Run JOB now. Its output is shown, its run recorded as by hand; the exit code is the job's own.

    Arguments after -- are added to the words of a single command.
    """
    home = get_home(ctx)
    planned = choose_plan(load_home(home), job, profile)
    path = home / PLANS / f"{planned.plan.name}.plan"
    if not path.is_file() or path.read_bytes() != encode_plan(planned.plan):
        state = "stale" if path.is_file() else "missing"
        raise UserError(f'the plan of {planned.plan.name} is {state}; run "runner compile"')
    if arguments and len(planned.plan.steps) > 1:
        raise UserError(f"{job} has {len(planned.plan.steps)} steps: arguments go to a single command only")
    wrapper = str(home / "wrappers" / "run-job")
    options = ["--", *arguments] if arguments else []
    return subprocess.call([wrapper, planned.plan.name, "--hand", *options])


def choose_plan(loaded: LoadedHome, job: str, profile: str | None) -> Planned:
    """Return the plan that a person means; UserError names the jobs or profiles there are."""
    plans = [one for one in loaded.planned if one.job.id == job]
    if not plans:
        from runner.document.faults import suggest

        hint = suggest(job, {one.job.id for one in loaded.planned})
        raise UserError(f'no job is called "{job}"' + (f"; {hint}" if hint else ""))
    names = ", ".join(one.profile.name for one in plans)
    if profile is not None:
        plans = [one for one in plans if one.profile.name == profile]
        if not plans:
            raise UserError(f"{job} does not run in {profile}; its profiles: {names}")
    if len(plans) > 1:
        raise UserError(f"{job} runs in several profiles; choose one with -P: {names}")
    return plans[0]
