"""``runner check add show next``: questions to the registry, and one entry more."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from runner.cli.complete import complete_files, complete_jobs, complete_profiles
from runner.cli.context import dry_run_option, get_home, get_open_home, json_option
from runner.cli.output import print_json, print_table
from runner.cli.run import choose_plan
from runner.crontab.adopt import Adopted, adopt_line, find_above
from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.entry import format_lines
from runner.crontab.meaning import format_local
from runner.crontab.output import make_entry, make_output
from runner.document.faults import describe_unknown, has_errors
from runner.document.zones import in_zone
from runner.errors import DONE, USER_ERROR, Fault, FaultsFound, UserError
from runner.home.here import find_target, read_host
from runner.home.release import find_entrance
from runner.home.settings import read_settings
from runner.home.site import find_site
from runner.launch.instant import LAST_INSTANT, format_slot, parse_instant
from runner.launch.outbox import VIA_CRON
from runner.launch.slot import slots_after
from runner.plans.clocks import find_zone
from runner.plans.load import LoadedHome, load_home
from runner.plans.make import Planned
from runner.plans.trusted import examine, find_executed
from runner.plans.write import OUTPUT
from runner.profiles.check import check_profiles
from runner.profiles.choose import resolve_name
from runner.profiles.read import list_profile_files, read_profiles
from runner.registry.add import plan_entry, write_entry
from runner.registry.show import show_job

NEXT_SLOTS = 5
# Slots are looked for over 28 years, again after each.
_LONGEST_SEARCH_S = 99 * 366 * 86400.0
# ALERT-8: what a team must know that lets cron carry its mails.
MAIL_BY_CRON = "mail goes by cron: each alert is a mail of its own, and lost runs are told to mail.ops only"


@click.command("check")
@json_option
@click.pass_context
def check_command(ctx: click.Context, as_json: bool) -> int:
    """Say everything that is wrong with registry, settings, profiles and scripts. Exit 2 if there is an error."""
    home = get_home(ctx)
    faults = _find_faults(home)
    if as_json:
        print_json(asdict(fault) for fault in faults)
    else:
        for fault in faults:
            click.echo(str(fault))
        errors = sum(fault.level == "error" for fault in faults)
        click.echo(f"{errors} errors, {len(faults) - errors} warnings", err=True)
        if not has_errors(faults) and read_settings(home).mail.via == VIA_CRON:
            click.echo(MAIL_BY_CRON, err=True)
    return USER_ERROR if has_errors(faults) else DONE


def _find_faults(home: Path) -> tuple[Fault, ...]:
    """Return everything that is wrong with a home; what is not as it should be on this host, too."""
    try:
        loaded = load_home(home)
    except FaultsFound as found:
        return tuple(sorted({*found.faults, *_find_profile_faults(home)}))
    return tuple(sorted({*_find_compiled_faults(loaded), *_find_profile_faults(home), *_find_doubts(loaded)}))


def _find_doubts(loaded: LoadedHome) -> Iterator[Fault]:
    """Yield as warnings what an install here would refuse or warn of, since others could change what cron runs."""
    settings = loaded.settings
    try:
        target = find_target(settings)
        executed = find_executed(settings, loaded.planned, settings.state_of(target))
    except UserError:
        return  # said of the home
    # Root may look at a home for others, who have targets there.
    uid = settings.home.stat().st_uid if target is None and os.geteuid() == 0 else os.geteuid()
    yield from (replace(fault, level="warning") for fault in examine(executed, uid))


def _find_profile_faults(home: Path) -> Iterator[Fault]:
    try:
        settings = read_settings(home)
        site = find_site(settings, read_host())
    except UserError:
        return  # said of the settings
    yield from check_profiles(read_profiles(settings).by_name.values(), settings, site)


def _find_compiled_faults(loaded: LoadedHome) -> tuple[Fault, ...]:
    """Return the warnings of a home, and what only compiling it shows."""
    try:
        make_output(loaded)
    except FaultsFound as found:
        return found.faults
    except UserError as error:
        return (*loaded.warnings, *(Fault(OUTPUT, 0, 0, "error", line) for line in str(error).splitlines()))
    return loaded.warnings


@click.command("add")
@click.argument("job")
@click.option("--when", help="Five cron fields, or a name like @daily.")
@click.option("--run", "command", metavar="COMMAND", help="The command line; no shell will see it.")
@click.option("--line", metavar="LINE", help="In place of these two: a hand-written line of a crontab.")
@click.option(
    "--from", "around", type=click.File("rb"), help="The crontab that LINE is from, for MAILTO and variables."
)
@click.option(
    "--profile",
    shell_complete=complete_profiles,
    help="The profile it runs in; with --line that of its env-wrapper (wrappers: in site.yaml).",
)
@click.option(
    "--file", metavar="FILE", shell_complete=complete_files, help="Which file of jobs/; by default the only one."
)
@dry_run_option
@click.pass_context
def add_command(
    ctx: click.Context,
    job: str,
    when: str | None,
    command: str | None,
    line: str | None,
    around: BinaryIO | None,
    profile: str | None,
    file: str | None,
    dry_run: bool,
) -> None:
    """Write the four lines of a new JOB; every other byte of the file stays as it is.

    With --line a line of a crontab becomes the entry: steps, mailto and env as well, if it needs them.
    """
    home = get_home(ctx) if dry_run else get_open_home(ctx)
    entry = _read_entry(home, when, command, profile, line, around)
    written = list_profile_files(home)
    if entry.profile not in written:
        today, warning = resolve_name(entry.profile, written, dict(read_settings(home).renamed))
        entry = replace(entry, profile=today, notes=(*entry.notes, *filter(None, [warning])))
    if entry.profile not in written:
        raise UserError(describe_unknown("profile", entry.profile, written))
    for note in entry.notes:
        click.echo(note, err=True)
    addition = plan_entry(home, job, entry.when, entry.run, entry.profile, file, entry.more, now=time.time())
    click.echo("\n".join(addition.lines))
    if not dry_run:
        write_entry(addition)
    click.echo(f"{'would be' if dry_run else 'is'} in {addition.path}", err=True)


def _read_entry(
    home: Path, when: str | None, command: str | None, profile: str | None, line: str | None, around: BinaryIO | None
) -> Adopted:
    """Return the entry that the options ask for; UserError if they do not go together."""
    if line is None:
        if around:
            raise UserError("--from goes with --line")
        if when is None or command is None or profile is None:
            raise UserError("needed: --when, --run and --profile, or --line")
        return Adopted(when, command, profile, {}, ())
    if when or command:
        raise UserError("--line says when and what: leave out --when and --run")
    adopted = _adopt(home, line, around)
    if not (profile or adopted.profile):
        raise UserError("needed: --profile, as no env-wrapper of the line says it (wrappers: in envs/site.yaml)")
    return replace(adopted, profile=profile or adopted.profile)


def _adopt(home: Path, line: str, around: BinaryIO | None) -> Adopted:
    settings = read_settings(home)
    target = find_target(settings)
    dialect = CRONIE if target and target.cron == CRONIE.name else DEBIAN
    above = find_above(around.read(), line) if around else b""
    return adopt_line(line, above, dialect, dict(settings.wrappers))


@click.command("show")
@click.argument("job", shell_complete=complete_jobs)
@click.option(
    "-P", "--profile", metavar="PROFILE", shell_complete=complete_profiles, help="Only the line of this profile."
)
@json_option
@click.pass_context
def show_command(ctx: click.Context, job: str, profile: str | None, as_json: bool) -> None:
    """Show the entry of JOB expanded, each value with where it came from, and its lines in the crontab."""
    loaded = load_home(get_home(ctx))
    plans = [one for one in loaded.planned if one.job.id == job]
    if profile is not None or not plans:
        plans = [choose_plan(loaded, job, profile)]
    found = plans[0]
    # Where no target is ours, in a developer's clone, they are those of the first one.
    target = find_target(loaded.settings) or loaded.settings.targets[0]
    wrapper = f"{find_entrance(loaded.settings.home)}/wrappers/run-job"
    zone = find_zone(target)
    entries = [make_entry(one, loaded.settings, zone) for one in plans if one.job.enabled]
    lines = [line for entry in entries for line in format_lines(entry, wrapper)]
    rows = show_job(found.job)
    if as_json:
        print_json([{"job": job, "keys": {row.key: asdict(row) for row in rows}, "lines": lines}])
        return
    print_table(("KEY", "VALUE", "FROM"), [(row.key, row.value, row.origin) for row in rows], {})
    click.echo("\n".join(["", *lines] if lines else ["", "no line in the crontab"]))


@click.command("next")
@click.argument("job", required=False, shell_complete=complete_jobs)
@click.option("--from", "start", metavar="INSTANT", help="Slots strictly after this, 2026-03-08T07:00:00Z; now.")
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=NEXT_SLOTS, show_default=True, help="How many.")
@json_option
@click.pass_context
def next_command(ctx: click.Context, job: str | None, start: str | None, count: int, as_json: bool) -> None:
    """Show the next slots of JOB, or of all jobs together."""
    loaded = load_home(get_home(ctx))
    after = _parse_start(start)
    plans = loaded.planned if job is None else [choose_plan(loaded, job, None)]
    target = find_target(loaded.settings)
    zone = target.timezone if target else ""
    rows = islice(merge(*(_list_slots(one, zone, after, count) for one in plans if one.job.enabled)), count)
    answer = [{"slot": format_slot(slot), "local": local, "plan": plan} for slot, plan, local in rows]
    if as_json:
        print_json(answer)
        return
    if job and not plans[0].job.enabled:
        click.echo(f"{job} is disabled (enabled: false): cron does not run it", err=True)
    elif job and not plans[0].job.when:
        click.echo(f"{job} has no when: it runs by hand only", err=True)
    for row in answer:
        click.echo(f"{row['slot']}  {row['local']}" + ("" if job else f"  {row['plan']}"))


def _parse_start(start: str | None) -> float:
    try:
        after = time.time() if start is None else parse_instant(start)
    except ValueError as error:
        raise UserError(f"--from: {error}") from None
    if not 0 <= after < LAST_INSTANT - _LONGEST_SEARCH_S:
        raise UserError(f"--from: {start} is not of the years 1970 to 9900")
    return after


def _list_slots(one: Planned, zone: str, after: float, count: int) -> Iterator[tuple[int, str, str]]:
    """Return slot, plan and local time, by the job's own clock, of a plan's next slots."""
    with in_zone(one.job.timezone or zone or None):
        slots = list(islice(slots_after(one.plan.schedules, after), count))
        return iter([(slot, one.plan.name, format_local(slot)) for slot in slots])
