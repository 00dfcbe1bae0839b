"""``runner state``: the state directory as one file, and back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from runner.backup.keep import name_backup, remove_older
from runner.backup.manifest import Manifest, make_manifest
from runner.backup.restore import Restored, check_empty, read_backup, restore_backup
from runner.backup.write import Watch, Written, measure_state, write_backup
from runner.cli.context import dry_run_option, get_home, json_option
from runner.cli.output import clean, print_json, say_lines
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.account import find_owner
from runner.home.here import find_state, read_host
from runner.home.settings import read_settings


@click.group("state")
def state_command() -> None:
    """Keep what runner remembers in one file, and bring it back."""


@state_command.command("backup", short_help="write the state directory into one file, while jobs run")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--logs", is_flag=True, help="The logs of runs, too.")
@click.option(
    "--keep", metavar="N", type=click.IntRange(min=1), help="Of those in the directory PATH, keep the newest N."
)
@click.option("--force", is_flag=True, help="Replace the file PATH.")
@dry_run_option
@json_option
@click.pass_context
def backup_command(
    ctx: click.Context, path: Path, logs: bool, keep: int | None, force: bool, dry_run: bool, as_json: bool
) -> int:
    """Write the state directory to the file PATH, or into the directory PATH under a name with the time.

    Nothing has to stop. A ledger in PostgreSQL is not in it: pg_dump is for that. Exit 1 if a file could not be read.
    """
    home, now = get_home(ctx), time.time()
    manifest = make_manifest(home, now, has_logs=logs)
    state, path = Path(manifest.state), path.absolute()
    if not state.is_dir():
        raise UserError(f"{state}: there is no state directory yet, and so nothing to keep")
    _check_account(state)
    file = path / name_backup(manifest) if path.is_dir() else path
    if keep and file == path:
        raise UserError(f"{path} is no directory, in which --keep could keep the newest")
    if not file.parent.is_dir():
        raise UserError(f"{file.parent} is no directory; make it first, for the account alone")
    if file.exists() and not force:
        raise UserError(f"{file} is there already; choose another name, or say --force")
    if file.resolve().is_relative_to(state.resolve()):
        raise UserError(f"{file} would lie in the state directory, and be lost with it")
    written = Written()
    if not dry_run:
        with _watching(lambda: measure_state(manifest), as_json=as_json) as watch:
            written = write_backup(manifest, file, watch)
    removed = remove_older(path, manifest, keep, now) if keep and not dry_run else []
    say_lines(f"{state}/{name}: not in the backup: {reason}" for name, reason in written.unread)
    if as_json:
        print_json(
            [{**asdict(manifest), **asdict(written), "path": str(file), "removed": [str(one) for one in removed]}]
        )
    else:
        _report_backup(manifest, file, None if dry_run else written, removed)
    return ANSWER_IS_NO if written.unread else DONE


@state_command.command("restore", short_help="make a state directory of such a file")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@dry_run_option
@json_option
@click.pass_context
def restore_command(ctx: click.Context, file: Path, dry_run: bool, as_json: bool) -> int:
    """Make the state directory of this home of a backup; there must be none yet, or one without a file.

    With --dry-run FILE is read to its end, and nothing is written.
    """
    home = get_home(ctx)
    state = find_state(read_settings(home))
    _check_account(home)
    if dry_run:
        check_empty(state)
    with _watching(lambda: None, as_json=as_json) as watch:
        restored = read_backup(file, watch=watch) if dry_run else restore_backup(file, state, read_host(), watch)
    if as_json:
        counts = {"files": restored.files, "size_bytes": restored.size_bytes}
        print_json([{"restored_to": str(state), **asdict(restored.manifest), **counts}])
    else:
        _report_restore(restored, state, is_dry=dry_run)
    return DONE


def _report_backup(manifest: Manifest, file: Path, written: Written | None, removed: list[Path]) -> None:
    if written is None:
        click.echo(f"{manifest.state} would be written to {file}")
    else:
        click.echo(f"{file}: {written.files} files, {written.size_bytes / 1e6:.1f} MB of {manifest.state}")
        if written.left_out:
            click.echo(clean(f"left out, neither file nor directory: {' '.join(written.left_out)}"))
    if not manifest.has_logs:
        click.echo("without the logs of runs; --logs keeps them, too")
    if not manifest.has_ledger:
        click.echo(f"without the ledger {manifest.ledger}, which is not in the state directory")
    for path in removed:
        click.echo(f"removed {path}")


def _report_restore(restored: Restored, state: Path, *, is_dry: bool) -> None:
    manifest = restored.manifest
    deed = "is whole, and would become" if is_dry else "is now"
    origin = f"of {manifest.host} at {manifest.taken_at}, {restored.files} files, {restored.size_bytes / 1e6:.1f} MB"
    click.echo(clean(f"the state of {manifest.name} {deed} {state}: {origin}"))
    if not manifest.has_ledger:
        click.echo(clean(f"the ledger {manifest.ledger} was not in it"))
    if not is_dry:
        click.echo(
            "next: runner crontab install, then runner sweep; what ran then is lost, what was due since is missed"
        )


def _check_account(path: Path) -> None:
    """Raise UserError unless the state is, or will be, of whoever calls: jobs could not write to another's."""
    if path.stat().st_uid != os.geteuid():
        name = find_owner(path).pw_name
        raise UserError(f"{path} belongs to {name}; do this as {name}: runuser -u {name} -- runner state ...")


@contextmanager
def _watching(measure: Callable[[], int | None], *, as_json: bool) -> Iterator[Watch | None]:
    """Draw a bar on a terminal, up to so many bytes; elsewhere nobody watches, and nothing is measured."""
    if as_json or not sys.stdout.isatty():
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task("", total=measure())
        yield lambda count: progress.advance(bar, count)
