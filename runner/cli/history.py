"""``runner status history logs``: what is, what was, and what it said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import click

from runner.cli.context import get_home, json_option
from runner.cli.output import print_json, print_table
from runner.home.here import find_database, find_state
from runner.home.settings import read_settings
from runner.launch.instant import parse_instant
from runner.ledger.history import History, open_history
from runner.ledger.tables import Run

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
        else:
            columns = ("STARTED", "SLOT", "PLAN", "OUTCOME", "SECONDS", "REASON", "RUN")
            print_table(columns, [_describe(run) for run in runs], STYLES)


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


def show_instant(text: str | None) -> str:
    """Return an instant of a record as people read it: the host's local time, to the second."""
    if not text:
        return ""
    return datetime.fromtimestamp(parse_instant(text)).astimezone().strftime("%Y-%m-%d %H:%M:%S")
