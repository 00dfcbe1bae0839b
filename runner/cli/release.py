"""``runner release``: from commits of a repository to the release in use, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from runner.cli.complete import complete_releases
from runner.cli.context import ask, dry_run_option, json_option, target_option, yes_option
from runner.cli.output import print_json, print_table, say_lines
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.audit import Audit
from runner.home.settings import read_settings
from runner.releases.base import Base, find_base_of, locked, make_base, read_current
from runner.releases.build import Order, Task, build_release, find_work, tell_failure
from runner.releases.prune import Pruned, find_runs, prune
from runner.releases.record import Build, State, describe, get_before, get_named, read_builds
from runner.releases.switch import Crontab, complete_switch, record, switch

base_option: Callable[[Any], Any] = click.option(
    "--base",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory of the releases; else that of the home, else the nearest upwards.",
)
no_crontab_option: Callable[[Any], Any] = click.option(
    "--no-crontab", is_flag=True, help="Leave the crontab to the account that it belongs to."
)


@click.group("release")
def release_command() -> None:
    """Build releases of a home from a git repository, and choose the one in use."""


@release_command.command("build", short_help="fetch, build, prove and switch to the newest commit")
@base_option
@click.option("--remote", metavar="URL", help="The repository, https, ssh or file; remembered.")
@click.option("--branch", metavar="B", help="Its branch, main unless given; remembered.")
@click.option("--again", is_flag=True, help="Even a commit that was refused, or switched away from.")
@target_option
@no_crontab_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def build_command(
    ctx: click.Context,
    base: Path | None,
    remote: str | None,
    branch: str | None,
    again: bool,
    target: str | None,
    no_crontab: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make the newest commit the release in use, if it proves itself; else all stays as it is.

    Exit 1 if the commit is refused, now or by a build before: stderr has its author and the end of the log. Exit 75 if
    the remote, a package index or the crontab cannot be had, or if another build is going on.
    """
    there = _find_base(ctx, base)
    crontab = Crontab(target, no_crontab)
    if dry_run and (remote or branch):
        raise UserError("--dry-run is of the remote and branch that are remembered; leave them out")
    if remote:
        make_base(there)
    with locked(there) as lock:
        if not dry_run:
            complete_switch(there, crontab, lock)
        found = find_work(there, Order(remote, branch, again), lock)
        if found.task in (Task.NOTHING, Task.LEAVE):
            return _report_build(there, found.build, str(found.task), as_json=as_json)
        if found.task is Task.TELL:
            return _report_refused(there, found.build, as_json=as_json)
        if dry_run:
            return _report_build(there, found.build, "would be built", as_json=as_json)
        if not _agree([f"{found.task} {describe(found.build)}"], yes=yes, as_json=as_json):
            return _report_build(there, found.build, "declined", as_json=as_json)
        build = build_release(there, found, lock) if found.task is Task.BUILD else found.build
        if build.state == State.REFUSED:
            record(there, Audit("release build", f"refused {build.commit}", detail=build.reason), crontab)
            return _report_refused(there, build, as_json=as_json)
        switch(there, build, crontab, lock, "release build")
        _prune(there, read_settings(there.release(build.commit)).release.keep, crontab)
        return _report_build(there, build, "built", as_json=as_json)


def _report_build(base: Base, build: Build, what: str, *, as_json: bool) -> int:
    if as_json:
        print_json([{"commit": build.commit, "author": build.author, "subject": build.subject, "result": what}])
        return DONE
    texts = {
        Task.NOTHING: "is in use already",
        Task.LEAVE: "was switched away from and stays so until a newer commit comes; --again takes it back",
        "built": f"is in use; {base.log(build.commit)}",
        "declined": "was not built",
    }
    click.echo(f"release {describe(build)}: {texts.get(what, what)}")
    return ANSWER_IS_NO if what == "declined" else DONE


def _report_refused(base: Base, build: Build, *, as_json: bool) -> int:
    """Say it on stderr each time: what is mailed of it, and when, is the wrapper's to decide (ALERT-4)."""
    if as_json:
        print_json([{"commit": build.commit, "author": build.author, "subject": build.subject, "result": "refused"}])
    say_lines(tell_failure(base, build).split("\n"))
    return ANSWER_IS_NO


@release_command.command("list", short_help="what was built, and which release is in use")
@base_option
@json_option
@click.pass_context
def list_command(ctx: click.Context, base: Path | None, as_json: bool) -> None:
    """List the builds, the newest first: commit, when, state, author, subject, and the runs that are in it."""
    there = _find_base(ctx, base)
    current = read_current(there)
    rows = [_make_row(there, build, current) for build in read_builds(there)]
    if as_json:
        print_json(rows)
        return
    columns = ("COMMIT", "BUILT", "STATE", "AUTHOR", "SUBJECT", "RUNS")
    cells = [
        (row["commit"][:12], row["built_at"][:19], row["state"], row["author"], row["subject"], " ".join(row["runs"]))
        for row in rows
    ]
    print_table(columns, cells, {"current": "green", "refused": "red", "removed": "dim"})


def _make_row(base: Base, build: Build, current: str) -> dict[str, Any]:
    is_there = build.state == State.BUILT
    return {
        "commit": build.commit,
        "built_at": build.built_at,
        "current_at": build.current_at,
        "author": build.author,
        "subject": build.subject,
        "state": "current" if build.commit == current else "kept" if is_there else build.state,
        "reason": f"{build.step}: {build.reason}" if build.step else "",
        "runs": find_runs(base, build.commit) if is_there and current else [],
        "log": str(base.log(build.commit)),
    }


@release_command.command("switch", short_help="make another release that is kept the one in use")
@click.argument("commit", shell_complete=complete_releases)
@base_option
@target_option
@no_crontab_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def switch_command(
    ctx: click.Context,
    commit: str,
    base: Path | None,
    target: str | None,
    no_crontab: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make the release of COMMIT, or of the only one that begins so, the one in use, and install its crontab.

    Needs no network. Runs that go on stay in the release that they began in.
    """
    there = _find_base(ctx, base)
    with locked(there) as lock:
        chosen = get_named(read_builds(there), commit)
        return _go_to(there, chosen, Crontab(target, no_crontab), lock, yes=yes, dry_run=dry_run, as_json=as_json)


@release_command.command("rollback", short_help="go back to the release before")
@base_option
@target_option
@no_crontab_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def rollback_command(
    ctx: click.Context,
    base: Path | None,
    target: str | None,
    no_crontab: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make the release before the one in use the one in use, and install its crontab; once more goes back one more.

    Needs no network. The next build does not undo it: only a newer commit is built and switched to.
    """
    there = _find_base(ctx, base)
    with locked(there) as lock:
        chosen = get_before(read_builds(there), read_current(there))
        crontab = Crontab(target, no_crontab)
        return _go_to(
            there, chosen, crontab, lock, yes=yes, dry_run=dry_run, as_json=as_json, action="release rollback"
        )


def _go_to(
    base: Base,
    chosen: Build,
    crontab: Crontab,
    lock: int,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    action: str = "release switch",
) -> int:
    if not dry_run:
        complete_switch(base, crontab, lock)
    before = read_current(base)
    changes = before != chosen.commit
    if changes and not dry_run:
        if not _agree([f"switch to {describe(chosen)}"], yes=yes, as_json=as_json):
            click.echo("nothing was changed")
            return ANSWER_IS_NO
        switch(base, chosen, crontab, lock, action)
    if as_json:
        print_json([{"commit": chosen.commit, "before": before, "changed": changes}])
    elif not changes:
        click.echo(f"release {describe(chosen)}: is in use already")
    else:
        click.echo(f"release {describe(chosen)}: {'would be' if dry_run else 'is'} in use")
    return DONE


@release_command.command("prune", short_help="remove releases that are not to be kept")
@base_option
@click.option("--keep", type=click.IntRange(min=1), help="How many are kept; else release.keep of envs/site.yaml.")
@yes_option
@dry_run_option
@json_option
@click.pass_context
def prune_command(
    ctx: click.Context, base: Path | None, keep: int | None, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Remove all releases but the newest N, and the environments that only those needed. One in use stays."""
    there = _find_base(ctx, base)
    with locked(there):
        current = read_current(there)
        if not current:
            raise UserError(f"no release is in use in {there.path}; nothing to prune")
        number = keep or read_settings(there.release(current)).release.keep
        planned = prune(there, number, dry_run=True)
        going = [one for one in planned if one.is_removed]
        if dry_run or not going:
            return _report_pruned(planned, as_json=as_json, would="would be ")
        if not _agree([f"remove {describe(one.build)}" for one in going], yes=yes, as_json=as_json):
            click.echo("nothing was changed")
            return ANSWER_IS_NO
        return _report_pruned(_prune(there, number, Crontab()), as_json=as_json)


def _prune(base: Base, keep: int, crontab: Crontab) -> list[Pruned]:
    pruned = prune(base, keep)
    if names := " ".join(one.build.commit for one in pruned if one.is_removed):
        record(base, Audit("release prune", f"keep {keep}", detail=names), crontab)
    return pruned


def _report_pruned(pruned: list[Pruned], *, as_json: bool, would: str = "") -> int:
    if as_json:
        print_json({"commit": one.build.commit, "removed": one.is_removed, "users": list(one.users)} for one in pruned)
        return DONE
    for one in pruned:
        what = f"{would}removed" if one.is_removed else f"stays: {', '.join(one.users)}"
        click.echo(f"release {describe(one.build)}: {what}")
    if not pruned:
        click.echo("nothing to remove")
    return DONE


def _find_base(ctx: click.Context, option: Path | None) -> Base:
    return find_base_of(option, ctx.find_root().obj, os.environ, Path.cwd())


def _agree(deeds: Iterable[str], *, yes: bool, as_json: bool) -> bool:
    """Show what will be done, on stdout as of a job that does it each hour, and ask unless told not to."""
    if not as_json:
        click.echo("\n".join(deeds))
    return yes or ask()
