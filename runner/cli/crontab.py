"""``runner crontab``: what the installed crontab is, what it would become, and making it so."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli.complete import complete_targets
from runner.cli.context import dry_run_option, get_home, get_target, json_option, yes_option
from runner.cli.explain import explain_command
from runner.cli.output import print_json
from runner.crontab.account import acting_as
from runner.crontab.compile import name_block
from runner.crontab.install import Answer, Order, install, preview_install, uninstall
from runner.crontab.meaning import format_local
from runner.crontab.output import compile_fragment, make_output, select_entries
from runner.crontab.preview import Preview, Wanted, encode_preview
from runner.crontab.tables import find_crontab
from runner.errors import ANSWER_IS_NO, DONE, FaultsFound, UserError
from runner.home.here import read_host, read_user
from runner.home.machine import write_machine_files
from runner.home.settings import Settings, Target, read_settings
from runner.launch.gates import read_place
from runner.launch.hosts import matches_host
from runner.launch.instant import format_slot
from runner.launch.plan import Plan
from runner.launch.slot import use_zone
from runner.plans.installed import keep_installed, note_installed
from runner.plans.load import LoadedHome, load_home
from runner.plans.write import compare_output, remove_output, write_output
from runner.plans.zone import is_same_zone, read_host_zone

target_option = click.option(
    "--target", metavar="T", shell_complete=complete_targets, help="The target; by default that of this host and user."
)


@click.group("crontab")
def crontab_command() -> None:
    """Show, install and take out our block of a crontab; every other byte of it stays as it is."""


crontab_command.add_command(explain_command)


@crontab_command.command("diff", short_help="what an install would change; exit 1 if anything")
@target_option
@json_option
@click.pass_context
def diff_command(ctx: click.Context, target: str | None, as_json: bool) -> int:
    """Show what an install would change: the text, and what it means for the next firings. Exit 1 if anything."""
    loaded = load_home(get_home(ctx))
    chosen = _choose_target(loaded.settings, target)
    preview = preview_install(_want(loaded, chosen), find_crontab(chosen.user, os.environ), time.time())
    _show(preview, as_json=as_json)
    return 1 if preview.changed else 0


@crontab_command.command("install", short_help="compile, show what changes, ask, and do it")
@target_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def install_command(ctx: click.Context, target: str | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Compile, show what changes, ask, and put our block into the crontab. Nothing fires because of an install."""
    loaded = load_home(get_home(ctx))
    settings = loaded.settings
    chosen = _choose_target(settings, target)
    crontab = find_crontab(chosen.user, os.environ)
    wanted = _want(loaded, chosen)
    state = settings.state_of(chosen)
    files = make_output(loaded)
    differences = compare_output(settings.home, files)

    def compile_home() -> None:
        with acting_as(crontab.account):
            write_machine_files(settings.home)
            write_output(settings.home, files, differences)

    def confirm(_: Preview) -> bool:
        agreed = yes or _ask()
        if agreed:
            compile_home()  # plans are there before their lines (CRON-54)
        return agreed

    order = Order(
        wanted,
        crontab,
        time.time(),
        show=lambda preview: _show(preview, as_json=as_json),
        confirm=confirm,
        home=settings.home,
        state=state,
        dry_run=dry_run,
    )
    answer = install(order)
    if answer is Answer.UNCHANGED and not dry_run:
        compile_home()
    if answer is Answer.DONE or (answer is Answer.UNCHANGED and not dry_run):
        with acting_as(crontab.account):
            note_installed(state, _select_plans(loaded, wanted), order.now)
            remove_output(settings.home, keep_installed(differences, settings).superfluous)
    return _report(answer, as_json=as_json, done=f"installed: {len(wanted.entries)} jobs for {chosen.user}")


def _select_plans(loaded: LoadedHome, wanted: Wanted) -> list[Plan]:
    names = {entry.plan for entry in wanted.entries}
    return [one.plan for one in loaded.planned if one.plan.name in names]


@crontab_command.command("uninstall", short_help="take our block out of the crontab")
@target_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def uninstall_command(ctx: click.Context, target: str | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Take our block out of the crontab; needs nothing but the crontab and the names in envs/site.yaml."""
    place = _find_place(get_home(ctx), target)
    wanted = Wanted(name_block(place.home, place.target), place.target, read_host(), place.user)
    order = Order(
        wanted,
        find_crontab(place.user, os.environ),
        time.time(),
        show=lambda preview: _show(preview, as_json=as_json),
        confirm=lambda _: yes or _ask(),
        state=place.state if place.state.is_dir() else None,
        dry_run=dry_run,
    )
    answer = uninstall(order)
    if answer is Answer.DONE and order.state:
        with acting_as(order.crontab.account):
            note_installed(order.state, [], order.now)
    return _report(answer, as_json=as_json, done="our block is out of the crontab")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose block is meant: all that an uninstall needs to know."""

    home: str
    target: str
    user: str
    state: Path


def _find_place(home: Path, target: str | None) -> Place:
    """Return the block of this home; where the settings are damaged, as it was when it was last compiled (CRON-64)."""
    try:
        settings = read_settings(home)
    except FaultsFound:
        compiled = read_place(str(home))
        names = [one.name for one in compiled.plan.targets if target in (None, one.name)]
        if not names:
            raise
        return Place(compiled.plan.name, names[0], read_user(), Path(compiled.state))
    chosen = get_target(settings, target)
    return Place(settings.name, chosen.name, chosen.user, settings.state_of(chosen))


def _choose_target(settings: Settings, name: str | None) -> Target:
    """Return the target whose lines are to stand in a crontab of this host, and show its slots in its zone.

    UserError if its lines would mean something else here: those of another host, read in another zone
    (CRON-39), calling another home.
    """
    target = get_target(settings, name)
    home, zone = Path(target.home or settings.home), read_host_zone()
    if not matches_host(target.hosts, read_host()):
        raise UserError(f"target {target.name} is for {' '.join(target.hosts)}; this host is {read_host()}")
    if target.timezone and not is_same_zone(target.timezone, zone):
        raise UserError(f"target {target.name} is in {target.timezone}; cron goes by the zone of this host, {zone}")
    if home.resolve() != settings.home:
        raise UserError(f"target {target.name} has its home in {home}; this home is {settings.home}")
    use_zone(target.timezone or None)
    return target


def _want(loaded: LoadedHome, target: Target) -> Wanted:
    settings = loaded.settings
    return Wanted(
        name_block(settings.name, target.name),
        target.name,
        read_host(),
        target.user,
        block=compile_fragment(loaded, target),
        entries=select_entries(loaded.planned, settings, target),
        warnings=tuple(str(fault).replace(" warning:", "", 1) for fault in loaded.warnings),
    )


def _ask() -> bool:
    """Ask on a terminal; elsewhere nobody can answer, and the command was given on purpose."""
    try:
        return not sys.stdin.isatty() or click.confirm("Go on?", default=False, err=True)
    except click.Abort:  # Ctrl-C or Ctrl-D is a no
        return False


def _report(answer: Answer, *, as_json: bool, done: str) -> int:
    texts = {
        Answer.DONE: done,
        Answer.UNCHANGED: "nothing to change",
        Answer.SHOWN: "dry run: nothing was changed",
        Answer.DECLINED: "nothing was changed",
    }
    if not as_json:
        click.echo(texts[answer])
    return ANSWER_IS_NO if answer is Answer.DECLINED else DONE


def _show(preview: Preview, *, as_json: bool) -> None:
    """Print what would change, and what that means (CRON-60, CRON-61)."""
    if as_json:
        print_json([encode_preview(preview)])
        return
    for warning in preview.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not preview.changed:
        return
    click.echo(preview.text_diff, nl=False)
    for job in preview.jobs:
        click.echo(f"\n{job.change} {job.plan}")
        _show_slots("before", job.before)
        _show_slots("after", job.after)
    foreign = preview.foreign
    where = f", {foreign.below} of them below our block" if foreign.below else ""
    click.echo(f"\nforeign lines: {foreign.lines}, unchanged{where}")
    if preview.longest_bytes:
        click.echo(f"longest line: {preview.longest_bytes} of {preview.limit_bytes} bytes")
    soon = [f"{plan} at {format_slot(slot)}" for slot, plan in preview.soon]
    click.echo(f"fires in the next 10 minutes: {', '.join(soon) or 'nothing'}")


def _show_slots(name: str, slots: tuple[int, ...]) -> None:
    for slot in slots:
        click.echo(f"  {name:<6} {format_slot(slot)}   {format_local(slot)}")
        name = ""
