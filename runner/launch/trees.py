"""What a profile activates and somebody could change to activate something else (SEC-19)."""

from __future__ import annotations

import posix

from runner.launch.environment import expand_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.activation import Activation, Change
    from runner.launch.trust import Walk


def walk_trees(walk: Walk, activation: Activation, home: str) -> None:
    """Look at what a profile activates; CannotStart if it must not be, or lies with an account that is not here."""
    let_account_own(walk, activation)
    walk.require(list_trees(activation, home))


def let_account_own(walk: Walk, activation: Activation) -> None:
    """Trust the account that owns the software of a profile's site (PROF-14)."""
    if activation.owner:
        import pwd

        try:
            walk.let_own(pwd.getpwnam(activation.owner).pw_uid)
        except KeyError:
            pass  # this machine has no such account, and nothing of it


def list_trees(activation: Activation, home: str) -> list[str]:
    """Return the files and directories that decide what a profile activates; they need not be there."""
    found = []
    for change in activation.changes:
        if change.verb == "venv":
            found += list_tree(expand_path(change.value, home))
        elif change.verb == "conda":
            found += list_tree(expand_path(find_conda_prefix(dict(change.details)), home))
        else:
            found += [expand_path(path, home) for path in _list_files(change)]
    return found


def _list_files(change: Change) -> list[str]:
    """Return what a change by a program names: scripts, the program itself, directories of modules."""
    commands = [text.split(" ", 1)[0] for key, text in change.details if key in ("eval", "run")]
    files = [text for key, text in change.details if key in ("source", "rc", "command")]
    files += [text for key, text in change.details if key == "path" and change.verb == "modules"]
    return files + [word for word in commands if word[:1] in ("/", "~")]


def find_conda_prefix(details: dict[str, str]) -> str:
    """Return where a conda environment is, by its prefix or by its name in an installation."""
    if "prefix" in details:
        return details["prefix"]
    return details["root"] if details["name"] == "base" else f"{details['root']}/envs/{details['name']}"


def list_tree(prefix: str) -> list[str]:
    """Return what decides about the programs of a virtual or conda environment."""
    scripts = f"{prefix}/etc/conda/activate.d"
    found = [f"{prefix}/bin/python", f"{prefix}/pyvenv.cfg", scripts]
    found += [f"{scripts}/{name}" for name in list_names(scripts)]
    return found + list_packages(prefix)


def list_packages(prefix: str) -> list[str]:
    """Return the ``site-packages`` of an environment."""
    names = [name for name in list_names(f"{prefix}/lib") if name[:6] == "python"]
    return [f"{prefix}/lib/{name}/site-packages" for name in names]


def list_names(directory: str) -> list[str]:
    """Return the names in a directory; none if it cannot be read."""
    try:
        return posix.listdir(directory)
    except OSError:
        return []
