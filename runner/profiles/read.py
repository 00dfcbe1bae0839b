"""All profiles of a home: ``envs/*.yaml`` but the settings that live beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.document.faults import Faults, Wrong
from runner.document.parse import parse_document
from runner.document.tree import Scalar, is_empty
from runner.errors import Fault
from runner.home.settings import Settings
from runner.profiles.changes import make_changes
from runner.profiles.profile import PROFILE, RESERVED, Profile, profile_name


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles by name, and everything wrong with their files."""

    by_name: dict[str, Profile]
    faults: tuple[Fault, ...]


def read_profiles(settings: Settings) -> Profiles:
    """Return the profiles of a home; mistakes are in ``faults``, and a profile with one is left out."""
    found: dict[str, Profile] = {}
    faults: list[Fault] = []
    for path in sorted((settings.home / "envs").glob("*.yaml")):
        if path.stem not in RESERVED:
            in_file = Faults(f"envs/{path.name}")
            profile = parse_profile(path.stem, path.read_bytes(), settings, in_file)
            faults += in_file.found
            if profile:
                found[profile.name] = profile
    return Profiles(found, tuple(faults))


def parse_profile(name: str, data: bytes, settings: Settings, faults: Faults) -> Profile | None:
    """Return the profile in `data`; None if `faults` says why not."""
    before = len(faults.found)
    top = Scalar("", 1, 1, True)
    root = parse_document(data, faults)
    given = {}
    try:
        profile_name(name)
        given = {} if root is None or is_empty(root) else PROFILE.read(root, faults)
        profile = Profile(name, **{**PROFILE.defaults, **_split_name(name, settings), **given})
        make_changes(profile, settings)
    except Wrong as wrong:
        faults.wrong(root or top, wrong)
    return None if len(faults.found) > before else profile


def list_profile_files(home: Path) -> list[str]:
    """Return the names that profile files have, right or wrong: what completion and hints offer."""
    return sorted(path.stem for path in (home / "envs").glob("*.yaml") if path.stem not in RESERVED)


def _split_name(name: str, settings: Settings) -> dict[str, str]:
    """Return site and environment that the name itself says: split at its last ``-``, if both are declared."""
    site, _, environment = name.rpartition("-")
    if site in dict(settings.sites) and environment in settings.environments:
        return {"site": site, "environment": environment}
    return {}
