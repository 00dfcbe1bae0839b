"""``runner history logs``: what was, and what it said."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import click

from runner.cli.complete import complete_names_and_runs
from runner.cli.context import get_home, json_option
from runner.cli.output import STYLES, clean, clean_lines, print_json, print_table, show_trouble
from runner.cli.times import show_duration, show_in_zone, show_near
from runner.document.faults import describe_unknown
from runner.errors import ANSWER_IS_NO, DONE
from runner.home.here import find_database, find_state, find_target
from runner.home.settings import read_settings
from runner.launch.installed import read_installed
from runner.launch.instant import parse_instant
from runner.ledger.history import open_history
from runner.ledger.logs import follow_log, get_log, list_plans, read_log
from runner.ledger.notebook import Page, Told
from runner.ledger.record import RUN_ID
from runner.ledger.tables import Run
from runner.plans.write import list_compiled_plans

COLUMNS = ("STARTED", "PLAN", "OUTCOME", "TOOK", "REASON", "RUN")
# A run that began later than this after its slot says for which slot it was.
_LATE_S = 60


@click.command("history")
@click.argument("name", metavar="JOB|RUN", required=False, shell_complete=complete_names_and_runs)
@click.option("-n", "--limit", type=click.IntRange(0), default=100, show_default=True, help="How many; 0 is all.")
@json_option
@click.pass_context
def history_command(ctx: click.Context, name: str | None, limit: int, as_json: bool) -> int:
    """Show the past runs of JOB (or of a plan JOB@PROFILE), or of all jobs, the newest first; or all of one RUN.

    Of one run that is its release, command line, packages, and what it read, made and noted. Times are local to the
    target, those of one run in UTC. Exit 1 if there is no job of that name and never was, or no such run.
    """
    home = get_home(ctx)
    settings = read_settings(home)
    state, now = str(find_state(settings)), time.time()
    with open_history(find_database(settings), state, now) as history:
        show_trouble(history.warnings)
        if name and RUN_ID.fullmatch(name):
            return _show_page(history.find_page(name), name, as_json=as_json)
        runs = history.read_runs(name or "", limit)
        first = next(runs, None)
        if first is None:
            return _say_nothing(home, state, name)
        runs = chain([first], runs)
        if as_json:
            print_json(run.describe() for run in runs)
            return DONE
        target = find_target(settings)
        show_in_zone(target.timezone if target else "")
        print_table(COLUMNS, [describe_run(run, now) for run in runs], STYLES)
    return DONE


def _show_page(page: Page | None, run_id: str, *, as_json: bool) -> int:
    """Print all that is known of a run."""
    if page is None:
        click.echo(f"no run {run_id} is known", err=True)
        return ANSWER_IS_NO
    if as_json:
        print_json([page.describe()])
    else:
        click.echo("\n".join(map(clean, describe_page(page))))
    return DONE


def _say_nothing(home: Path, state: str, job: str | None) -> int:
    """Say that there is no run, and of which job there never will be one."""
    known = {*list_compiled_plans(home), *read_installed(state)}
    known |= {plan.partition("@")[0] for plan in known}
    if job is None or job in known:
        click.echo(f"no run of {job} is known" if job else "no run is known yet", err=True)
        return DONE
    click.echo(describe_unknown("job or plan", job, known), err=True)
    return ANSWER_IS_NO


def describe_run(run: Run, now: float) -> tuple[str, ...]:
    """Return the cells of a run; libc's zone is the target's."""
    if run.duration_s is not None:
        took = show_duration(run.duration_s) if run.outcome != "skipped" else ""
    else:
        took = f"{show_duration(max(now - parse_instant(run.started_at), 0.0))} so far"
    reason = [run.reason] if run.reason else []
    if parse_instant(run.started_at) - parse_instant(run.slot) > _LATE_S:
        reason.append(f"due {show_near(run.slot, now)}")
    return (
        show_near(run.started_at, now, seconds=True),
        run.plan,
        run.outcome or run.state,
        took,
        ", ".join(reason),
        run.run_id,
    )


def describe_page(page: Page) -> Iterator[str]:
    """Yield the lines of a run's page."""
    for name, value in page.run.describe().items():
        if value not in (None, ""):
            yield f"{name:<18} {value}"
    packages = "not known any more" if page.packages is None else len(page.packages)
    yield f"{'packages':<18} {packages}"
    yield from (f"  {name} {version}" for name, version in page.packages or ())
    for title, told in (("inputs", page.inputs), ("outputs", page.outputs)):
        yield f"{title:<18} {len(told)}"
        yield from (f"  {one.path}  {_describe_told(one)}".rstrip() for one in told)
    yield f"{'notes':<18} {len(page.notes)}"
    yield from (f"  {at}  {text}" for at, text in page.notes)


def _describe_told(told: Told) -> str:
    size = None if told.size_bytes is None else f"{told.size_bytes} bytes"
    return "  ".join(filter(None, [size, told.digest, told.source and f"from {told.source}"]))


@click.command("logs")
@click.argument("name", metavar="JOB|RUN", required=False, shell_complete=complete_names_and_runs)
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows, over all runs to come of its plan.")
@click.option("--raw", is_flag=True, help="Show control characters to the terminal as they are.")
@click.pass_context
def logs_command(ctx: click.Context, name: str | None, follow: bool, raw: bool) -> None:
    """Show the newest log of a job or plan, that of a run, or the newest of all."""
    state = str(find_state(read_settings(get_home(ctx))))
    path = get_log(state, name or "")
    plans = list_plans(state, name or "")
    if follow and len(plans) > 1:
        followed = path.parent.name
        click.echo(
            f"runner: of {len(plans)} plans {followed} is followed; others: {', '.join(plans - {followed})}", err=True
        )
    chunks = follow_log(path) if follow else read_log(path)
    with suppress(KeyboardInterrupt):
        for chunk in chunks:
            click.echo(chunk if raw or not sys.stdout.isatty() else clean_lines(chunk), nl=False)
