"""Which packages a run finds in its environment: those of its virtual and conda environments, and loaded modules.

Their names and versions stand in names of files, so none is opened. ``snapshots/<digest>.packages`` has a line
``NAME VERSION`` for each, and is written once. ``snapshots/<places>.seen`` has the digest that was found in some
directories, and what these looked like then: to list three hundred names costs a run more than all else here.
"""

from __future__ import annotations

import posix
import time

from runner.launch.plan import fingerprint
from runner.launch.state import SNAPSHOTS, read_file, write_file
from runner.launch.trees import list_names, list_packages

SUFFIX = ".packages"
_SEEN = ".seen"
_CONDA = "/conda-meta"
_DISTRIBUTIONS = ("dist-info", "egg-info")
# In a directory that changed so lately more may come under the same time.
_SETTLED_S = 2.0


def keep_packages(state: str, environment: dict[str, str], interpreter: str) -> str:
    """Keep the list of an environment's packages, unless it is kept already; return its digest, empty without any.

    `interpreter` is one whose packages are there as well, empty for none. What cannot be kept has its digest all the
    same: two runs can be seen to differ.
    """
    found = _look(environment, interpreter.rpartition("/")[0].rpartition("/")[0])
    directories, modules = sorted(found), environment.get("LOADEDMODULES", "")
    seen = f"{state}/{SNAPSHOTS}/{_digest([*directories, modules])}{_SEEN}"
    facts = [found[directory] for directory in directories]
    looks = _digest([f"{one.st_dev}:{one.st_ino}:{one.st_mtime_ns}" for one in facts])
    known, _, digest = _read(seen).partition(" ")
    if known == looks:
        return digest
    lines = sorted(find_packages(directories, modules))
    digest = _digest(lines) if lines else ""
    if lines:
        _write(name_packages(state, digest), "".join([f"{line}\n" for line in lines]))
    if max([one.st_mtime for one in facts], default=0.0) + _SETTLED_S < time.time():
        _write(seen, f"{looks} {digest}")
    return digest


def name_packages(state: str, digest: str) -> str:
    """Return the file of a list."""
    return f"{state}/{SNAPSHOTS}/{digest}{SUFFIX}"


def find_packages(directories: list[str], modules: str) -> set[str]:
    """Return name and version of each package in some directories, and of loaded modules."""
    found: dict[str, set[str]] = {}
    for directory in directories:
        for name, version in _list_packages(directory):
            # One name for all of its spellings (PEP 503).
            found.setdefault(name.lower().replace("_", "-").replace(".", "-"), set()).add(version)
    # Conda says which Python more exactly than the name of its directory.
    for directory in directories:
        if not directory.endswith(_CONDA):
            found.setdefault("python", {directory.split("/")[-2][len("python") :]})
    for module in filter(None, modules.split(":")):
        name, _, version = module.rpartition("/")
        found.setdefault(name or version, set()).add(version if name else "-")
    return {f"{name} {version}" for name, versions in found.items() for version in versions}


def _list_packages(directory: str) -> list[tuple[str, str]]:
    """Return name and version of each package in a directory, as they are spelt there: conda and pip differ."""
    names = [name.rpartition(".") for name in list_names(directory)]
    if directory.endswith(_CONDA):
        parts = [stem.rsplit("-", 2) for stem, _, kind in names if kind == "json"]
    else:
        parts = [stem.split("-") for stem, _, kind in names if kind in _DISTRIBUTIONS]
    return [(part[0], part[1] if len(part) > 1 else "-") for part in parts]


def _look(environment: dict[str, str], more: str) -> dict[str, posix.stat_result]:
    """Return the directories that name packages, and what they look like."""
    found = {}
    for tree in {environment.get("VIRTUAL_ENV"), environment.get("CONDA_PREFIX"), more}:
        for path in (f"{tree}{_CONDA}", *list_packages(tree)) if tree else ():
            try:
                found[path] = posix.stat(path)
            except OSError:
                pass
    return found


def _digest(texts: list[str]) -> str:
    return fingerprint("".join([f"{text}\n" for text in texts]).encode("utf-8", "surrogateescape"))


def _read(path: str) -> str:
    try:
        return (read_file(path) or b"").decode("ascii", "replace")
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    try:
        write_file(path, text.encode("utf-8", "surrogateescape"), sync=False)
    except OSError:
        pass  # a full disk keeps no job from running
