"""Which crontab a command is about: the target, its block, and what shall stand there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.context import get_target
from runner.crontab.backups import list_backups
from runner.crontab.output import compile_fragment, select_entries
from runner.crontab.places import Spot
from runner.crontab.preview import Wanted
from runner.crontab.repair import list_written
from runner.crontab.shared import list_scripts
from runner.errors import FaultsFound, UserError
from runner.home.account import get_account
from runner.home.here import read_host, read_user
from runner.home.release import find_entrance
from runner.home.settings import Settings, Target, read_settings
from runner.launch.gates import read_place
from runner.launch.hosts import matches_host
from runner.launch.installed import Installed, read_installed
from runner.launch.slot import use_zone
from runner.plans.load import LoadedHome
from runner.plans.write import OUTPUT
from runner.plans.zone import is_same_zone, read_host_zone


@dataclass(frozen=True, slots=True)
class Place:
    """Whose block is meant, and the state directory: all that an uninstall needs to know."""

    spot: Spot
    state: Path


def find_place(home: Path, target: str | None) -> Place:
    """Return the block of this home; where the settings are damaged, as it was when it was last compiled (CRON-64)."""
    try:
        settings = read_settings(home)
    except FaultsFound:
        return _find_compiled_place(home, target)
    chosen = get_target(settings, target)
    return Place(make_spot(settings, chosen), settings.state_of(chosen))


def _find_compiled_place(home: Path, target: str | None) -> Place:
    compiled = read_place(str(home))
    chosen = next((one for one in compiled.plan.targets if target in (None, one.name)), None)
    if chosen is None:
        raise UserError(f"no target of {home} is known: envs/site.yaml cannot be read, and nothing was compiled")
    user = chosen.user if target else read_user()
    state = chosen.state.replace("{home}", str(home), 1) if target else compiled.state
    return Place(Spot(compiled.plan.name, chosen.name, user), Path(state))


def make_spot(settings: Settings, target: Target) -> Spot:
    """Return the block of a target."""
    return Spot(settings.name, target.name, target.user, target.kind, target.cron)


def choose_target(settings: Settings, name: str | None) -> Target:
    """Return the target whose lines are to stand in a crontab of this host, and show its slots in its zone.

    UserError if its lines would mean something else here: those of another host, read in another zone
    (CRON-39), calling another home.
    """
    target = get_target(settings, name)
    home, zone = Path(target.home or find_entrance(settings.home)), read_host_zone()
    if not matches_host(target.hosts, read_host()):
        raise UserError(f"target {target.name} is for {' '.join(target.hosts)}; this host is {read_host()}")
    if target.timezone and not is_same_zone(target.timezone, zone):
        raise UserError(f"target {target.name} is in {target.timezone}; cron goes by the zone of this host, {zone}")
    if home.resolve() != settings.home:
        raise UserError(f"target {target.name} has its home in {home}; this home is {settings.home}")
    use_zone(target.timezone or None)
    return target


def allow_mending(wanted: Wanted, state: Path, home: Path, *, overwrite_edits: bool, repair: bool) -> Wanted:
    """Return the wish with what a person lets it do to a block that is not as we wrote it (CRON-48)."""
    if not repair:
        return replace(wanted, overwrite_edits=overwrite_edits)
    fragment = home / OUTPUT / f"{wanted.target}.crontab"
    texts = [path.read_bytes() for path in (*list_backups(state, wanted.target), fragment) if path.exists()]
    written = list_written([*texts, wanted.block.encode()], wanted.name)
    return replace(wanted, overwrite_edits=overwrite_edits, written=written)


def make_wanted(spot: Spot, state: Path) -> Wanted:
    """Return the wish for a block without lines: for the one there to be taken out."""
    is_system = spot.kind == "cron-d"
    return Wanted(spot.block, spot.target, read_host(), spot.user, system=is_system, installed=_read_installed(state))


def _read_installed(state: Path) -> dict[str, Installed]:
    """Return what is known of the installed plans besides their lines; where it cannot be read, nothing."""
    try:
        return read_installed(str(state))
    except OSError:
        return {}


def want_block(loaded: LoadedHome, target: Target) -> Wanted:
    """Return what shall stand in the crontab of a target by its registry."""
    settings = loaded.settings
    return replace(
        make_wanted(make_spot(settings, target), settings.state_of(target)),
        block=compile_fragment(loaded, target),
        entries=select_entries(loaded.planned, settings, target),
        scripts=list_scripts(settings.home, loaded.planned, Path(get_account(target.user).pw_dir)),
        warnings=tuple(str(fault).replace(" warning:", "", 1) for fault in loaded.warnings),
    )
