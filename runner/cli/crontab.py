"""``runner crontab``: what the installed crontab is, what it would become, and making it so."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import click

from runner.cli.context import ask, dry_run_option, get_home, json_option, target_option, yes_option
from runner.cli.crontab_target import allow_mending, choose_target, find_place
from runner.cli.explain import explain_command
from runner.cli.output import going_on, print_json
from runner.cli.verify import verify_command
from runner.crontab.backups import get_backup
from runner.crontab.entry import recall_zones
from runner.crontab.install import install, preview_install, roll_back, uninstall
from runner.crontab.meaning import format_local
from runner.crontab.order import Answer, Order
from runner.crontab.output import make_output, read_compiled_entries
from runner.crontab.places import check_right, find_elsewhere, find_links, find_standing, find_table
from runner.crontab.preview import Preview, Wanted, encode_preview
from runner.crontab.rollback import find_moved, plan_as_installed, want_block_of_then
from runner.crontab.want import make_spot, make_wanted, want_block
from runner.errors import ANSWER_IS_NO, DONE
from runner.home.account import acting_as, get_owner
from runner.home.machine import write_machine_files
from runner.home.release import is_sealed
from runner.home.settings import read_settings
from runner.launch.instant import format_slot
from runner.launch.plan import Plan
from runner.plans.installed import keep_installed, note_installed
from runner.plans.load import LoadedHome, load_home
from runner.plans.trusted import find_executed
from runner.plans.write import compare_output, read_compiled_plans, remove_output, write_output

overwrite_option = click.option(
    "--overwrite-edits", is_flag=True, help="Let go what was edited by hand in our block; it stays in the backup."
)
repair_option = click.option(
    "--repair",
    is_flag=True,
    help="Where the marks of our block are damaged: take out those and the lines that we wrote.",
)


@click.group("crontab")
def crontab_command() -> None:
    """Show, install and take out our block of a crontab; every other byte of it stays as it is."""


crontab_command.add_command(verify_command)
crontab_command.add_command(explain_command)


@crontab_command.command("diff", short_help="what an install would change; exit 1 if anything")
@target_option
@json_option
@click.pass_context
def diff_command(ctx: click.Context, target: str | None, as_json: bool) -> int:
    """Show what an install would change: the text, and what it means for the next firings. Exit 1 if anything."""
    loaded = load_home(get_home(ctx))
    chosen = choose_target(loaded.settings, target)
    spot = make_spot(loaded.settings, chosen)
    preview = preview_install(
        Order(
            want_block(loaded, chosen),
            find_table(spot, os.environ),
            time.time(),
            show=lambda _: None,
            confirm=lambda _: False,
            elsewhere=find_elsewhere(spot, os.environ),
        )
    )
    _show(preview, as_json=as_json)
    return 1 if preview.changed else 0


@crontab_command.command("install", short_help="compile, show what changes, ask, and do it")
@target_option
@overwrite_option
@repair_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def install_command(
    ctx: click.Context,
    target: str | None,
    overwrite_edits: bool,
    repair: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Compile, show what changes, ask, and put our block into the crontab. Nothing fires because of an install."""
    loaded = load_home(get_home(ctx))
    settings = loaded.settings
    chosen = choose_target(settings, target)
    spot = make_spot(settings, chosen)
    crontab = find_table(spot, os.environ)
    check_right(crontab)
    state = settings.state_of(chosen)
    wanted = want_block(loaded, chosen)
    wanted = allow_mending(wanted, state, settings.home, overwrite_edits=overwrite_edits, repair=repair)
    files = make_output(loaded)
    differences = compare_output(settings.home, files)
    owner = get_owner(settings.home, crontab.account)

    def compile_home() -> None:
        if is_sealed(settings.home):  # all in it was made when it was built
            return
        with acting_as(owner):
            write_machine_files(settings.home)
            write_output(settings.home, files, differences)

    def confirm(_: Preview) -> bool:
        agreed = yes or ask()
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
        executed=find_executed(settings, loaded.planned, state),
        elsewhere=find_elsewhere(spot, os.environ),
        dry_run=dry_run,
    )
    answer = install(order)
    if answer is Answer.UNCHANGED and not dry_run:
        compile_home()
    if answer is Answer.DONE or (answer is Answer.UNCHANGED and not dry_run):
        with acting_as(crontab.account):
            note_installed(state, _select_plans(loaded, wanted), order.now)
        if not is_sealed(settings.home):
            unneeded = keep_installed(differences, settings).superfluous
            with acting_as(owner):
                remove_output(settings.home, unneeded)
    return _report(answer, as_json=as_json, done=f"installed: {len(wanted.entries)} jobs for {chosen.user}")


def _select_plans(loaded: LoadedHome, wanted: Wanted) -> list[Plan]:
    names = {entry.plan for entry in wanted.entries}
    return [one.plan for one in loaded.planned if one.plan.name in names]


@crontab_command.command("uninstall", short_help="take our block out of the crontab")
@target_option
@overwrite_option
@repair_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def uninstall_command(
    ctx: click.Context,
    target: str | None,
    overwrite_edits: bool,
    repair: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take our block out of the crontab; needs nothing but the crontab and the names in envs/site.yaml."""
    home = get_home(ctx)
    place = find_place(home, target)
    spot = place.spot
    crontab = find_standing(spot, os.environ)
    check_right(crontab)
    wanted = replace(make_wanted(spot, place.state), system=crontab.system)
    order = Order(
        allow_mending(wanted, place.state, home, overwrite_edits=overwrite_edits, repair=repair),
        crontab,
        time.time(),
        show=lambda preview: _show(preview, as_json=as_json),
        confirm=lambda _: yes or ask(),
        state=place.state if place.state.is_dir() else None,
        elsewhere=find_links(crontab, find_elsewhere(spot, os.environ)),
        dry_run=dry_run,
    )
    answer = uninstall(order)
    if order.state and (answer is Answer.DONE or (answer is Answer.UNCHANGED and not dry_run)):
        with acting_as(order.crontab.account):
            note_installed(order.state, [], order.now)
    return _report(answer, as_json=as_json, done="our block is out of the crontab")


@crontab_command.command("rollback", short_help="put a block of then, kept at its replacement, back")
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), default=1)
@target_option
@yes_option
@dry_run_option
@json_option
@click.pass_context
def rollback_command(
    ctx: click.Context, number: int, target: str | None, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Put our block as it was N changes ago (1: before the last) into the crontab; other lines stay as they are now.

    Plans are those of today: exit 2 if a line has none.
    """
    settings = read_settings(get_home(ctx))
    chosen = choose_target(settings, target)
    spot = make_spot(settings, chosen)
    crontab, state = find_table(spot, os.environ), settings.state_of(chosen)
    check_right(crontab)
    backup = get_backup(state, chosen.name, number)
    then = want_block_of_then(backup.read_bytes(), make_wanted(spot, state), str(backup))
    plans = {plan.name: plan for plan in read_compiled_plans(settings.home)}
    moved = find_moved(then.entries, read_compiled_entries(settings.home, chosen), plans)
    wanted = replace(then, entries=recall_zones(then.entries, plans), warnings=tuple(moved))
    order = Order(
        wanted,
        crontab,
        time.time(),
        show=lambda preview: _show(preview, as_json=as_json),
        confirm=lambda _: yes or ask(),
        home=settings.home,
        state=state,
        executed=find_executed(settings, (), state),
        elsewhere=find_elsewhere(spot, os.environ),
        dry_run=dry_run,
    )
    answer = roll_back(order)
    if answer is Answer.DONE or (answer is Answer.UNCHANGED and not dry_run):
        with acting_as(crontab.account):
            note_installed(state, [plan_as_installed(one, plans[one.plan]) for one in wanted.entries], order.now)
    return _report(answer, as_json=as_json, done=f"rolled back: {len(wanted.entries)} jobs for {chosen.user}")


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
    with going_on():
        _print(preview, as_json=as_json)


def _print(preview: Preview, *, as_json: bool) -> None:
    if as_json:
        print_json([encode_preview(preview)])
        return
    for warning in preview.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not preview.changed:
        return
    click.echo(preview.text_diff or "the lines of the crontab stay as they are\n", nl=False)
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
