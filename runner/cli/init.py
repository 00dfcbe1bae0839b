"""``runner init``: a new home."""

from __future__ import annotations

from pathlib import Path

import click

from runner.crontab.lint import find_path_fault
from runner.errors import UserError
from runner.home.machine import write_machine_files
from runner.home.template import create_home, find_template


@click.command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def init_command(directory: Path) -> None:
    """Make a new home in DIRECTORY: an example site to change into yours. A home that is there is left as it is."""
    if fault := find_path_fault(str(directory.resolve())):
        raise UserError(fault)
    try:
        home = create_home(directory, find_template())
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; name another directory") from error
    write_machine_files(home)
    click.echo(f"{home} is a home. Go on with:")
    click.echo(f"  cd {home}")
    click.echo("  runner check               what is wrong, with file:line:column")
    click.echo("  runner compile             write crontab.d/")
    click.echo("  runner run disk-check      run a job now, as cron would")
    click.echo("  runner crontab install     show what changes in your crontab, ask, do it")
