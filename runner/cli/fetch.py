"""``runner fetch``: what sources have and a directory has not."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from runner.archive.fetch.fetch import fetch_all
from runner.archive.fetch.look import Deed
from runner.archive.fetch.options import Options, Watch
from runner.archive.fetch.plan import Planned, plan_fetch
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT, Result, Summary
from runner.archive.fetch.source import Refused
from runner.archive.settings import Archive, read_archive
from runner.cli.context import dry_run_option, json_option
from runner.cli.output import clean, going_on, print_json, say_lines, show_trouble
from runner.errors import ANSWER_IS_NO, DONE, TRY_LATER, UserError
from runner.home.find import find_home
from runner.home.here import find_database
from runner.home.settings import read_settings

# What the shell says of a program that a signal ended.
_SIGNALLED = 128
_DEEDS = {
    Deed.FETCH: "fetch",
    Deed.PRESENT: "present",
    Deed.ASK: "fetch if it has changed",
    Deed.ADOPT: "fetch if it is not what is here",
    Deed.LEAVE: "failed",
}


@click.command("fetch")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Read what is here; what is not as it was recorded is fetched anew.")
@click.option("--retry-failed", is_flag=True, help="Ask again for what failed for good.")
@click.option("--unpack", is_flag=True, help="Unpack tar and zip archives beside themselves as they come.")
@click.option("--not-indexed", is_flag=True, help="Only what is not in the index, by base name and size.")
@click.option("--connections", metavar="N", type=click.IntRange(1, 64), help="How many at once, in all.")
@click.option("--per-host", metavar="N", type=click.IntRange(1, 64), help="How many at once from one host.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings instead of envs/archive.yaml.",
)
@dry_run_option
@json_option
@click.pass_context
def fetch_command(
    ctx: click.Context,
    sources: tuple[str, ...],
    destination: Path,
    verify: bool,
    retry_failed: bool,
    unpack: bool,
    not_indexed: bool,
    connections: int | None,
    per_host: int | None,
    config: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Fetch what SOURCEs have and the directory DEST has not; each file is whole or is not there.

    A SOURCE is https://HOST/FILE, or https://HOST/DIRECTORY/ that the server lists; file:PATH, relative to the
    home, or the name of a file or directory; s3://BUCKET/PREFIX; astroquery:CRITERIA of MAST; list:FILE or
    list:https://... or @FILE, which names a source a line or is a CSV table with the columns url or name, and
    size and sha256 if it likes.

    Exit 1 if some files failed, 75 if a source does not answer.
    """
    home = _find_home(ctx)
    archive = _choose_limits(read_archive(home, config), connections, per_host)
    options = Options(verify=verify, retry_failed=retry_failed)
    if unpack:
        options = _unpacking(options, archive)
    if not_indexed:
        options = _choosing(options, home)
    if dry_run:
        return _show_plan(plan_fetch(sources, destination, options, home=home, archive=archive), as_json=as_json)
    with _ending(), _watching(is_shown=sys.stderr.isatty()) as watch:
        summary = fetch_all(sources, destination, replace(options, watch=watch), home=home, archive=archive)
    with going_on():
        _show(summary, destination, as_json=as_json)
    return _choose_code(summary)


def _find_home(ctx: click.Context) -> Path | None:
    """Return the home; a fetch needs none, but one that was named must be one."""
    named = ctx.find_root().obj
    try:
        return find_home(named, os.environ, Path.cwd())
    except UserError:
        if named or os.environ.get("RUNNER_HOME"):
            raise
        return None


def _unpacking(options: Options, archive: Archive) -> Options:
    """Return options by which archives are unpacked."""
    from runner.archive.fetch.members import unpack_archive

    return replace(options, act=partial(unpack_archive, largest_bytes=archive.fetch.largest))


def _choosing(options: Options, home: Path | None) -> Options:
    """Return options by which only that is fetched which the index of the home has not."""
    from runner.archive.fetch.worklist import choose_not_indexed

    if home is None:
        raise UserError("--not-indexed: the index is that of a home; name it by --home or RUNNER_HOME")
    return replace(options, choose=partial(choose_not_indexed, database_url=find_database(read_settings(home))))


def _choose_limits(archive: Archive, connections: int | None, per_host: int | None) -> Archive:
    fetch = archive.fetch
    fetch = replace(fetch, connections=connections or fetch.connections, per_host=per_host or fetch.per_host)
    return replace(archive, fetch=fetch)


def _show_plan(planned: Iterable[Planned], *, as_json: bool) -> int:
    try:
        if as_json:
            print_json(one.describe() for one in planned)
        else:
            for one in planned:
                size = "-" if one.size_bytes is None else str(one.size_bytes)
                reason = f": {one.reason}" if one.reason else ""
                click.echo(clean(f"{_DEEDS[one.deed]}  {size}  {one.name}  {one.url}{reason}"))
    except Refused as refused:
        say_lines([f"runner: {refused.reason}"])
        return TRY_LATER if refused.is_down else ANSWER_IS_NO
    return DONE


def _show(summary: Summary, destination: Path, *, as_json: bool) -> None:
    show_trouble(summary.warnings)
    say_lines(_describe_failure(result) for result in summary.results if result.result == FAILED)
    if as_json:
        print_json(result.describe() for result in summary.results)
        return
    counts = summary.counts
    click.echo(
        f"{counts[FETCHED]} fetched ({summary.fetched_bytes} bytes), {counts[PRESENT]} present,"
        f" {counts[FAILED]} failed: {clean(str(destination))}"
    )


def _describe_failure(result: Result) -> str:
    if not result.name:
        return f"runner: {result.source}: {result.reason}"
    return f"runner: {result.name}: {result.reason} ({result.url})"


def _choose_code(summary: Summary) -> int:
    if summary.down:
        return TRY_LATER
    return ANSWER_IS_NO if summary.counts[FAILED] else DONE


@contextmanager
def _ending() -> Iterator[None]:
    """End as the shell expects when a signal comes; what is on its way is kept, and gone on with by the next call."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        say_lines(["runner: interrupted; the next call goes on from here"])
        sys.exit(_SIGNALLED + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _watching(*, is_shown: bool) -> Iterator[Watch]:
    """Show a bar on a terminal, nothing elsewhere."""
    if not is_shown:
        yield Watch()
        return
    from runner.cli.bar import Bar

    with Bar() as bar:
        yield bar
