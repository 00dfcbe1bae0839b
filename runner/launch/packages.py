"""Which packages a run finds in its environment: those of its virtual and conda environments, and loaded modules.

Their names and versions stand in names of files, so nothing is opened. ``snapshots/<digest>.packages`` has a line
``NAME VERSION`` for each, and is written once.
"""

from __future__ import annotations

import posix

from runner.launch.plan import fingerprint
from runner.launch.state import SNAPSHOTS, write_file
from runner.launch.trees import list_names, list_packages

SUFFIX = ".packages"
_DISTRIBUTIONS = ("dist-info", "egg-info")


def keep_packages(state: str, environment: dict[str, str], interpreter: str) -> str:
    """Keep the list of an environment's packages, unless it is kept already; return its digest, empty without any.

    `interpreter` is one whose packages are there as well, empty for none. A list that cannot be kept has its digest
    all the same: two runs can be seen to differ.
    """
    found = find_packages(environment, interpreter.rpartition("/")[0].rpartition("/")[0])
    if not found:
        return ""
    data = "".join([f"{line}\n" for line in sorted(found)]).encode("utf-8", "surrogateescape")
    digest = fingerprint(data)
    path = name_packages(state, digest)
    try:
        posix.stat(path)
    except OSError:
        try:
            write_file(path, data, sync=False)
        except OSError:
            pass
    return digest


def name_packages(state: str, digest: str) -> str:
    """Return the file of a list."""
    return f"{state}/{SNAPSHOTS}/{digest}{SUFFIX}"


def find_packages(environment: dict[str, str], more: str) -> set[str]:
    """Return name and version of each package, of the tree `more` too."""
    found: set[str] = set()
    for tree in {environment.get("VIRTUAL_ENV"), environment.get("CONDA_PREFIX"), more}:
        if tree:
            found |= _find_in_tree(tree)
    modules = [module.rpartition("/") for module in environment.get("LOADEDMODULES", "").split(":") if module]
    return found | {f"{name or version} {version if name else '-'}" for name, _, version in modules}


def _find_in_tree(tree: str) -> set[str]:
    stems = [name[:-5].rsplit("-", 2)[:2] for name in list_names(f"{tree}/conda-meta") if name[-5:] == ".json"]
    has_conda = bool(stems)
    for directory in list_packages(tree):
        names = [name.rpartition(".") for name in list_names(directory)]
        stems += [stem.split("-")[:2] for stem, _, kind in names if kind in _DISTRIBUTIONS]
        if not has_conda:  # which says it more exactly
            stems.append(["python", directory.split("/")[-2][6:]])
    return {f"{_normalize(name)} {version}" for name, version in [(*stem, "-")[:2] for stem in stems]}


def _normalize(name: str) -> str:
    """Return a name as all spell it: the same package has several, by conda and by pip (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
