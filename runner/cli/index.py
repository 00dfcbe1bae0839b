"""``runner index``: the headers of files into the database."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from runner.archive.here import open_database
from runner.archive.index.index import Options, Watch, index_paths
from runner.archive.index.summary import Summary
from runner.archive.index.verify import Finding, Verification
from runner.archive.settings import Archive, read_archive
from runner.cli.context import get_home, json_option
from runner.cli.output import print_json, print_table, say_lines
from runner.database.database import Database
from runner.errors import ANSWER_IS_NO, DONE, TRY_LATER

COLUMNS = ("FINDING", "FILE", "HDU", "WHAT")


@click.command("index")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings, instead of envs/archive.yaml.",
)
@click.option("--verify", is_flag=True, help="Compare database and disk, every byte; exit 1 if something is wrong.")
@click.option("--full", is_flag=True, help="Read again what is unchanged; changed bytes that --verify found are right.")
@click.option("--strict", is_flag=True, help="Exit 1 if there are bad files, known ones too.")
@click.option("--accept-empty", is_flag=True, help="A root that had files and is empty is mounted: they have vanished.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many read headers.")
@click.option("--dry-run", is_flag=True, help="Say what is new, changed or gone, and change nothing.")
@json_option
@click.pass_context
def index_command(
    ctx: click.Context,
    paths: tuple[str, ...],
    config: Path | None,
    verify: bool,
    full: bool,
    strict: bool,
    accept_empty: bool,
    processes: int,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Read the headers of new and changed FITS files below each PATH into the database.

    Without PATH everything that was ever indexed is looked at again. Files that are damaged are bad in the
    database, said once on stderr, and read again only when they change. No symbolic link is followed.
    Exit 75 if a disk seems not to be mounted.
    """
    home = get_home(ctx)
    archive = read_archive(home, config)
    options = Options(
        reads_all=full,
        accepts_empty=accept_empty,
        is_dry=dry_run,
        processes=processes,
        run_id=os.environ.get("RUNNER_RUN_ID"),
    )
    with open_database(home) as database:
        if verify:
            return _verify(database, archive, paths, as_json=as_json)
        with _watching(as_json=as_json) as watch:
            summary = index_paths(database, archive, paths, options, watch)
    say_lines(summary.list_findings())
    if as_json:
        print_json([describe_all(summary, is_dry=dry_run)])
    else:
        click.echo(describe_summary(summary, is_dry=dry_run))
    if summary.troubles:
        return TRY_LATER
    return ANSWER_IS_NO if strict and (summary.bad or summary.unread) else DONE


def describe_all(summary: Summary, *, is_dry: bool) -> dict[str, object]:
    """Return the object of ``--json``."""
    lists = {"bad_files": summary.new_bad, "unread_files": summary.unread}
    named = {name: [{"path": path, "reason": reason} for path, reason in pairs] for name, pairs in lists.items()}
    counts: dict[str, object] = dict(summary.describe())
    return {**counts, **({"to_read": summary.to_read} if is_dry else {}), **named, "troubles": summary.troubles}


def describe_summary(summary: Summary, *, is_dry: bool) -> str:
    """Return one line of counts (ARCH-31)."""
    indexed, *others = summary.list_counts()
    return ", ".join([f"{summary.to_read} to be read" if is_dry else indexed, *others])


def _verify(database: Database, archive: Archive, paths: Sequence[str], *, as_json: bool) -> int:
    verification = Verification(database, archive, paths)
    findings = list(verification)
    if as_json:
        print_json(finding.describe() for finding in findings)
    elif findings:
        print_table(COLUMNS, [_describe_finding(finding) for finding in findings], {})
    if not as_json:
        click.echo(
            f"{verification.files} files verified, {verification.size_bytes / 1e9:.1f} GB,"
            f" {verification.sums} CHECKSUM and DATASUM, {verification.digests} new digests: {len(findings)} findings"
        )
    return ANSWER_IS_NO if findings else DONE


def _describe_finding(finding: Finding) -> tuple[str, ...]:
    where = "" if finding.hdu is None else str(finding.hdu)
    return finding.kind, finding.path, where, finding.message


@contextmanager
def _watching(*, as_json: bool) -> Iterator[Watch | None]:
    """Draw a bar on a terminal; elsewhere nobody watches."""
    if as_json or not sys.stdout.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    said, begun = TextColumn("{task.description}"), time.monotonic()
    with Progress(BarColumn(), MofNCompleteColumn(), said, TimeRemainingColumn(), transient=True) as progress:
        bar = progress.add_task("", total=None)

        def watch(summary: Summary) -> None:
            rate = summary.read / (time.monotonic() - begun)
            text = f"{rate:.0f} files/s, {len(summary.new_bad)} bad,"
            progress.update(bar, completed=summary.read, total=summary.to_read, description=text)

        yield watch
