"""``runner profile list|show|diff|capture``: what profiles there are, what they do, and their snapshots."""

from __future__ import annotations

import os
import time

import click

from runner.cli.complete import complete_profiles
from runner.cli.context import dry_run_option, get_home, json_option
from runner.cli.output import clean, print_json, print_table
from runner.cli.times import show_duration
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.here import find_state, read_host
from runner.home.settings import Settings, read_settings
from runner.launch.environment import base_environment
from runner.launch.gates import Place, read_place
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.launch.snapshot import identify_activation, keep_snapshot
from runner.launch.state import make_state
from runner.profiles.capture import Capture, activate
from runner.profiles.changes import make_activation
from runner.profiles.overview import (
    describe_change,
    find_differences,
    find_hidden,
    list_requirements,
    list_settings,
    make_row,
)
from runner.profiles.profile import Profile
from runner.profiles.properties.accept import read_strictly
from runner.profiles.properties.files import list_files
from runner.profiles.properties.values import is_secret_key
from runner.profiles.read import expand_capo_path, read_profiles
from runner.profiles.snapshots import admit_people, capture_snapshot, list_sources
from runner.profiles.use import get_profile


def find_place(settings: Settings) -> Place:
    """Return this home on this machine; it need not be compiled."""
    place = read_place(str(settings.home))
    place.state = str(find_state(settings))
    return place


def activate_now(profile: Profile, settings: Settings, place: Place) -> Capture:
    """Activate a profile at this very moment; UserError with the failing line."""
    activation = make_activation(profile, settings)
    try:
        return activate(activation, profile.name, _begin(place), place.home, Log("", -1, 0))
    except CannotStart as cause:
        raise UserError(str(cause)) from None


def _begin(place: Place) -> dict[str, str]:
    return base_environment(place.user, place.user_home)


@click.command("list", short_help="the profiles, their sites and snapshots")
@json_option
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> int:
    """Show the profiles: sites and environments, snapshots, old names. A star marks the site of this host."""
    settings = read_settings(get_home(ctx))
    profiles = read_profiles(settings)
    state, host, now = str(find_state(settings)), read_host(), time.time()
    rows = [make_row(profile, settings, state, host, now) for _, profile in sorted(profiles.by_name.items())]
    for fault in profiles.faults:
        click.echo(str(fault), err=True)
    if as_json:
        print_json(row.describe() for row in rows)
        return DONE
    columns = ("profile", "site", "environment", "mode", "snapshot", "formerly", "description")
    marks = {True: "*", False: "", None: ""}
    cells = []
    for row in rows:
        age = f"{row.snapshot}, {show_duration(row.snapshot_age_s)}" if row.snapshot_age_s is not None else "-"
        formerly = " ".join(row.renamed_from) or "-"
        site = f"{row.site}{marks[row.here]}"
        cells.append((row.profile, site or "-", row.environment or "-", row.mode, age, formerly, row.description))
    print_table(columns, cells, {"fresh,": "green"})
    return DONE


@click.command("show", short_help="every variable, and what set it")
@click.argument("profile", shell_complete=complete_profiles)
@json_option
@click.pass_context
def show_command(ctx: click.Context, profile: str, as_json: bool) -> int:
    """Activate PROFILE and show every variable with the key that set it; secrets are masked."""
    settings = read_settings(get_home(ctx))
    found, place = get_profile(settings, profile), find_place(settings)
    variables = list_settings(activate_now(found, settings, place), _begin(place), found, settings)
    if as_json:
        print_json(one.describe() for one in variables)
    else:
        print_table(("variable", "value", "set by"), [(one.name, one.value, one.origin) for one in variables], {})
    return DONE


@click.command("diff", short_help="two profiles, or one and your shell")
@click.argument("profile", shell_complete=complete_profiles)
@click.argument("other", required=False, shell_complete=complete_profiles)
@click.option("--shell", is_flag=True, help="Compare with the shell that this is called from.")
@json_option
@click.pass_context
def diff_command(ctx: click.Context, profile: str, other: str | None, shell: bool, as_json: bool) -> int:
    """Show what differs between two profiles, or with --shell between PROFILE and your shell. Exit 1 if anything.

    Of two profiles it is variables, properties and requirements; values of secrets are masked.
    """
    if bool(other) == shell:
        raise UserError("name a second profile, or give --shell")
    settings = read_settings(get_home(ctx))
    place, first = find_place(settings), get_profile(settings, profile)
    one = activate_now(first, settings, place)
    if other:
        second = get_profile(settings, other)
        two = activate_now(second, settings, place)
        is_hidden = find_hidden([first, second], [one, two])
        differences = find_differences("variable", one.environment, two.environment, is_hidden)
        ours, theirs = [_read_properties(each, settings) for each in (first, second)]
        differences += find_differences("property", ours, theirs, is_secret_key)
        ours, theirs = [list_requirements(make_activation(each, settings)) for each in (first, second)]
        differences += find_differences("requirement", ours, theirs)
    else:
        differences = find_differences("variable", one.environment, os.environ, find_hidden([first], [one]))
    if as_json:
        print_json(difference.describe() for difference in differences)
    else:
        for difference in differences:
            for sign, name, value in (("-", profile, difference.one), ("+", other or "shell", difference.other)):
                if value is not None:
                    click.echo(clean(f"{sign} {name}: {difference.kind} {difference.name}={value}"))
    return ANSWER_IS_NO if differences else DONE


def _read_properties(profile: Profile, settings: Settings) -> dict[str, str]:
    """Return the properties of a profile by key; what is wrong with their files is told."""
    files = list_files(profile.capo.profile or profile.name, expand_capo_path(profile, settings))
    accepted = read_strictly(files, os.environ)
    for fault in accepted.faults:
        if fault.level == "error":
            click.echo(str(fault), err=True)
    return {key: one.value for key, one in accepted.properties.items()}


@click.command("capture", short_help="make a snapshot for the next runs")
@click.argument("profiles", nargs=-1, required=True, shell_complete=complete_profiles)
@dry_run_option
@click.option("--explain", is_flag=True, help="Show the key of the snapshot and each input with its digest.")
@click.pass_context
def capture_command(ctx: click.Context, profiles: tuple[str, ...], dry_run: bool, explain: bool) -> int:
    """Activate PROFILES, show what that changes, and keep it for the next runs."""
    settings = read_settings(get_home(ctx))
    place = find_place(settings)
    return max(_capture(get_profile(settings, name), settings, place, dry_run, explain) for name in profiles)


def _capture(profile: Profile, settings: Settings, place: Place, dry_run: bool, explain: bool) -> int:
    activation = make_activation(profile, settings)
    sources = list_sources(place.home, profile.name)
    begun = time.monotonic()
    try:
        captured = capture_snapshot(activation, profile.name, place, sources, Log("", -1, 0), time.time())
    except CannotStart as cause:
        if ": require: " in str(cause):
            click.echo(f"runner: {cause}", err=True)
            return ANSWER_IS_NO
        raise UserError(str(cause)) from None
    snapshot = captured.snapshot
    seconds = time.monotonic() - begun
    counts = f"{len(snapshot.changes)} changes, {len(snapshot.inputs)} inputs"
    click.echo(f"profile {profile.name}: {counts}, {seconds:.2f} s")
    for change in snapshot.changes:
        click.echo(clean(f"  {describe_change(change)}"))
    for one in snapshot.inputs if explain else ():
        click.echo(clean(f"  reads {one.path} {one.digest[:16] or one.facts}"))
    if explain:
        identity = identify_activation(activation, _begin(place), place.home, place.host)
        click.echo(f"  key {snapshot.digest} of identity {identity}")
    for note in captured.capture.notes:
        click.echo(clean(f"runner: profile {profile.name}: {note}"), err=True)
    if activation.mode != "snapshot":
        click.echo(f"  not kept: mode {activation.mode}")
    elif not dry_run:
        make_state(place.state)
        admit_people(snapshot, activation, profile, settings)
        keep_snapshot(place.state, snapshot, place.host)
    return DONE
