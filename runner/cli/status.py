"""``runner status``: how every plan stands, what is wrong first."""

from __future__ import annotations

import time

import click

from runner.alerts.waiting import Undelivered, find_undelivered
from runner.cli.context import get_home, json_option
from runner.cli.output import STYLES, print_json, print_table, show_trouble
from runner.cli.times import show_distance, show_in_zone, show_instants, show_near, started_at
from runner.home.here import find_database, find_state, find_target
from runner.home.settings import read_settings
from runner.launch.instant import format_slot
from runner.ledger.history import open_history
from runner.ledger.status import Status, read_status
from runner.plans.write import read_compiled_plans

COLUMNS = ("PLAN", "OUTCOME", "LAST SLOT", "NEXT SLOT", "TROUBLE")
_WORST_OUTCOMES = ("failed", "timed_out", "cannot_start", "lost", "warned")


@click.command("status")
@json_option
@click.pass_context
def status_command(ctx: click.Context, as_json: bool) -> None:
    """Show every plan: how its last run ended, when its next is due, whether it is paused or in trouble.

    What is wrong stands first. Times are local to the target.
    """
    home = get_home(ctx)
    settings = read_settings(home)
    plans = read_compiled_plans(home)
    target = find_target(settings)
    zone = target.timezone if target else ""
    state, now = str(find_state(settings)), time.time()
    with open_history(find_database(settings), state, now) as history:
        show_trouble([*history.warnings, *describe_undelivered(find_undelivered(state, now))])
        rows = read_status(history, plans, state, zone, now)
    if as_json:
        print_json(row.describe() for row in rows)
        return
    show_in_zone(zone)
    print_table(COLUMNS, [describe_status(row, now) for row in sorted(rows, key=_rank)], STYLES)
    if not plans:
        click.echo('nothing is compiled here; run "runner compile"', err=True)


def describe_undelivered(mail: Undelivered) -> list[str]:
    """Return what is wrong with the mail, nothing if all gets through (ALERT-11)."""
    late = [f"undelivered mail {mail.count}, oldest {format_slot(int(mail.oldest_at))}"] if mail.count else []
    return late + ([f"mail that nobody will get: {mail.dead}, in outbox/dead of the state"] if mail.dead else [])


def _rank(row: Status) -> tuple[int, str]:
    """Return what sorts plans by how much somebody has to know of them, those of one kind by name."""
    if row.incident:
        return 0, row.plan
    if row.outcome in _WORST_OUTCOMES:
        return 1, row.plan
    if row.paused:
        return 2, row.plan
    return {"waiting": 3, "running": 4, "disabled": 6}.get(_describe_state(row), 5), row.plan


def _describe_state(row: Status) -> str:
    """Return what is to be known of a plan besides how its last run ended; empty if nothing is."""
    if row.state in ("running", "waiting"):
        return row.state
    return "" if row.enabled else "disabled"


def describe_status(row: Status, now: float) -> tuple[str, ...]:
    """Return the cells of a plan; libc's zone is the target's."""
    trouble = [f"bad since {show_near(started_at(row.incident), now)}"] if row.incident else []
    trouble += [f"run {row.run_id}"] if row.run_id and row.state in ("running", "waiting") else []
    trouble += [f"waits for {row.behind}"] if row.behind else []
    trouble += [f"paused {show_instants(row.paused)}"] if row.paused else []
    return (
        row.plan,
        _describe_state(row) or row.outcome or "-",
        _show_slot(row.last_slot, now) or "never",
        _show_slot(row.next_slot, now) or "-",
        ", ".join(trouble),
    )


def _show_slot(slot: str | None, now: float) -> str:
    return f"{show_near(slot, now)}, {show_distance(slot, now)}" if slot else ""
