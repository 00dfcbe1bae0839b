"""``runner sweep``: the housekeeping, by hand."""

from __future__ import annotations

import click

from runner.cli.context import get_home, json_option
from runner.sweep.__main__ import main


@click.command("sweep")
@json_option
@click.option("--explain", is_flag=True, help="Say of each chore what it did, or why there was nothing to do.")
@click.pass_context
def sweep_command(ctx: click.Context, as_json: bool, explain: bool) -> int:
    """Do what the crontab does each minute: close lost runs, start missed slots, drain, expire, ping.

    Exit 75 if a chore failed, or if another sweep is at work.
    """
    return main(["--home", str(get_home(ctx)), *["--json"] * as_json, *["--explain"] * explain])
