"""``runner diagnose``: whether all is well with a home, its crontab, its machine."""

from __future__ import annotations

import os
import time

import click

from runner.cli.complete import complete_checks
from runner.cli.context import get_home, json_option
from runner.cli.output import print_json, print_table
from runner.diagnose.check import LEVELS, NOTE, list_checks
from runner.diagnose.checks import registry
from runner.diagnose.context import list_secret_forms, read_context
from runner.diagnose.report import (
    COLUMNS,
    choose_checks,
    choose_findings,
    describe_all_well,
    has_trouble,
    hide_secrets,
    list_rows,
)
from runner.diagnose.run import run_checks
from runner.errors import ANSWER_IS_NO, DONE

_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


@click.command("diagnose")
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=complete_checks)
@json_option
@click.option("--level", type=click.Choice(LEVELS), default=NOTE, help="Only what is so bad or worse; default: all.")
@click.option("--list", "is_list", is_flag=True, help="Only say which checks there are.")
@click.pass_context
def diagnose_command(ctx: click.Context, ids: tuple[str, ...], as_json: bool, level: str, is_list: bool) -> int:
    """Look at home, crontab, mail, profiles, ledger and machine, by all checks or those named.

    Exit 1 if an error or a warning is shown. A check that crashes, or takes too long, is a finding.
    """
    checks, unusable = list_checks()
    chosen = choose_checks(checks, ids)
    if is_list:
        if as_json:
            print_json(check.describe() for check in chosen)
        else:
            rows = [(check.id, check.level, check.title) for check in chosen]
            print_table(("ID", "LEVEL", "WHAT HOLDS"), rows, _STYLES)
        return DONE
    context = read_context(get_home(ctx), time.time(), os.environ.get("RUNNER_JOB", ""))
    forms = list_secret_forms(context)
    if context.loaded is None:  # what keeps others from an answer is told, whoever was asked
        chosen = choose_checks(checks, ids, registry.ID)
    found = [*([] if ids else unusable), *run_checks(chosen, context)]
    shown = choose_findings([hide_secrets(one, forms) for one in found], level)
    if as_json:
        print_json(one.describe() for one in shown)
    else:
        if shown:
            print_table(COLUMNS, list_rows(shown), _STYLES)
        click.echo(describe_all_well(chosen, found), err=True)
    return ANSWER_IS_NO if has_trouble(shown) else DONE
