"""A home, read as a whole: settings, jobs, profiles, and all that is wrong with and between them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from runner.document.collector import collector_off
from runner.document.faults import check_faults
from runner.errors import Fault, FaultsFound
from runner.home.settings import Settings, read_settings
from runner.plans.check import check_home, check_jobs
from runner.plans.make import Planned, make_plans
from runner.plans.names import check_areas, check_names, rename_profiles
from runner.profiles.profile import Profile
from runner.profiles.read import read_profiles
from runner.registry.read import examine_registry


@dataclass(frozen=True, slots=True)
class LoadedHome:
    """A home without errors: its settings, its profiles and plans by name, and the warnings."""

    settings: Settings
    profiles: dict[str, Profile]
    planned: tuple[Planned, ...]
    warnings: tuple[Fault, ...]


def load_home(home: Path, now: float | None = None) -> LoadedHome:
    """Read a home and make its plans; FaultsFound names every mistake in one go.

    Parameters
    ----------
    now
        From when on a warning counts the next slots and clock changes; the clock's time unless given.
    """
    now = time.time() if now is None else now
    with collector_off():
        settings, faults = _read_settings(home)
        registry = examine_registry(home, now)
        faults += registry.faults
        if settings is None:
            raise FaultsFound(set(faults))
        profiles = read_profiles(settings)
        faults += profiles.faults
        jobs, renames = rename_profiles(registry.jobs, dict(settings.renamed))
        faults += renames
        faults += check_home(settings)
        faults += check_names(settings)
        faults += check_jobs(jobs, profiles.by_name, settings, now)
        faults += check_areas(jobs, profiles.by_name, settings)
        warnings = check_faults(faults)
        planned = make_plans(jobs, profiles.by_name, settings)
        return LoadedHome(settings, profiles.by_name, planned, warnings)


def _read_settings(home: Path) -> tuple[Settings | None, list[Fault]]:
    try:
        return read_settings(home), []
    except FaultsFound as found:
        return None, list(found.faults)
