"""``runner sweep``: the housekeeping, by hand."""

from __future__ import annotations

import click

from runner.cli.context import get_home, json_option
from runner.sweep.__main__ import main


@click.command("sweep")
@json_option
@click.pass_context
def sweep_command(ctx: click.Context, as_json: bool) -> int:
    """Do what the crontab does each minute: close lost runs, start missed slots, drain, expire."""
    return main(["--home", str(get_home(ctx)), *(["--json"] if as_json else [])])
