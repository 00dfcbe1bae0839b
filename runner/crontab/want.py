"""What shall stand in the crontab of a target by its registry, and what stands there now."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from runner.crontab.block import has_block
from runner.crontab.output import compile_fragment, select_entries
from runner.crontab.places import Spot, find_copies, find_elsewhere
from runner.crontab.preview import Wanted
from runner.crontab.shared import list_scripts
from runner.crontab.tables import Table
from runner.crontab.verify import Seen
from runner.errors import UserError
from runner.home.account import get_account
from runner.home.here import read_host
from runner.home.release import find_entrance
from runner.home.settings import Settings, Target
from runner.launch.hosts import matches_host
from runner.launch.installed import Installed, read_installed
from runner.plans.load import LoadedHome
from runner.plans.zone import is_same_zone, read_host_zone


def make_spot(settings: Settings, target: Target) -> Spot:
    """Return the block of a target."""
    return Spot(settings.name, target.name, target.user, target.kind, target.cron)


def check_target(settings: Settings, target: Target) -> None:
    """Raise UserError if the lines of a target would mean something else in a crontab of this host.

    Those of another host, read in another zone (CRON-39), calling another home.
    """
    home, zone = Path(target.home or find_entrance(settings.home)), read_host_zone()
    if not matches_host(target.hosts, read_host()):
        raise UserError(f"target {target.name} is for {' '.join(target.hosts)}; this host is {read_host()}")
    if target.timezone and not is_same_zone(target.timezone, zone):
        raise UserError(f"target {target.name} is in {target.timezone}; cron goes by the zone of this host, {zone}")
    if home.resolve() != settings.home:
        raise UserError(f"target {target.name} has its home in {home}; this home is {settings.home}")


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


def look_at(spot: Spot, table: Table) -> Seen:
    """Return the crontab of a block as it is, and where else on this host the block stands."""
    elsewhere = [one.name for one in find_elsewhere(spot, os.environ) if has_block(one.read() or b"", spot.block)]
    copies = find_copies(spot, os.environ) if spot.kind == "cron-d" else {}
    flaws = table.find_flaws(table.read_dialect())
    return Seen(table.name, table.read(), tuple(flaws), tuple(elsewhere), tuple(copies.items()))
