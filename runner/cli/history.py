"""``runner history logs``: what was, and what it said."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

import click

from runner.cli.complete import complete_names, complete_names_and_runs
from runner.cli.context import get_home, json_option
from runner.cli.output import STYLES, clean_lines, print_json, print_table, show_trouble
from runner.cli.times import show_duration, show_in_zone, show_near
from runner.document.faults import describe_unknown
from runner.errors import ANSWER_IS_NO, DONE
from runner.home.here import find_database, find_state, find_target
from runner.home.settings import read_settings
from runner.launch.installed import read_installed
from runner.launch.instant import parse_instant
from runner.ledger.history import open_history
from runner.ledger.logs import follow_log, get_log, list_plans, read_log
from runner.ledger.tables import Run
from runner.plans.write import list_compiled_plans

COLUMNS = ("STARTED", "PLAN", "OUTCOME", "TOOK", "REASON", "RUN")
# A run that began later than this after its slot says for which slot it was.
_LATE_S = 60


@click.command("history")
@click.argument("job", required=False, shell_complete=complete_names)
@click.option("-n", "--limit", type=click.IntRange(0), default=100, show_default=True, help="How many; 0 is all.")
@json_option
@click.pass_context
def history_command(ctx: click.Context, job: str | None, limit: int, as_json: bool) -> int:
    """Show the past runs of JOB (or of a plan JOB@PROFILE), or of all jobs, the newest first.

    Times are local to the target. Exit 1 if there is no job of that name and never was.
    """
    home = get_home(ctx)
    settings = read_settings(home)
    state, now = str(find_state(settings)), time.time()
    with open_history(find_database(settings), state, now) as history:
        show_trouble(history.warnings)
        runs = history.read_runs(job or "", limit)
        first = next(runs, None)
        if first is None:
            return _say_nothing(home, state, job)
        runs = chain([first], runs)
        if as_json:
            print_json(run.describe() for run in runs)
            return DONE
        target = find_target(settings)
        show_in_zone(target.timezone if target else "")
        print_table(COLUMNS, [describe_run(run, now) for run in runs], STYLES)
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
