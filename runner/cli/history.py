"""``runner status history logs``: what is, what was, and what it said."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import datetime

import click

from runner.cli.context import get_home, json_option
from runner.cli.output import clean_lines, print_json, print_table
from runner.home.here import find_database, find_state, find_target
from runner.home.settings import read_settings
from runner.launch.instant import parse_instant
from runner.ledger.history import History, open_history
from runner.ledger.logs import follow_log, get_log, read_log
from runner.ledger.status import Status, read_status
from runner.ledger.tables import Run
from runner.plans.write import read_compiled_plans

STYLES = {
    "ok": "green",
    "warned": "yellow",
    "failed": "red",
    "timed_out": "red",
    "cannot_start": "red",
    "lost": "red",
    "running": "cyan",
    "skipped": "dim",
    "stopped": "dim",
    "bad": "red",
    "paused": "yellow",
}


def show_trouble(history: History) -> None:
    """Say on stderr why an answer may not be whole."""
    for warning in history.warnings:
        click.echo(f"runner: {warning}", err=True)


@click.command("status")
@json_option
@click.pass_context
def status_command(ctx: click.Context, as_json: bool) -> None:
    """Show every plan: how its last run ended, when its next is due, whether it is paused or in trouble."""
    home = get_home(ctx)
    settings = read_settings(home)
    plans = read_compiled_plans(home)
    target = find_target(settings)
    state, now = str(find_state(settings)), time.time()
    with open_history(find_database(settings), state, now) as history:
        show_trouble(history)
        rows = read_status(history, plans, state, target.timezone if target else "", now)
    if as_json:
        print_json(row.describe() for row in rows)
        return
    columns = ("PLAN", "LAST RUN", "STATE", "OUTCOME", "NEXT SLOT", "TROUBLE")
    print_table(columns, [_describe_status(row) for row in rows], STYLES)
    if not plans:
        click.echo('nothing is compiled here; run "runner compile"', err=True)


def _describe_status(row: Status) -> tuple[str, ...]:
    trouble = [f"bad since {show_instant(started_at(row.incident))}"] if row.incident else []
    trouble += [f"paused {row.paused}"] if row.paused else []
    outcome = row.outcome or ("-" if row.run_id is None else "")
    return (
        row.plan,
        show_instant(row.last_slot) or "never",
        row.state or "-",
        outcome,
        show_instant(row.next_slot) or "-",
        ", ".join(trouble),
    )


@click.command("history")
@click.argument("job", required=False)
@click.option("-n", "--limit", type=click.IntRange(0), default=100, show_default=True, help="How many; 0 is all.")
@json_option
@click.pass_context
def history_command(ctx: click.Context, job: str | None, limit: int, as_json: bool) -> None:
    """Show the past runs of JOB (or of a plan JOB@PROFILE), or of all jobs, the newest first."""
    settings = read_settings(get_home(ctx))
    with open_history(find_database(settings), str(find_state(settings)), time.time()) as history:
        show_trouble(history)
        runs = history.read_runs(job or "", limit)
        if as_json:
            print_json(run.describe() for run in runs)
            return
        rows = [_describe(run) for run in runs]
    if not rows:
        click.echo(f"no run of {job} is known" if job else "no run is known yet", err=True)
    print_table(("STARTED", "SLOT", "PLAN", "OUTCOME", "SECONDS", "REASON", "RUN"), rows, STYLES)


def _describe(run: Run) -> tuple[str, ...]:
    seconds = "" if run.duration_s is None else f"{run.duration_s:.1f}"
    reason = run.reason or ""
    return (
        show_instant(run.started_at),
        show_instant(run.slot),
        run.plan,
        run.outcome or run.state,
        seconds,
        reason,
        run.run_id,
    )


def started_at(run_id: str) -> str:
    """Return the instant that a run id begins with (RUN-4)."""
    stamp = run_id.partition("-")[0]
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:]}"


def show_instant(text: str | None) -> str:
    """Return an instant of a record as people read it: the host's local time, to the second."""
    if not text:
        return ""
    return datetime.fromtimestamp(parse_instant(text)).astimezone().strftime("%Y-%m-%d %H:%M:%S")


@click.command("logs")
@click.argument("name", metavar="JOB|RUN", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as it grows, over all runs to come.")
@click.option("--raw", is_flag=True, help="Show control characters to the terminal as they are.")
@click.pass_context
def logs_command(ctx: click.Context, name: str | None, follow: bool, raw: bool) -> None:
    """Show the newest log of a job or plan, that of a run, or the newest of all."""
    path = get_log(str(find_state(read_settings(get_home(ctx)))), name or "")
    chunks = follow_log(path) if follow else read_log(path)
    with suppress(KeyboardInterrupt):
        for chunk in chunks:
            click.echo(chunk if raw or not sys.stdout.isatty() else clean_lines(chunk), nl=False)
