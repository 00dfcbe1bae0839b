"""What of a profile is not on this host, found without activating it (PROF-44)."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runner.document.faults import Faults
from runner.document.parse import parse_document
from runner.document.tree import Mapping, Node, Sequence
from runner.errors import Fault
from runner.home.settings import SETTINGS_FILE, Settings
from runner.home.site import may_be_at
from runner.launch.activation import Change
from runner.launch.environment import expand_path
from runner.launch.outcome import CannotStart
from runner.launch.trees import find_conda_prefix
from runner.profiles.activators.capo import find_property, read_files
from runner.profiles.changes import list_origins, make_activation
from runner.profiles.profile import Profile

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is not as a value says; `keys` lead to the value, from the activator or from the top."""

    keys: Keys
    message: str
    hint: str = ""


def check_profiles(profiles: Iterable[Profile], settings: Settings, site: str) -> Iterator[Fault]:
    """Yield warnings about the profiles that may be used on this host, which is at `site` (empty: unknown)."""
    for profile in profiles:
        if may_be_at(settings, profile.site, site):
            yield from _check_profile(profile, settings)


def _check_profile(profile: Profile, settings: Settings) -> Iterator[Fault]:
    file = f"envs/{profile.name}.yaml"
    activation = make_activation(profile, settings)
    home = str(settings.home)
    found: list[Trouble] = []
    for origin, change in zip(list_origins(profile, settings), activation.changes, strict=True):
        if change.verb in _CHECKS:
            # What is wanted of property files stands in two places of the top.
            keys = () if change.verb == "capo" else _split(origin)
            found += _collect(_CHECKS[change.verb](change, home), keys)
    for number, pattern in enumerate(activation.watch):
        found += _collect(_check_watch(pattern, home), ("watch", number))
    for number, path in enumerate([text for kind, text in activation.requires if kind == "file"]):
        found += _collect(_check_required(path, home), ("require", "files", number))
    for trouble in found:
        yield _place(trouble, SETTINGS_FILE if trouble.keys[:1] == ("base",) else file, settings.home)
    for change in activation.changes:
        if change.verb == "capo":
            yield from _check_properties(change, settings)


def _place(trouble: Trouble, file: str, home: Path) -> Fault:
    """Return the warning of a trouble, at the value that it is about."""
    root = parse_document((home / file).read_bytes(), Faults(file))
    place = find_node(root, trouble.keys) if root else None
    line, column = (place.line, place.column) if place else (0, 0)
    return Fault(file, line, column, "warning", trouble.message, trouble.hint)


def _collect(troubles: Iterator[Trouble], keys: Keys) -> list[Trouble]:
    """Return troubles with the keys that lead to what was looked at; a path of no known user is one, too."""
    try:
        return [replace(one, keys=(*keys, *one.keys)) for one in troubles]
    except CannotStart as cause:
        return [Trouble(keys, str(cause), "see getent passwd")]


def _split(origin: str) -> Keys:
    """Return ``activate[0].venv`` as keys."""
    return tuple(int(part) if part.isdecimal() else part for part in re.findall(r"\w+", origin))


def find_node(root: Node, keys: Keys) -> Node:
    """Return the value that keys lead to, or the last one on the way; a value may stand for a list of one."""
    node = root
    for key in keys:
        if isinstance(node, Mapping) and key in node.entries:
            node = node.entries[str(key)][1]
        elif isinstance(node, Sequence) and isinstance(key, int):
            node = node.items[key]
        elif isinstance(key, str):
            break
    return node


# What can be seen of each kind


def _check_venv(change: Change, home: str) -> Iterator[Trouble]:
    tree = _expand(change.value, home)
    if not (tree / "pyvenv.cfg").is_file():
        yield Trouble((), f"no virtual environment at {tree} (no pyvenv.cfg)", f'make it: "python3 -m venv {tree}"')


def _check_conda(change: Change, home: str) -> Iterator[Trouble]:
    details = dict(change.details)
    key = "prefix" if "prefix" in details else "name"
    path = _expand(find_conda_prefix(details), home)
    if not (path / "conda-meta/history").is_file():
        yield Trouble((key,), f"no conda environment at {path} (no conda-meta/history)", 'see "conda env list"')


def _check_modules(change: Change, home: str) -> Iterator[Trouble]:
    command = _expand(dict(change.details)["command"], home)
    if not os.access(command, os.X_OK):
        yield Trouble(("command",), f"no program {command}", "modulecmd.tcl of environment-modules, or lmod")
    for number, path in enumerate([text for key, text in change.details if key == "path"]):
        if not _expand(path, home).is_dir():
            yield Trouble(("path", number), f"no directory {_expand(path, home)}", "where are the modulefiles?")


def _check_setup(change: Change, home: str) -> Iterator[Trouble]:
    for key, text in change.details:
        if key in ("source", "rc") and not os.access(path := _expand(text, home), os.R_OK):
            yield Trouble((key,), f"{path} cannot be read", "the shell would fail to source it")


def _check_watch(pattern: str, home: str) -> Iterator[Trouble]:
    path = _expand(pattern, home)
    if not glob.glob(str(path)):  # noqa: PTH207
        yield Trouble((), f"nothing is called {path}", "a snapshot hangs on the files that are watched")


def _check_required(text: str, home: str) -> Iterator[Trouble]:
    path = _expand(text, home)
    if not os.access(path, os.R_OK):
        yield Trouble((), f"{path} cannot be read", "without it no job of this profile starts")


def _check_capo(change: Change, home: str) -> Iterator[Trouble]:
    """Yield the keys that no file has; a file with a fault may have them where it cannot be read."""
    accepted, files = read_files(change, home, expand_path("~", home), _AnyVariable())
    if any(fault.level == "error" for fault in accepted.faults):
        return
    exports = [text.split(" ", 1) for kind, text in change.details if kind == "export"]
    wanted: list[tuple[Keys, str]] = [(("capo", "export", name), key) for name, key in exports]
    required = [text for kind, text in change.details if kind == "property"]
    wanted += [(("require", "properties", number), key) for number, key in enumerate(required)]
    for keys, key in wanted:
        if not find_property(change, accepted, key):
            yield Trouble(keys, f"no property {key}", f"looked for in {' '.join(accepted.files or files)}")


_CHECKS: dict[str, Callable[[Change, str], Iterator[Trouble]]] = {
    "conda": _check_conda,
    "modules": _check_modules,
    "setup": _check_setup,
    "venv": _check_venv,
    "capo": _check_capo,
}


class _AnyVariable(dict[str, str]):
    """An environment in which every variable is set: what activators will set, nobody knows before."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "x"


def _check_properties(change: Change, settings: Settings) -> Iterator[Fault]:
    """Yield the strict faults of property files, at their places there."""
    home = str(settings.home)
    try:
        accepted, _ = read_files(change, home, expand_path("~", home), _AnyVariable())
    except CannotStart:
        return  # said of the profile
    for fault in accepted.faults:
        if fault.level == "error":
            yield replace(fault, file=fault.file.removeprefix(f"{home}/"), level="warning")


def _expand(text: str, home: str) -> Path:
    return Path(home, expand_path(text, home))
