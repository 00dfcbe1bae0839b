"""``runner crontab verify``: whether what cron reads is still what was installed (CRON-63)."""

from __future__ import annotations

import os

import click

from runner.cli.context import get_home, json_option, target_option
from runner.cli.crontab_target import choose_target
from runner.cli.output import print_json
from runner.crontab.places import find_table
from runner.crontab.verify import verify_block
from runner.crontab.want import look_at, make_spot, want_block
from runner.errors import ANSWER_IS_NO, DONE
from runner.plans.load import load_home


@click.command("verify", short_help="whether cron still reads what was installed; exit 1 if not")
@target_option
@json_option
@click.pass_context
def verify_command(ctx: click.Context, target: str | None, as_json: bool) -> int:
    """Say whether our block stands in the crontab as the registry has it, and whether cron reads it. Exit 1 if not.

    Findings: absent, edited, stale, foreign-below, double, ignored.
    """
    loaded = load_home(get_home(ctx))
    chosen = choose_target(loaded.settings, target)
    spot = make_spot(loaded.settings, chosen)
    table = find_table(spot, os.environ)
    findings = verify_block(look_at(spot, table), want_block(loaded, chosen), table.read_dialect())
    if as_json:
        print_json({"finding": one.finding, "message": one.message} for one in findings)
    else:
        for one in findings:
            click.echo(f"{one.finding}: {one.message}")
        if not findings:
            click.echo(f"{spot.block} stands in {table.name} as it was installed")
    return ANSWER_IS_NO if findings else DONE
