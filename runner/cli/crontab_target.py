"""Which crontab a command is about: the target and its block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.context import get_target
from runner.crontab.backups import list_backups
from runner.crontab.places import Spot
from runner.crontab.preview import Wanted
from runner.crontab.repair import list_written
from runner.crontab.want import check_target, make_spot
from runner.errors import FaultsFound, UserError
from runner.home.here import read_user
from runner.home.settings import Settings, Target, read_settings
from runner.launch.gates import read_place
from runner.launch.slot import use_zone
from runner.plans.write import OUTPUT


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


def choose_target(settings: Settings, name: str | None) -> Target:
    """Return the target whose lines are to stand in a crontab of this host, and show its slots in its zone.

    UserError if its lines would mean something else here: those of another host, read in another zone
    (CRON-39), calling another home.
    """
    target = get_target(settings, name)
    check_target(settings, target)
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
