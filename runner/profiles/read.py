"""All profiles of a home: ``envs/*.yaml`` but the settings that live beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.document.faults import Faults, Wrong, check_faults
from runner.document.parse import parse_document
from runner.document.tree import Mapping, Node, Scalar, is_empty
from runner.errors import Fault
from runner.home.settings import Settings
from runner.launch.environment import expand_path
from runner.profiles.changes import fill_placeholders, make_activation, make_capo_path, placeholder_values
from runner.profiles.profile import PROFILE, RESERVED, Profile, profile_name

# The keys in whose values placeholders are replaced.
_FILLED = ("activate", "path", "env", "capo", "watch", "require")


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles by name, and everything wrong with their files."""

    by_name: dict[str, Profile]
    faults: tuple[Fault, ...]


def read_profiles(settings: Settings) -> Profiles:
    """Return the profiles of a home; mistakes are in ``faults``, and a profile with one is left out."""
    found: dict[str, Profile] = {}
    faults: list[Fault] = []
    for path in _list_files(settings.home):
        in_file = Faults(f"envs/{path.name}")
        try:
            data = path.read_bytes()
        except OSError as error:
            faults.append(Fault(in_file.file, 0, 0, "error", f"cannot be read: {error.strerror}"))
            continue
        profile = parse_profile(path.stem, data, settings, in_file)
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
        _check_placeholders(root or top, placeholder_values(profile, settings), faults)
        if len(faults.found) == before:
            make_activation(profile, settings)
    except Wrong as wrong:
        faults.wrong(root or top, wrong)
    return None if len(faults.found) > before else profile


def find_capo_path(name: str, settings: Settings) -> str:
    """Return CAPO_PATH as a job in the profile `name` has it, whether or not there is such a profile.

    Raises FaultsFound if its file is wrong.
    """
    file = settings.home / "envs" / f"{name}.yaml"
    faults = Faults(f"envs/{file.name}")
    data = file.read_bytes() if name not in RESERVED and file.exists() else b""
    profile = parse_profile(name, data, settings, faults)
    check_faults(faults.found)
    assert profile is not None
    return expand_capo_path(profile, settings)


def expand_capo_path(profile: Profile, settings: Settings) -> str:
    """Return CAPO_PATH as a job in `profile` has it here."""
    path = make_capo_path(profile, settings)
    return ":".join([expand_path(directory, str(settings.home)) for directory in path.split(":")])


def _check_placeholders(root: Node, values: dict[str, str], faults: Faults) -> None:
    """Record each value of a profile whose placeholders mean nothing, at its own place."""
    given = root.entries if isinstance(root, Mapping) else {}
    for text in [text for name in _FILLED if name in given for text in _list_texts(given[name][1])]:
        try:
            fill_placeholders(text.text, values)
        except Wrong as wrong:
            faults.wrong(text, wrong)


def _list_texts(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
        return
    inside = [value for _, value in node.entries.values()] if isinstance(node, Mapping) else node.items
    for value in inside:
        yield from _list_texts(value)


def list_profile_files(home: Path) -> list[str]:
    """Return the names that profile files have, right or wrong: what completion and hints offer."""
    return [path.stem for path in _list_files(home)]


def _list_files(home: Path) -> list[Path]:
    """Return the files of profiles; what begins with a dot is an editor's own."""
    found = (home / "envs").glob("*.yaml")
    return sorted(path for path in found if path.stem not in RESERVED and not path.name.startswith("."))


def _split_name(name: str, settings: Settings) -> dict[str, str]:
    """Return site and environment that the name itself says: split at its last ``-``, if both are declared."""
    site, _, environment = name.rpartition("-")
    if site in dict(settings.sites) and environment in settings.environments:
        return {"site": site, "environment": environment}
    return {}
