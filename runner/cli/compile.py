"""``runner compile``: ``crontab.d/`` and the machine's files from ``jobs/`` and ``envs/``."""

from __future__ import annotations

import click

from runner.cli.context import dry_run_option, get_home, get_open_home, json_option, show_warnings
from runner.cli.output import print_json
from runner.crontab.output import make_output
from runner.document.collector import collector_off
from runner.home.group import share_logs
from runner.home.here import find_state
from runner.home.machine import write_machine_files
from runner.launch.reserve import make_reserve
from runner.launch.state import make_state
from runner.plans.installed import keep_installed
from runner.plans.load import load_home
from runner.plans.write import compare_output, remove_output, write_output


@click.command("compile")
@click.option("--check", is_flag=True, help="Only say what is stale or superfluous; exit 1 if anything is.")
@dry_run_option
@json_option
@click.pass_context
def compile_command(ctx: click.Context, check: bool, dry_run: bool, as_json: bool) -> int:
    """Write crontab.d/: the plans, and what cron would read for each target. Nothing is installed."""
    with collector_off():
        home = get_home(ctx) if check or dry_run else get_open_home(ctx)
        loaded = load_home(home)
        show_warnings(loaded.warnings)
        files = make_output(loaded)
        differences = keep_installed(compare_output(home, files), loaded.settings)
        if not (check or dry_run):
            write_machine_files(home)
            state = str(find_state(loaded.settings))
            make_state(state)
            share_logs(state, loaded.settings.group)
            write_output(home, files, differences)
            remove_output(home, differences.superfluous)
            make_reserve(state)
    answer = [{"file": path, "is": "stale"} for path in differences.stale]
    answer += [{"file": path, "is": "superfluous"} for path in differences.superfluous]
    if as_json:
        print_json(answer)
    elif check or dry_run:
        for line in answer:
            click.echo(f"{line['file']} is {line['is']}")
    else:
        written, removed = len(differences.stale), len(differences.superfluous)
        click.echo(f"{len(loaded.planned)} plans: {written} files written, {removed} removed in {home}/crontab.d")
    return 1 if check and answer else 0
